/// How well one denoiser's picture tells another's, after Kamb & Ganguli 2024 (arXiv 2412.20292).
package struct PictureAgreement: Sendable, Hashable {
  /// 1 − Σ (b − a)² / Σ (b − b̄)², b̄ the mean of all values of b: the literature's r². The same
  /// background in both pictures counts as agreement.
  package var r2: Double
  /// The same beyond what all pictures share: b̄ is the mean training picture, pixel by pixel. Below 0
  /// when the mean picture tells b better than a does.
  package var r2Centered: Double

  /// - Parameters:
  ///   - a: the picture that predicts; all are (S, S, 3).
  ///   - b: the picture to be told.
  ///   - mean: the mean training picture.
  package init(of a: ArraySlice<Float>, with b: ArraySlice<Float>, mean: [Float]) {
    let average = b.reduce(0) { $0 + Double($1) } / Double(max(b.count, 1))
    var (residual, total, beyond) = (0.0, 0.0, 0.0)
    for ((a, b), m) in zip(zip(a, b), mean) {
      residual += (Double(b) - Double(a)) * (Double(b) - Double(a))
      total += (Double(b) - average) * (Double(b) - average)
      beyond += (Double(b) - Double(m)) * (Double(b) - Double(m))
    }
    // A constant picture has no variance to tell: equal is all, anything else nothing.
    r2 = total > 0 ? 1 - residual / total : residual == 0 ? 1 : 0
    r2Centered = beyond > 0 ? 1 - residual / beyond : residual == 0 ? 1 : 0
  }

  /// For each picture of two batches (N, S, S, 3).
  package static func each(_ a: [Float], _ b: [Float], mean: [Float]) -> [PictureAgreement] {
    stride(from: 0, to: b.count, by: mean.count).map { start in
      PictureAgreement(
        of: a[start..<start + mean.count], with: b[start..<start + mean.count], mean: mean)
    }
  }
}
