import Formats
import Foundation

/// A pipeline that was read, checked and expanded: everything in it can run.
package struct Pipeline: Sendable {
  package var name: String
  package var question: String
  package var seed: UInt64
  /// Where the file lies, as the user named it.
  package var path: String
  package var source: String
  /// In topological order: the inputs of an instance precede it.
  package var instances: [StageInstance]
  package var replication: Replication?
  /// Where the file says that it runs, for stages that do not say otherwise.
  package var executor: ExecutorOptions

  package init(
    name: String, question: String, seed: UInt64, path: String, source: String,
    instances: [StageInstance], replication: Replication? = nil,
    executor: ExecutorOptions = ExecutorOptions()
  ) {
    self.name = name
    self.question = question
    self.seed = seed
    self.path = path
    self.source = source
    self.instances = instances
    self.replication = replication
    self.executor = executor
  }
}

extension Pipeline {
  /// From which paths in the file count.
  var folder: URL { URL(filePath: path).deletingLastPathComponent() }
}

/// One stage with one value for each axis of its matrix.
package struct StageInstance: Sendable {
  package var stage: String
  /// Inherited axes first, then the stage's own.
  package var bindings: [Binding]
  package var kind: StageKind
  /// Normalised: every default filled in.
  package var parameters: JSONValue
  package var seed: UInt64
  /// By role, positions in `Pipeline.instances`, all smaller than the instance's own.
  package var inputs: [String: [Int]]
  /// In a plan's steps: what lies outside, by the parameter that names it.
  var outside: [String: OutsideContent] = [:]
  /// No part of its key.
  package var executor = ExecutorOptions()

  /// A stage without inputs and without a matrix.
  package init(stage: String, kind: StageKind, parameters: JSONValue, seed: UInt64) {
    self.init(
      stage: stage, bindings: [], kind: kind, parameters: parameters, seed: seed, inputs: [:])
  }

  init(
    stage: String, bindings: [Binding], kind: StageKind, parameters: JSONValue, seed: UInt64,
    inputs: [String: [Int]]
  ) {
    self.stage = stage
    self.bindings = bindings
    self.kind = kind
    self.parameters = parameters
    self.seed = seed
    self.inputs = inputs
  }

  /// `baseline[labelling=single]`.
  package var name: String { StageReference(stage: stage, bindings: bindings).name }
}

/// A stage as it stands in the file, before its matrix is expanded.
struct StageDraft {
  struct Input {
    var role: InputDeclaration
    var references: [Reference]
    var position: SourcePosition
  }
  struct Reference {
    var target: StageReference
    var position: SourcePosition
    var path: String
  }
  struct Axis {
    var name: String
    var values: [Value]
    /// Given by `replicate`, not by the stage's own matrix.
    var isReplicated = false

    struct Value {
      var label: String
      var node: JSONNode
    }
  }
  struct Exclusion {
    var bindings: [(binding: Binding, position: SourcePosition)]
    var position: SourcePosition
    var path: String
  }
  /// The parameters of one combination of the stage's own axes.
  struct Combination {
    var bindings: [Binding]
    var parameters: JSONValue
    var seed: UInt64
    /// As they stand in the file, for the places of faults.
    var members: [JSONMember]
  }

  var name: String
  var position: SourcePosition
  /// `nil` when the kind is unknown.
  var kind: StageKind?
  var inputs: [Input] = []
  var axes: [Axis] = []
  var exclusions: [Exclusion] = []
  var combinations: [Combination] = []
  var executor = ExecutorOptions()

  var path: String { "stages.\(name)" }

  /// Where a fault of an instance stands: the input or the parameter that its path names, else the stage.
  func position(of path: String, in instance: StageInstance) -> SourcePosition {
    if let input = inputs.first(where: { "inputs.\($0.role.role)" == path }) {
      return input.position
    }
    let combination = combinations.first { $0.parameters == instance.parameters }
    return combination.flatMap { find(deepest: path, in: $0.members) } ?? position
  }
}
