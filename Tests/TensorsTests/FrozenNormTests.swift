import Testing

@testable import Tensors

@Suite("Norms with given statistics, attention to its own place")
struct FrozenNormTests {
  private func harness(freezes: Bool) throws -> GraphHarness {
    var builder = GraphBuilder(freezesGroups: freezes)
    let x = builder.input(height: 5, width: 7, channels: 12)
    let y = builder.normalization(x, .group(4), silu: true, name: "norm")
    return try GraphHarness(builder.build(output: y), inputs: [x])
  }

  private func output(_ harness: GraphHarness) -> [Float] {
    _ = harness.loss(harness.weights, harness.data)
    var output = [Float](repeating: 0, count: harness.cotangent.count)
    harness.workspace.read(harness.graph.output, into: &output)
    return output
  }

  @Test("a picture's own statistics change nothing, others do; parameters lie where they lay")
  func ownStatistics() throws {
    let (plain, frozen) = (try harness(freezes: false), try harness(freezes: true))
    #expect(plain.graph.parameters == frozen.graph.parameters)
    let expected = output(plain)
    let norm = try #require(plain.graph.groupNorms.first)
    #expect(!norm.isFrozen)
    var moments = plain.workspace.moments(of: norm)
    let given = try #require(frozen.graph.groupNorms.first)
    frozen.workspace.freeze(given, at: moments)
    #expect(zip(output(frozen), expected).allSatisfy { abs($0 - $1) < 1e-5 })
    moments.variances[2] *= 2
    frozen.workspace.freeze(given, at: moments)
    let changed = zip(output(frozen), expected).map { abs($0 - $1) > 1e-4 }
    // Channels 6 to 8 are those of the third group.
    #expect(changed.indices.allSatisfy { !changed[$0] || (6..<9).contains($0 % 12) })
    #expect(changed.contains(true))
  }

  @Test("by definition the moments are means and variances of groups")
  func moments() throws {
    let harness = try harness(freezes: false)
    _ = output(harness)
    let found = harness.workspace.moments(of: try #require(harness.graph.groupNorms.first))
    for g in 0..<4 {
      let members = harness.data[0].indices.filter { $0 % 12 / 3 == g }
        .map { Double(harness.data[0][$0]) }
      let mean = members.reduce(0, +) / Double(members.count)
      let variance = members.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(members.count)
      #expect(abs(Double(found.means[g]) - mean) < 1e-5)
      #expect(abs(Double(found.variances[g]) - variance) < 1e-5)
    }
  }

  @Test("attention that is cut gives each place its own value")
  func ownPlace() throws {
    var builder = GraphBuilder(cutsAttention: true)
    let x = builder.input(height: 3, width: 4, channels: 15)
    let y = builder.attention(x)
    let harness = try GraphHarness(builder.build(output: y), inputs: [x])
    let expected = (0..<12).flatMap { harness.data[0][$0 * 15 + 10..<($0 + 1) * 15] }
    #expect(output(harness) == expected)
  }
}
