import Diffusion
import Streams

/// What a network has to learn to need a mask of labels no more: a picture is shown in one of the passes that
/// the mask makes of it, with the labels of that pass, and of its pixels those count that take their value
/// from it.
///
/// Every pass is as likely as any other and weighs as much as there are passes, so that the expected loss is
/// that of the masked denoiser on the whole picture.
package struct MaskedPasses: TrainingRestriction {
  private let planner: PassPlanner
  private let cells: Int

  /// - Throws: `MaskError` for a mask that hides more than labels, or that does not fit.
  package init(_ specification: MaskSpecification, _ shape: PictureShape) throws(MaskError) {
    guard specification.mask == .conditioner || specification.mask == .window else {
      throw .noLabelMask(specification.mask)
    }
    try specification.validate(shape)
    planner = try PassPlanner(specification, shape)
    cells = shape.conditionerCount
  }

  package func apply(
    labels: UnsafeMutablePointer<Float>, weights: UnsafeMutablePointer<Float>,
    stream: inout RandomStream
  ) {
    let told = Array(UnsafeBufferPointer(start: labels, count: cells))
    let draw = UInt64(stream.nextUInt32()) << 32 | UInt64(stream.nextUInt32())
    let plan = planner.plan(labels: told[...], draw: draw)
    guard case .stitched(let choice) = plan.combination else { return }
    let chosen = stream.integer(below: plan.passes.count)
    let weight = Float(plan.passes.count)
    for pixel in choice.indices { weights[pixel] *= choice[pixel] == chosen ? weight : 0 }
    guard let shown = plan.passes[chosen].cells else { return }
    for cell in 0..<cells { labels[cell] = 0 }
    for cell in shown { labels[cell] = told[cell] }
  }
}
