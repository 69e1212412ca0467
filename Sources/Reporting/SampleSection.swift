import Foundation

/// Generated pictures with the requested cells outlined.
enum SampleSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    page.heading("Samples")
    let grids = try data.files(kind: "evaluate", role: "grid")
    if grids.isEmpty {
      page.paragraph("No pictures were drawn.")
      return
    }
    page.paragraph(
      "A row a K (the number at its left), a column a layout; the same layouts and the same starting "
        + "noise in every grid. Outlined: the requested cells.")
    for (index, grid) in grids.enumerated() {
      guard let picture = try? Data(contentsOf: data.store.objectURL(grid.sha256)) else { continue }
      page.heading(Markdown.name(grid.stage), level: 4)
      page.picture(
        "samples-\(index + 1).png", picture, alternative: "Samples of \(grid.stage)")
    }
    page.query(
      "SELECT s.name, o.sha256 FROM stage s JOIN execution_output o USING (execution_id) "
        + "WHERE s.run_id = \(data.quotedRun) AND o.role = 'grid'")
  }
}
