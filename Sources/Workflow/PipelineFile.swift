import Formats
import Foundation

extension Pipeline {
  /// A pipeline file is written by hand: more than this is something else.
  package static let sizeLimit = 4 << 20

  /// Reads and checks a pipeline file. Throws every problem of it at once.
  ///
  /// - Parameter overrides: `seed=7`, `scale=0.01`, `replicate.to=20` or `stage.parameter=value`, checked as if
  ///   they stood in the file.
  package static func read(
    path: String, kinds: [StageKind], overrides: [String] = [],
    extensions: [PipelineExtension] = []
  ) throws(WorkflowError) -> Pipeline {
    try parse(
      bytes: bytes(of: path), path: path, kinds: kinds, overrides: overrides,
      extensions: extensions)
  }

  /// - Parameters:
  ///   - replicates: how many of a file with `replicate`; `nil`: its `from`.
  ///   - extensions: further keys of the file, and what is right in them.
  package static func parse(
    bytes: [UInt8], path: String, kinds: [StageKind], overrides: [String] = [],
    replicates: Int? = nil, extensions: [PipelineExtension] = []
  ) throws(WorkflowError) -> Pipeline {
    func refuse(_ fault: PipelineFault, at position: SourcePosition) -> WorkflowError {
      .invalid(
        file: path, problems: [PipelineProblem(position: position, path: "", fault: fault)])
    }
    let start = SourcePosition(line: 1, column: 1)
    if bytes.count > sizeLimit { throw refuse(.tooLarge(limit: sizeLimit), at: start) }
    guard let source = String(validating: bytes, as: UTF8.self) else {
      throw refuse(.notUTF8, at: start)
    }
    if source.allSatisfy(\.isWhitespace) { throw refuse(.empty, at: start) }
    var root: JSONNode
    do {
      root = try JSON5.parse(bytes)
    } catch {
      throw refuse(.syntax(error.message), at: error.position)
    }
    let changes = try overrides.map { text throws(WorkflowError) in try Override(text) }
    for change in changes { root = try change.applied(to: root, file: path) }

    var reader = PipelineReader(kinds: kinds, replicates: replicates, extensions: extensions)
    let draft = reader.read(root)
    var expansion = MatrixExpansion(
      stages: draft.stages, kinds: kinds, list: reader.parameters.list)
    expansion.run()
    // What names instances can be checked only when these are known.
    let extended =
      expansion.list.problems.isEmpty
      ? reader.extensionDrafts.flatMap { $0.problems(StageInstances(expansion)) } : []
    let problems = (expansion.list.problems + extended).map { problem in
      var problem = problem
      problem.override = changes.last { $0.covers(problem.path) }?.text
      return problem
    }
    guard problems.isEmpty, let name = draft.name, let question = draft.question,
      let seed = draft.seed
    else {
      throw .invalid(file: path, problems: problems.sorted(by: precedes))
    }
    return Pipeline(
      name: name, question: question, seed: seed, path: path, source: source,
      instances: expansion.instances, replication: reader.replication,
      executor: ExecutorOptions(reader.executor))
  }

  private static func precedes(_ first: PipelineProblem, _ second: PipelineProblem) -> Bool {
    let orders = [first, second].map {
      ($0.override == nil ? 0 : 1, $0.position.line, $0.position.column, $0.path)
    }
    return orders[0] < orders[1]
  }

  /// At most one byte more than the limit is read, so that an endless file is refused too.
  private static func bytes(of path: String) throws(WorkflowError) -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missingFile(path)
    }
    if isFolder.boolValue { throw .isFolder(path) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .unreadable(path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= sizeLimit {
      let count = Foundation.read(descriptor, &chunk, chunk.count)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw .unreadable(path, reason: String(cString: strerror(errno)))
      }
      bytes += chunk[..<count]
    }
    return bytes
  }
}

/// `--set baseline.network.width=32`: a value put into the file's tree before it is checked.
struct Override {
  /// As typed.
  let text: String
  /// `["stages", "baseline", "network", "width"]`.
  let path: [String]
  let value: JSONNode

  init(_ text: String) throws(WorkflowError) {
    self.text = text
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      .map(String.init)
    guard sides.count == 2 else { throw .badOverride(text, reason: "there is no `=`") }
    let steps = sides[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard !steps.contains("") else { throw .badOverride(text, reason: "no key is named") }
    if steps == ["seed"] || steps == [PipelineScale.key]
      || ["replicate", ExecutorOptions.key].contains(steps[0]) && steps.count > 1
    {
      path = steps
    } else if steps.count > 1 {
      path = ["stages"] + steps
    } else {
      throw .badOverride(text, reason: "`\(sides[0])` is no key of a stage")
    }
    do {
      value = try JSON5.parse(Array(sides[1].utf8))
    } catch {
      // Quotation marks rarely survive a shell: a bare word stands for a text.
      guard label(of: JSONNode(value: .string(sides[1]), position: error.position)) != nil else {
        throw .badOverride(text, reason: "the value is not JSON5: \(error.message)")
      }
      value = JSONNode(value: .string(sides[1]), position: error.position)
    }
  }

  /// A stage must exist already: an override changes an experiment, it does not invent one.
  func applied(to root: JSONNode, file: String) throws(WorkflowError) -> JSONNode {
    guard case .object(let members) = root.value else { return root }
    if let problem = obstacle(in: root) { throw .invalid(file: file, problems: [problem]) }
    if path.count > 1, path[0] == "stages" {
      guard
        case .object(let stages)? = members.first(where: { $0.key == "stages" })?.value.value
      else { return root }
      let names = stages.map(\.key)
      guard names.contains(path[1]) else {
        throw .badSelection(option: "--set", name: path[1], known: names)
      }
    }
    return JSONNode(
      value: .object(setting(value, at: path, in: members)), position: root.position)
  }

  /// What stands where an object with the named key would have to be, if something else does.
  private func obstacle(in root: JSONNode) -> PipelineProblem? {
    var node = root
    for (depth, key) in path.enumerated() {
      guard case .object(let members) = node.value else {
        return PipelineProblem(
          position: node.position, override: text, path: path[..<depth].joined(separator: "."),
          fault: .hasNoKeys(found: description(of: node), key: key))
      }
      guard let next = members.first(where: { $0.key == key }) else { return nil }
      node = next.value
    }
    return nil
  }

  /// Whether a problem at this path lies in what the override put there.
  func covers(_ problemPath: String) -> Bool {
    let own = path.joined(separator: ".")
    return problemPath == own || problemPath.hasPrefix("\(own).")
      || problemPath.hasPrefix("\(own)[")
  }
}
