import DenoiserFixtures
import Diffusion
import Foundation
import Testing

@testable import Probing

@Suite("Locality probes")
struct ProbeTests {
  static let shape = PictureShape(size: 16, cells: 8)

  static func pictures(_ count: Int, cells: [Int]) -> ProbePictures {
    var labels = [Float](repeating: 0, count: count * shape.conditionerCount)
    for n in 0..<count { for cell in cells { labels[n * shape.conditionerCount + cell] = 1 } }
    return ProbePictures(
      pictures: (0..<count * shape.pictureCount).map { Float(sin(Double($0) * 0.3)) },
      labels: labels, k: cells.count)
  }

  static func probe(_ denoiser: ToyDenoiser, cells: [Int] = [18, 45], threads: Int = 1) throws
    -> LocalityProfile
  {
    let profiles = try probeLocality(
      denoiser, pictures(4, cells: cells), ProbeSettings(sigmas: [1], pixelsPerPicture: 10),
      seed: 3, threads: threads)
    return try #require(profiles.first)
  }

  @Test("a blur of known reach has all its sensitivity in just that window", arguments: [0, 1, 3])
  func knownWindow(reach: Int) throws {
    let profile = try Self.probe(ToyDenoiser(shape: Self.shape, reach: reach))
    #expect(profile.windows == (0..<16).map { 2 * $0 + 1 })
    for (window, share) in zip(profile.windows, profile.pixel) {
      if window >= 2 * reach + 1 {
        #expect(abs(share.value - 1) < 1e-12)
      } else {
        #expect(share.value < 1)
      }
    }
    #expect(profile.pixelSides[2] == 2 * reach + 1)
    // Evenly weighted pixels: away from the border the share is the share of the area.
    if reach == 3 { #expect(profile.pixelSides[0] <= 7 && profile.pixelSides[0] >= 5) }
  }

  @Test("a global mean spreads as the isotropic null says")
  func globalMean() throws {
    let profile = try Self.probe(ToyDenoiser(shape: Self.shape, reach: -1, global: 1))
    for (share, even) in zip(profile.pixel, profile.isotropic) {
      #expect(abs(share.value - even) < 1e-6)
    }
    #expect(profile.isotropic.last.map { abs($0 - 1) < 1e-12 } == true)
  }

  @Test("knocking out labels finds how far they reach")
  func conditioner() throws {
    let near = try Self.probe(ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.2))
    let sides = try #require(near.conditionerSides)
    #expect(sides[2] <= 5)
    // Shared strength: every label changes what the others draw, far away.
    let shared = try Self.probe(
      ToyDenoiser(shape: Self.shape, reach: 0, labelReach: 2.2, sharesLabels: true))
    let far = try #require(shared.conditionerSides)
    #expect(far[2] > 5)
  }

  @Test("a label's ring is the smallest window that holds the middle of its cell")
  func labelRings() {
    let radial = RadialSums(grid: CellGrid(size: 16, cells: 8))
    // The middle of cell 0 lies between pixels 0 and 1: both see it in a window of 1 … 3.
    #expect(radial.ring(0, cell: 0) == 0)
    #expect(radial.ring(17, cell: 0) == 0)
    #expect(radial.ring(2, cell: 0) == 1)
    #expect(radial.ring(15, cell: 0) == 14)
  }

  @Test("settings without meaning are refused by name")
  func settings() {
    for settings in [
      ProbeSettings(sigmas: [0], pixelsPerPicture: 1),
      ProbeSettings(sigmas: [.nan], pixelsPerPicture: 1),
      ProbeSettings(sigmas: [1], pixelsPerPicture: 0),
    ] {
      #expect(throws: ProbeError.self) {
        try probeLocality(
          ToyDenoiser(shape: Self.shape, reach: 1), Self.pictures(1, cells: [3]), settings, seed: 1,
          threads: 1)
      }
    }
  }

  @Test("without any label's effect there is no conditioner profile")
  func noLabels() throws {
    let profile = try Self.probe(
      ToyDenoiser(shape: Self.shape, reach: 0, labelStrength: 0))
    #expect(profile.conditioner == nil)
    #expect(profile.conditionerSides == nil)
  }

  @Test("a constant denoiser is an error, not a profile")
  func constant() {
    #expect(throws: ProbeError.insensitive(sigma: 1)) {
      try Self.probe(ToyDenoiser(shape: Self.shape, reach: -1, global: 0))
    }
  }

  @Test("the same numbers for any number of threads")
  func threads() throws {
    let denoiser = ToyDenoiser(shape: Self.shape, reach: 2)
    let one = try Self.probe(denoiser, threads: 1)
    let three = try Self.probe(denoiser, threads: 3)
    #expect(one.pixel == three.pixel && one.map == three.map)
  }

  @Test("labels without places have no distance to probe")
  func words() {
    let space = ConditionerSpace.set(words: ["red", "blue"])
    let denoiser = ToyDenoiser(shape: PictureShape(size: 16, space: space), reach: 1)
    let pictures = ProbePictures(
      pictures: [Float](repeating: 0, count: 16 * 16 * 3), labels: [1, 0], k: 1)
    #expect(throws: NoPlaces(space)) {
      try probeLocality(
        denoiser, pictures, ProbeSettings(sigmas: [1], pixelsPerPicture: 1), seed: 1, threads: 1)
    }
  }
}
