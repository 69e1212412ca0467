import Formats
import Foundation
import Scenes
import Tensors
import Vectors

/// A judge on disk, with its cross-check and the recall of both for each K.
package struct JudgeFile: Sendable {
  package var judge: Judge
  package var background: BackgroundDetector
  package var examples: ObjectExamples
  /// What objects of held-out renders are told for: by kind the number of each value.
  package var renderedValues: [ObjectAttributes.Kind: [Int]]
  package var camera: CameraKind
  package var size: Int
  /// By K: recall on held-out renders; K = 0 counts as 1.
  package var judgeRecall: [Double]
  package var backgroundRecall: [Double]

  package init(_ trained: TrainedJudge, settings: JudgeSettings) {
    judge = trained.judge
    background = trained.background
    examples = trained.examples
    renderedValues = trained.looks.values
    camera = settings.camera
    size = settings.size
    judgeRecall = trained.judgeCalibration.map { $0.recall?.value ?? 1 }
    backgroundRecall = trained.backgroundCalibration.map { $0.recall?.value ?? 1 }
  }

  package func data() -> Data {
    var tensors: [String: Safetensors.Tensor] = [:]
    for tensor in judge.weights.tensors() {
      tensors["network." + tensor.name] = Safetensors.Tensor(
        shape: tensor.shape, values: tensor.values)
    }
    tensors["background.ground"] = Safetensors.Tensor(
      shape: [size, size, 3], values: background.ground)
    let count = examples.attributes.count
    tensors["examples.differences"] = Safetensors.Tensor(
      shape: [count, examples.side, examples.side, 3], values: examples.differences)
    tensors["examples.attributes"] = Safetensors.Tensor(
      shape: [count, ObjectAttributes.Kind.allCases.count],
      values: examples.attributes.flatMap { own in
        ObjectAttributes.Kind.allCases.map { Float(own[$0]) }
      })
    for (kind, values) in renderedValues {
      tensors["calibration.\(kind.rawValue)"] = vector(values.map { Double($0) })
    }
    tensors["calibration.judge"] = vector(judgeRecall)
    tensors["calibration.background"] = vector(backgroundRecall)
    return Safetensors(
      tensors: tensors,
      metadata: [
        "camera": camera.rawValue, "size": "\(size)", "threshold": "\(judge.threshold)",
        "background_threshold": "\(background.threshold)", "instructions": instructionSet,
      ]
    ).data()
  }

  private func vector(_ values: [Double]) -> Safetensors.Tensor {
    Safetensors.Tensor(shape: [values.count], values: values.map { Float($0) })
  }

  package init(data: Data) throws(EvaluationError) {
    let file: Safetensors
    do {
      file = try Safetensors(data: data)
    } catch {
      throw .judge(error.description)
    }
    guard let camera = file.metadata["camera"].flatMap(CameraKind.init(rawValue:)),
      let size = file.metadata["size"].flatMap({ Int($0) }), (8...1024).contains(size),
      let threshold = file.metadata["threshold"].flatMap({ Float($0) }),
      let backgroundThreshold = file.metadata["background_threshold"].flatMap({ Float($0) }),
      let ground = file.tensors["background.ground"], ground.shape == [size, size, 3],
      let judgeRecall = file.tensors["calibration.judge"],
      let backgroundRecall = file.tensors["calibration.background"]
    else { throw .judge("lacks its camera, size, thresholds, ground or calibration") }
    let constants =
      [threshold, backgroundThreshold] + ground.values + judgeRecall.values
      + backgroundRecall.values
    if !constants.allSatisfy(\.isFinite) {
      throw .judge("has a threshold, a ground or a calibration that is no finite number")
    }
    let counts = JudgeSettings.mostObjects + 1
    if judgeRecall.values.count != counts || backgroundRecall.values.count != counts {
      throw .judge("its calibration is not for K = 0 to \(JudgeSettings.mostObjects)")
    }
    let network = JudgeNetwork(size: size)
    let weights: Weights
    let prefix = "network."
    do {
      weights = try network.graph.makeWeights(
        file.tensors.filter { $0.key.hasPrefix(prefix) }.map {
          NamedTensor(
            name: String($0.key.dropFirst(prefix.count)), shape: $0.value.shape,
            values: $0.value.values)
        })
    } catch {
      throw .judge(error.description)
    }
    judge = Judge(network: network, weights: weights, threshold: threshold)
    background = BackgroundDetector(
      size: size, ground: ground.values, threshold: backgroundThreshold)
    (examples, renderedValues) = try Self.examples(file, size: size, ground: ground.values)
    self.camera = camera
    self.size = size
    self.judgeRecall = judgeRecall.values.map { Double($0) }
    self.backgroundRecall = backgroundRecall.values.map { Double($0) }
  }
  private static func examples(_ file: Safetensors, size: Int, ground: [Float])
    throws(EvaluationError) -> (ObjectExamples, [ObjectAttributes.Kind: [Int]])
  {
    let side = ObjectExamples.side(size: size)
    let kinds = ObjectAttributes.Kind.allCases
    guard let differences = file.tensors["examples.differences"],
      Array(differences.shape.dropFirst()) == [side, side, 3],
      let attributes = file.tensors["examples.attributes"],
      attributes.shape == [differences.shape[0], kinds.count],
      differences.values.allSatisfy(\.isFinite)
    else { throw .judge("lacks its examples, or has others than for its size") }
    // Whole numbers in range before they are converted.
    let isKnown: (Float) -> Bool = { $0 >= 0 && $0 < 16_777_216 && $0 == $0.rounded() }
    var known: [ObjectAttributes] = []
    for m in 0..<differences.shape[0] {
      let values = Array(attributes.values[m * kinds.count..<(m + 1) * kinds.count])
      guard values.allSatisfy(isKnown), let own = ObjectAttributes(values: values.map { Int($0) })
      else {
        throw .judge("has an example of an unknown colour, size or shape")
      }
      known.append(own)
    }
    var rendered: [ObjectAttributes.Kind: [Int]] = [:]
    for kind in kinds {
      guard let values = file.tensors["calibration.\(kind.rawValue)"]?.values,
        values.count == kind.count, values.allSatisfy(isKnown)
      else { throw .judge("lacks how often renders have each \(kind.rawValue)") }
      rendered[kind] = values.map { Int($0) }
    }
    return (
      ObjectExamples(
        size: size, ground: ground, differences: differences.values, attributes: known), rendered
    )
  }
}
