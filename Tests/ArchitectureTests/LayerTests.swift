import Foundation
import Testing

/// Proves that arrows point down only: what each module may import is written here, beside CONTRIBUTING's
/// picture of the layers, and nothing else is imported.
@Suite("Layers")
struct LayerTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// From the top down: a module imports only modules that stand below it, and of them only these.
  static let layers: [(module: String, imports: Set<String>)] = [
    (
      "locus",
      [
        "Reporting", "Experiments", "Measures", "Artifacts", "Benchmarks", "Evaluation", "Scenes",
        "Diffusion", "Tensors", "Workflow", "Lineage", "Statistics", "Streams", "Formats",
      ]
    ),
    (
      "Reporting",
      [
        "Measures", "Artifacts", "Evaluation", "Interventions", "Probing", "Diffusion", "Workflow",
        "Lineage", "Statistics", "Formats",
      ]
    ),
    ("Benchmarks", ["Diffusion", "Tensors", "Vectors", "Streams", "Statistics", "Formats"]),
    (
      "Experiments",
      [
        "Measures", "Artifacts", "Evaluation", "Interventions", "Probing", "Analytic", "Theory",
        "External", "Features", "Scenes", "Diffusion", "Vectors", "Workflow", "Lineage",
        "Statistics", "Streams", "Formats",
      ]
    ),
    ("Measures", ["Lineage", "Statistics", "Formats"]),
    (
      "Artifacts",
      [
        "Evaluation", "Interventions", "Probing", "Analytic", "External", "Features", "Scenes",
        "Diffusion",
        "Workflow", "Lineage", "Formats",
      ]
    ),
    (
      "Evaluation",
      ["Scenes", "Diffusion", "Tensors", "Vectors", "Statistics", "Streams", "Formats"]
    ),
    ("Interventions", ["Features", "Diffusion", "Streams", "Formats"]),
    ("Probing", ["Diffusion", "Statistics", "Streams", "Formats"]),
    ("Analytic", ["Diffusion", "Tensors", "Vectors", "Streams", "Formats"]),
    ("Theory", ["Features", "Statistics", "Streams", "Formats"]),
    ("Features", ["Statistics", "Streams", "Formats"]),
    ("External", ["Diffusion", "Streams", "Formats"]),
    ("Scenes", ["Streams", "Formats"]),
    ("Diffusion", ["Tensors", "Vectors", "Streams", "Formats"]),
    ("Tensors", ["Vectors", "Streams", "Formats"]),
    ("Vectors", []),
    ("Workflow", ["Lineage", "Statistics", "Streams", "Formats"]),
    ("Lineage", ["CSQLite", "Streams", "Formats"]),
    ("Statistics", ["Streams", "Formats"]),
    ("Streams", ["Formats"]),
    ("Formats", []),
  ]

  /// What the system and the toolchain bring. Not Dispatch: it ends the process when a file of `/proc` about
  /// one of its threads cannot be opened, for want of descriptors too.
  static let system: Set<String> = [
    "Foundation", "Synchronization", "Glibc", "Musl", "Darwin",
  ]

  static func files(under folder: String) throws -> [URL] {
    let found = FileManager.default.enumerator(
      at: root.appending(path: folder), includingPropertiesForKeys: nil)
    return (found?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }
      .sorted { $0.path < $1.path }
  }

  static func lines(_ file: URL) throws -> [Substring] {
    try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test("the picture has no arrow up")
  func down() {
    let order = Self.layers.map(\.module)
    for (position, layer) in Self.layers.enumerated() {
      for imported in layer.imports where imported != "CSQLite" {
        let other = order.firstIndex(of: imported)
        #expect(other.map { $0 > position } == true, "\(layer.module) → \(imported)")
      }
    }
  }

  @Test("every module is in the picture")
  func complete() throws {
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appending(path: "Sources").path)
    let known = Set(Self.layers.map(\.module)).union(["CSQLite"])
    #expect(Set(folders).isSubset(of: known), "\(Set(folders).subtracting(known).sorted())")
  }

  @Test("nothing is imported against the arrows", arguments: LayerTests.layers.map(\.module))
  func imports(module: String) throws {
    let allowed = Self.layers.first { $0.module == module }?.imports ?? []
    for file in try Self.files(under: "Sources/\(module)") {
      for line in try Self.lines(file) {
        let words = line.split(separator: " ")
        guard words.count >= 2, let place = words.firstIndex(of: "import"), place <= 1,
          place == 0 || words[0].hasPrefix("@")
        else { continue }
        let name = String(words[place + 1])
        #expect(
          allowed.contains(name) || Self.system.contains(name),
          "\(file.lastPathComponent) imports \(name); \(module) may import \(allowed.sorted())")
      }
    }
  }

  @Test("text is escaped in one place: nobody else replaces what a syntax takes for a mark")
  func escaping() throws {
    let pattern = /replacing(Occurrences)?\((of: )?"\\?["'%|<>&*`$#-]/
    for file in try Self.files(under: "Sources")
    where !file.lastPathComponent.hasPrefix("Escape") {
      for (number, line) in try Self.lines(file).enumerated() where line.contains(pattern) {
        Issue.record("\(file.lastPathComponent):\(number + 1): \(line)")
      }
    }
  }

  @Test("rows are read by the names of their columns")
  func positions() throws {
    let pattern = /\brow\[\d+\]|\.rows\.first\?\[\d|\$0\[\d+\]\.(text|number|integer)/
    for file in try Self.files(under: "Sources") {
      for (number, line) in try Self.lines(file).enumerated() where line.contains(pattern) {
        Issue.record("\(file.lastPathComponent):\(number + 1): \(line)")
      }
    }
  }
}
