import Formats
import Foundation
import Lineage

/// The run that a page is about, as its pictures tell it when they are found without the page.
struct RunSignature {
  var run: String
  var version: String

  init(_ run: RunRecord) {
    self.run = run.id
    version = run.locusVersion
  }
}

/// The pictures of a page, as they go into files or into the page itself.
struct PagePictures {
  private let looks: ChartLooks
  private let signature: RunSignature?

  init(_ blocks: [Block], _ signature: RunSignature?) {
    looks = ChartLooks(blocks)
    self.signature = signature
  }

  func svg(_ chart: Chart) -> Data { Data(chart.svg(looks).utf8) }

  /// The picture with what it is of; as it was, when it is no PNG.
  func png(_ content: Data, stage: String) -> Data {
    guard let signature,
      let signed = try? PNGImage.adding(
        [
          ("Source", "run \(signature.run), stage \(stage)"),
          ("Software", "Locus \(signature.version)"),
        ], to: content)
    else { return content }
    return signed
  }
}
