import Diffusion
import Foundation
import Streams
import Testing

@testable import External

@Suite("Pipelines of diffusers behind the protocol", .serialized)
struct DiffusersAdapterTests {
  private static let isHere = Adapters.has("torch, numpy, diffusers, transformers, PIL")

  /// A pipeline of random weights in the format of one of the three families.
  private static func peer(_ folder: TemporaryFolder, _ made: [String], _ asked: [String]) throws
    -> Peer
  {
    let process = Process()
    process.executableURL = URL(filePath: Adapters.python)
    process.arguments = ["train_tiny_pipeline.py", "--untrained"] + made + ["", "pipeline"]
    process.currentDirectoryURL = folder.url
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try Peer(
      PeerCommand(
        [
          Adapters.python, "diffusers_pipeline.py", "pipeline", "--concepts",
          "a red cube;a blue sphere;a green cylinder", "--threads", "1",
        ] + asked, in: folder.url.path))
  }

  private static func folder() throws -> TemporaryFolder {
    try Adapters.folder(
      ["diffusers_pipeline.py", "train_tiny_pipeline.py", "locus_peer.py", "locus_tensors.py"].map {
        "Pipelines/adapters/" + $0
      })
  }

  private static func batch(_ model: PeerModel, sigma: Float, labels: [[Float]]) -> FieldBatch {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    var batch = FieldBatch()
    for row in labels {
      batch.append(
        (0..<model.fieldShape.count).map { _ in (1 + sigma) * stream.gaussian() }, sigma, row)
    }
    return batch
  }

  @Test(
    "SDXL's and Stable Diffusion's formats give what diffusers' own scheduler makes of their predictions",
    .enabled(
      if: isHere, "it is not here: pip install torch diffusers transformers; set LOCUS_PYTHON"),
    arguments: [
      [], ["--predicts", "v_prediction"], ["--one-encoder"],
      ["--one-encoder", "--predicts", "v_prediction"],
    ])
  func conventions(_ made: [String]) throws {
    let folder = try Self.folder()
    let model = PeerModel(try Self.peer(folder, made, []))
    #expect(model.fieldShape == FieldShape(channels: 4, height: 16, width: 16, entries: 3))
    #expect(model.peer.hello.abilities == Set(PeerHello.Ability.allCases))
    let time = 600
    let sigma = Float(model.schedule.times[time])
    let batch = Self.batch(model, sigma: sigma, labels: [[1, 0, 1], [0, 0, 0]])
    let own = try model.denoise(batch)
    // The same by the parts themselves: the prediction at the scaled input, and the scheduler's x0 of it.
    let numbers = folder.url.appending(path: "x.bin")
    try batch.x.withUnsafeBytes { Data($0) }.write(to: numbers)
    let text = try #require(
      Adapters.output(
        """
        import sys, numpy as np, torch, diffusers
        p = diffusers.DiffusionPipeline.from_pretrained("\(folder.path("pipeline"))")
        x = torch.from_numpy(np.fromfile("\(numbers.path)", "<f4").reshape(2, 4, 16, 16))
        p.scheduler.set_timesteps(1000)
        t = p.scheduler.timesteps[p.scheduler.timesteps == \(time)][0]
        is_xl = hasattr(p, "text_encoder_2")
        with torch.no_grad():
            for n, prompt in enumerate(["a red cube and a green cylinder", ""]):
                e = p.encode_prompt(prompt=prompt, device="cpu", num_images_per_prompt=1,
                                    do_classifier_free_guidance=False)
                hidden, added = e[0], None
                if is_xl:
                    pooled = e[2]
                    if prompt == "":
                        hidden, pooled = torch.zeros_like(hidden), torch.zeros_like(pooled)
                    added = dict(text_embeds=pooled, time_ids=torch.tensor([[32., 32, 0, 0, 32, 32]]))
                s = p.scheduler
                s._step_index = None
                out = p.unet(s.scale_model_input(x[n:n + 1], t), t, encoder_hidden_states=hidden,
                             added_cond_kwargs=added).sample
                clean = s.step(out, t, x[n:n + 1]).pred_original_sample
                print(" ".join(str(v) for v in clean.flatten().tolist()))
        """))
    let theirs = text.split(whereSeparator: \.isWhitespace).compactMap { Float($0) }
    try #require(theirs.count == own.count)
    let largest = own.reduce(0) { max($0, abs($1)) }
    let difference = zip(own, theirs).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
    #expect(difference < 1e-4, "\(difference)")
    print("\(made): D differs from the scheduler's by \(difference) of its largest value")
  }

  /// D = √ᾱ x̃ − √(1 − ᾱ) v with x̃ = √ᾱ x, and the prompt's embeddings alone beside the time: no pooled ones, no sizes.
  @Test(
    "Stable Diffusion 2 with v-prediction, one encoder and nothing pooled, is converted by the closed form",
    .enabled(
      if: isHere, "it is not here: pip install torch diffusers transformers; set LOCUS_PYTHON"))
  func velocity() throws {
    let folder = try Self.folder()
    let model = PeerModel(
      try Self.peer(folder, ["--one-encoder", "--predicts", "v_prediction"], []))
    guard case .schedule(let alphas, .velocity) = model.peer.hello.noise else {
      Issue.record("\(model.peer.hello.noise) is no v-prediction")
      return
    }
    #expect(model.peer.hello.name.hasPrefix("StableDiffusionPipeline"))
    var largest: Float = 0
    for time in [30, 500, 950] {
      let alpha = alphas[time]
      let batch = Self.batch(
        model, sigma: Float(((1 - alpha) / alpha).squareRoot()), labels: [[0, 1, 0], [0, 0, 0]])
      let own = try model.denoise(batch)
      let numbers = folder.url.appending(path: "x.bin")
      try batch.x.withUnsafeBytes { Data($0) }.write(to: numbers)
      let text = try #require(
        Adapters.output(
          """
          import json, numpy as np, torch
          from diffusers import UNet2DConditionModel
          from transformers import CLIPTextModel, CLIPTokenizer
          at = "\(folder.path("pipeline"))/"
          assert json.load(open(at + "scheduler/scheduler_config.json"))["prediction_type"] == "v_prediction"
          unet, text = (kind.from_pretrained(at + name).eval() for kind, name in [
              (UNet2DConditionModel, "unet"), (CLIPTextModel, "text_encoder")])
          words = CLIPTokenizer.from_pretrained(at + "tokenizer")
          x = torch.from_numpy(np.fromfile("\(numbers.path)", "<f4").reshape(2, 4, 16, 16))
          a = \(alpha)
          with torch.no_grad():
              ids = words(["a blue sphere", ""], padding="max_length", max_length=words.model_max_length,
                          truncation=True, return_tensors="pt").input_ids
              v = unet(a ** 0.5 * x, \(time), encoder_hidden_states=text(ids)[0]).sample
          print(" ".join(str(d) for d in (a * x - (1 - a) ** 0.5 * v).flatten().tolist()))
          """))
      let theirs = text.split(whereSeparator: \.isWhitespace).compactMap { Float($0) }
      try #require(theirs.count == own.count)
      let scale = theirs.reduce(0) { max($0, abs($1)) }
      largest = max(largest, zip(own, theirs).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale)
      #expect(Array(own[..<model.fieldShape.count]) != Array(own[model.fieldShape.count...]))
    }
    #expect(largest < 1e-4, "\(largest)")
    print(
      "v of Stable Diffusion 2: D differs from the closed form by \(largest) of its largest value")
  }

  @Test(
    "latents, gradients, features and knock-outs of tokens come through",
    .enabled(
      if: isHere, "it is not here: pip install torch diffusers transformers; set LOCUS_PYTHON"),
    arguments: ["prompt", "token"])
  func abilities(_ knockOut: String) throws {
    let folder = try Self.folder()
    let model = PeerModel(try Self.peer(folder, [], ["--knock-out", knockOut]))
    let batch = Self.batch(model, sigma: 2, labels: [[1, 1, 0]])
    var other = batch
    other.labels = [1, 0, 0]
    #expect(try model.denoise(batch) != model.denoise(other))
    // vᵀ J u by the gradient and by differences.
    var stream = RandomStream(seed: 2, purpose: .test, index: 0)
    let u = batch.x.map { _ in stream.gaussian() }
    let v = batch.x.map { _ in stream.gaussian() }
    func dot(_ a: [Float], _ b: [Float]) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let gradients = try model.gradients(batch, cotangent: v)
    func moved(_ step: Float) throws -> Double {
      var moved = batch
      for i in moved.x.indices { moved.x[i] += step * u[i] }
      return dot(try model.denoise(moved), v)
    }
    let quotient = (try moved(0.02) - moved(-0.02)) / 0.04
    #expect(abs(dot(gradients.x, u) - quotient) < 0.02 * abs(quotient))
    #expect(gradients.labels.contains { $0 != 0 } == (knockOut == "token"))
    let names = model.peer.hello.features.map(\.name)
    #expect(names == ["down.0", "down.1", "mid", "up.0", "up.1"])
    let shape = try #require(model.peer.hello.features.first { $0.name == "mid" }).shape
    #expect(try model.features(batch, of: "mid").count == shape.reduce(1, *))
    let picture = try model.peer.decode(batch.x)
    #expect(picture.count == 3 * 32 * 32)
    #expect(try model.peer.encode(picture).count == 4 * 16 * 16)
    let drawn = try Sampler(steps: 3, method: .ddim).sample(
      model, labels: batch.labels, noise: u, guidance: Guidance(scale: 2))
    #expect(drawn.count == u.count && drawn.allSatisfy(\.isFinite))
  }
}
