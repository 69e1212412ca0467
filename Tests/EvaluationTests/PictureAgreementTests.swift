import Statistics
import Testing

@testable import Evaluation

@Suite("Agreement of pictures")
struct PictureAgreementTests {
  @Test("r² of a hand-made picture, about its own mean and about the mean picture")
  func hand() {
    let b: [Float] = [0, 2, 4, 6]
    let a: [Float] = [0, 2, 4, 4]
    let mean: [Float] = [0, 2, 4, 5]
    let agreement = PictureAgreement(of: a[...], with: b[...], mean: mean)
    // Residual 4; about b's mean of 3: 9 + 1 + 1 + 9; about the mean picture: 1.
    #expect(abs(agreement.r2 - (1 - 4.0 / 20)) < 1e-12)
    #expect(abs(agreement.r2Centered - (1 - 4.0)) < 1e-12)
    // A background that all share raises the one and not the other.
    let same = PictureAgreement(of: mean[...], with: b[...], mean: mean)
    #expect(same.r2 > 0.9 && same.r2Centered == 0)
  }

  @Test("a picture without variance agrees wholly or not at all")
  func constant() {
    let flat: [Float] = [1, 1, 1]
    let equal = PictureAgreement(of: flat[...], with: flat[...], mean: flat)
    #expect(equal.r2 == 1 && equal.r2Centered == 1)
    let other = PictureAgreement(of: [0, 1, 1][...], with: flat[...], mean: flat)
    #expect(other.r2 == 0 && other.r2Centered == 0)
  }

  @Test("batches are compared picture by picture")
  func batches() {
    let each = PictureAgreement.each([0, 1, 5, 5], [0, 1, 0, 1], mean: [0.5, 0.5])
    #expect(each.count == 2)
    #expect(each[0].r2 == 1)
    #expect(each[1].r2 < 0)
  }

  @Test("the median's interval holds the median, and resamples change it only within the values")
  func median() {
    let odd = medianInterval([5, 1, 3], seed: 1)
    #expect(odd.value == 3 && odd.n == 3 && odd.low >= 1 && odd.high <= 5)
    #expect(medianInterval([4, 1, 3, 2], seed: 1).value == 2.5)
    let wide = medianInterval((0..<100).map(Double.init), seed: 1)
    #expect(wide.low < 49.5 && wide.high > 49.5 && wide.high - wide.low < 35)
  }
}
