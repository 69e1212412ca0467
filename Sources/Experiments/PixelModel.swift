import Diffusion
import External

/// A model of latents between pixels: y ↦ decode(D(encode(y) + σε, σ, c)), with one σ and one ε that stay.
///
/// What is moved is a clean picture's pixel; the noise level of a batch says only how far.
struct PixelModel: FieldDenoiser {
  let latents: any FieldDenoiser
  /// What encodes and decodes.
  let peer: Peer
  let sigma: Float
  /// ε, (C, H, W) of a latent.
  let noise: [Float]

  /// Whether a model has both of the ways.
  static func isOffered(by hello: PeerHello) -> Bool {
    hello.picture != nil && hello.abilities.isSuperset(of: [.encode, .decode])
  }

  var fieldShape: FieldShape {
    let shape = peer.hello.picture ?? peer.hello.shape
    return FieldShape(
      channels: shape[0], height: shape[1], width: shape[2], entries: latents.fieldShape.entries)
  }
  var schedule: NoiseSchedule { latents.schedule }
  /// Neither the encoder nor the decoder has any behind the protocol.
  var hasGradients: Bool { false }
  var givesEndpoints: Bool { latents.givesEndpoints }

  func denoise(_ batch: FieldBatch) throws -> [Float] {
    var z = try peer.encode(batch.x)
    for i in z.indices { z[i] += sigma * noise[i % noise.count] }
    return try peer.decode(
      latents.denoise(
        FieldBatch(
          x: z, sigma: [Float](repeating: sigma, count: batch.count), labels: batch.labels)))
  }

  func gradient(_ batch: FieldBatch, cotangent: [Float]) throws -> [Float] {
    throw MismatchError("between pixels there are no gradients, but differences")
  }
}
