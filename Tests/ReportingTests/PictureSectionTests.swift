import Lineage
import Measures
import Testing

@testable import Reporting

/// Proves that a model is one row, whatever its seeds, and that what is measured twice is told apart.
@Suite("Pictures and what decides their count")
struct PictureSectionTests {
  private func page(_ section: any Section) -> String {
    MarkdownRenderer(section.blocks, pictureFolder: "pictures").text
  }

  @Test("the page of a run of a part says how much of the pipeline it is about")
  func part() throws {
    let fixture = try ReportFixture.study()
    #expect(!page(try HeaderSection(fixture.data)).contains("A part of the pipeline"))
    try fixture.store.recordEvent(
      runID: fixture.run, executionID: nil, level: "info",
      message: RunRecord.partial + "4 of 9 stages")
    #expect(
      page(try HeaderSection(fixture.data)).contains(
        "**A part of the pipeline alone:** 4 of 9 stages."))
  }

  @Test("seeds are averaged, and above what halves give is counted seed by seed")
  func seeds() throws {
    let fixture = try ReportFixture.replicated(
      [(mask: Double, control: Double)](repeating: (0.2, 0), count: 3))
    let (scenes, judge) = (
      try #require(fixture.made["scenes"]), try #require(fixture.made["judge"])
    )
    for (seed, value) in [(1, 1.0), (2, 2), (3, 6)] {
      let binding = "[seed=\(seed),labelling=all]"
      let evaluation = try #require(
        fixture.made["baseline_all_evaluated[seed=\(seed)]"])
      try fixture.quality(
        "quality[seed=\(seed)]", of: evaluation, scenes, judge, frechet: value)
      try fixture.variance(
        "variance[seed=\(seed)]", of: try #require(fixture.made["baseline\(binding)"]), judge,
        noise: 0.1 * value)
    }
    let quality = page(try PictureQualitySection(fixture.data))
    let row = try #require(
      quality.split(separator: "\n").first { $0.contains("labelling=all") })
    #expect(!row.contains("seed="))
    // (1 + 2 + 6) / 3; two of three lie above 1.3; 3 · 24 pictures.
    #expect(row.contains("| 3.00 ["))
    #expect(row.contains("| 1.00 [0.70, 1.30] | 2 of 3 | 72 |"))
    let split = page(try VarianceSection(fixture.data))
    let shares = try #require(split.split(separator: "\n").first { $0.contains("labelling=all") })
    // (0.1 + 0.2 + 0.6) / 3 by Student's t of three.
    #expect(shares.contains("| 0.30 [-0.36, 0.96] |") || shares.contains("| 0.30 [−0.36, 0.96] |"))
    #expect(shares.contains("| 192 |"))
  }

  @Test("two looks at one model have the names of their stages")
  func twice() throws {
    let fixture = try ReportFixture.study()
    try fixture.pictures()
    let evaluation = try #require(fixture.made["all_evaluated"])
    try fixture.quality(
      "again", of: evaluation, try #require(fixture.made["scenes"]),
      try #require(fixture.made["judge"]), frechet: 3)
    let names = try ModelNumbers(
      fixture.data.ask(ModelNumber.quality(fixture.run))
    ).models.map(\.label)
    #expect(
      names == [
        "baseline[labelling=all], all_quality", "baseline[labelling=single]",
        "baseline[labelling=all], again",
      ])
  }

  @Test("a run without such stages has no such sections")
  func none() throws {
    let data = try ReportFixture.study().data
    #expect(page(try PictureQualitySection(data)).isEmpty)
    #expect(page(try VarianceSection(data)).isEmpty)
  }
}
