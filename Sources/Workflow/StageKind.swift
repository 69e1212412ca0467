import Formats
import Synchronization

/// What flows between stages, by name: a kind makes one type and accepts some.
///
/// Workflow knows no type; whoever supplies the kinds declares them, once.
package struct ArtifactType: Sendable, Hashable, CustomStringConvertible {
  package let name: String
  package init(_ name: String) { self.name = name }
  package var description: String { name }
}

/// What a kind of stage is: its parameters, its inputs, what it makes, and the work itself.
///
/// Workflow knows nothing else of a kind. `Experiments` supplies one value a kind.
package struct StageKind: Sendable {
  /// The word after `kind:` in a pipeline file.
  package var name: String
  /// Raised by hand when the same parameters and inputs give other results.
  package var version: Int
  /// One sentence for `--help`.
  package var summary: String
  /// Asked of its settings when they are first needed: a pipeline uses few kinds.
  package var parameters: [Parameter] { declared.parameters }
  private let declared: DeclaredParameters
  package var inputs: [InputDeclaration]
  package var produces: ArtifactType
  /// The instruction set and the mathematical library that compute its results, whose last bits others
  /// round otherwise; `nil`: not recorded.
  package var instructions: String?
  /// Whether a seed has a part in its results; without one, equal parameters and inputs are enough.
  package var isSeeded: Bool
  /// Checks that span several parameters; runs before any work, on normalised parameters.
  package var check: @Sendable (JSONValue) -> [ParameterProblem]
  /// Checks against what is known of the inputs before they are made.
  package var checkInputs: @Sendable (JSONValue, Upstream) -> [ParameterProblem]
  /// What is known of the artifact before it is made, for those downstream to check against.
  package var foresee: @Sendable (JSONValue, Upstream) -> JSONValue
  /// Objects that its parameters name and the store must hold before any work; `nil`: never any.
  package var needs: (@Sendable (JSONValue) -> [NeededObject])?
  /// What these objects tell of the artifact, in the form of `foresee`; `nil`: nothing.
  package var inspect: (@Sendable (JSONValue, (String) -> StageFile) -> JSONValue)?
  /// What the work will be, where it follows from its inputs, in words for whoever asks before it begins; `nil`:
  /// nothing to tell.
  package var foretell: (@Sendable (JSONValue, [String: [StageInput]]) -> String?)?
  /// Parameters that name what lies outside of the store.
  package var outside: [OutsideDeclaration] = []
  package var run: @Sendable (StageContext) throws -> StageOutput

  package init(
    name: String, version: Int, summary: String,
    parameters: @autoclosure @escaping @Sendable () -> [Parameter],
    inputs: [InputDeclaration], produces: ArtifactType, isSeeded: Bool = true,
    check: @escaping @Sendable (JSONValue) -> [ParameterProblem] = { _ in [] },
    run: @escaping @Sendable (StageContext) throws -> StageOutput
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    declared = DeclaredParameters(parameters)
    self.inputs = inputs
    self.produces = produces
    self.isSeeded = isSeeded
    self.check = check
    checkInputs = { _, _ in [] }
    foresee = { _, _ in .null }
    needs = nil
    inspect = nil
    foretell = nil
    self.run = run
  }

  /// A kind whose settings are declared by a struct and read as one.
  ///
  /// - Parameters:
  ///   - check: faults that the settings alone show.
  ///   - checkInputs: faults that show beside what is known of the inputs.
  ///   - foresee: members of the manifest that are known before it is made.
  ///   - needs: objects that the store must hold.
  ///   - inspect: members of the manifest that these objects tell.
  ///   - foretell: what the work will be, told in a plan.
  ///   - outside: settings that name what lies outside of the store.
  ///   - memory: bytes that the work will hold at least, from settings and manifests: refused before it
  ///     begins where they are not to be had.
  package init<S: Settings>(
    name: String, version: Int, summary: String, settings: S.Type, inputs: [InputDeclaration],
    produces: ArtifactType, isSeeded: Bool = true,
    check: @escaping @Sendable (S) -> [ParameterProblem] = { _ in [] },
    checkInputs: @escaping @Sendable (S, Upstream) -> [ParameterProblem] = { _, _ in [] },
    foresee: @escaping @Sendable (S, Upstream) -> JSONValue = { _, _ in .null },
    needs: (@Sendable (S) -> [NeededObject])? = nil,
    inspect: (@Sendable (S, (String) -> StageFile) -> JSONValue)? = nil,
    foretell: (@Sendable (S, [String: [StageInput]]) -> String?)? = nil,
    outside: [OutsideDeclaration] = [],
    memory: @escaping @Sendable (S, StageContext) throws -> Int,
    run: @escaping @Sendable (S, StageContext) throws -> StageOutput
  ) {
    self.init(
      name: name, version: version, summary: summary, parameters: S.parameters, inputs: inputs,
      produces: produces, isSeeded: isSeeded,
      check: { (try? S(normalised: $0)).map(check) ?? [] },
      run: { context in
        let settings = try S(normalised: context.parameters)
        try Resources.check(memory: try memory(settings, context))
        return try run(settings, context)
      })
    self.outside = outside
    self.checkInputs = { parameters, upstream in
      (try? S(normalised: parameters)).map { checkInputs($0, upstream) } ?? []
    }
    self.foresee = { parameters, upstream in
      (try? S(normalised: parameters)).map { foresee($0, upstream) } ?? .null
    }
    if let foretell {
      self.foretell = { parameters, inputs in
        (try? S(normalised: parameters)).flatMap { foretell($0, inputs) }
      }
    }
    if let needs {
      self.needs = { parameters in (try? S(normalised: parameters)).map(needs) ?? [] }
    }
    if let inspect {
      self.inspect = { parameters, object in
        (try? S(normalised: parameters)).map { inspect($0, object) } ?? .null
      }
    }
  }
}

/// Made once, by whoever asks first.
private final class DeclaredParameters: Sendable {
  private let made = Mutex<[Parameter]?>(nil)
  private let make: @Sendable () -> [Parameter]

  init(_ make: @escaping @Sendable () -> [Parameter]) { self.make = make }

  var parameters: [Parameter] {
    made.withLock { made in
      if let made { return made }
      let parameters = make()
      made = parameters
      return parameters
    }
  }
}

/// An object that a stage takes from the store, though no stage of the pipeline makes it.
package struct NeededObject: Sendable, Hashable {
  package var sha256: String
  /// What it is and how to bring it in, for whoever lacks it.
  package var remedy: String

  package init(sha256: String, remedy: String) {
    self.sha256 = sha256
    self.remedy = remedy
  }
}

/// What is known of a stage's inputs before they are made: by role, what their kinds foresee.
package struct Upstream: Sendable, Hashable {
  private let foreseen: [String: [JSONValue]]

  package init(_ foreseen: [String: [JSONValue]]) { self.foreseen = foreseen }

  /// Of an input that takes one stage; `nil` where it is not given.
  package func one(_ role: String) -> JSONValue? { foreseen[role]?.first }
  package func all(_ role: String) -> [JSONValue] { foreseen[role] ?? [] }

  /// Which instance makes an input, and by what it computes; known where a store is at hand.
  struct Origin {
    var stage: String
    var numerics: String?

    /// What is foreseen of an artifact, with where it comes from: its members `stage` and `numerics`.
    static func told(by foreseen: JSONValue, of origin: Origin?) -> JSONValue {
      guard let origin, case .object(var members) = foreseen else { return foreseen }
      members["stage"] = .string(origin.stage)
      members["numerics"] = origin.numerics.map(JSONValue.string)
      return .object(members)
    }
  }
}

/// One parameter of a kind, with the range that is accepted.
package struct Parameter: Sendable {
  package var name: String
  package var type: ParameterType
  /// `nil`: the parameter is required.
  package var defaultValue: JSONValue?
  /// Of its values, for `--help`; `nil` for what has none, or says it.
  package var unit: String?
  /// What it means, for `--help` and errors.
  package var help: String
  /// Came when there were keys without it: at its default it is left out of normalised parameters, so that
  /// these keys stay what they were.
  package var isLate: Bool
  /// A number, or numbers, of which a small version of a pipeline has fewer: its `scale` multiplies them.
  package var isBudget: Bool

  package init(
    _ name: String, _ type: ParameterType, default: JSONValue? = nil, unit: String? = nil,
    help: String, isLate: Bool = false, isBudget: Bool = false
  ) {
    self.name = name
    self.type = type
    self.defaultValue = `default`
    self.unit = unit
    self.help = help
    self.isLate = isLate
    self.isBudget = isBudget
  }
}

/// The values that a parameter accepts.
package indirect enum ParameterType: Sendable {
  case bool
  case text
  case integer(ClosedRange<Int>)
  /// Finite numbers only.
  case number(ClosedRange<Double>)
  case choice([String])
  /// A list of `count` elements of one type.
  case list(ParameterType, count: ClosedRange<Int>)
  case object([Parameter])
  /// An object whose member `tag` decides which further members it takes.
  case variant(tag: String, cases: [String: [Parameter]])
}

/// An input that a kind takes, as named under `inputs:`.
package struct InputDeclaration: Sendable {
  package enum Arity: Sendable {
    case one
    case optional
    /// A list that gathers every instance of the stages it names.
    case many
    /// The same, which may be left out.
    case optionalMany

    package var isRequired: Bool { self == .one || self == .many }
    package var gathers: Bool { self == .many || self == .optionalMany }
  }
  package var role: String
  /// What it may be.
  package var accepts: [ArtifactType]
  package var arity: Arity
  package var help: String

  package init(_ role: String, accepts: [ArtifactType], arity: Arity = .one, help: String) {
    self.role = role
    self.accepts = accepts
    self.arity = arity
    self.help = help
  }

  func takes(_ kind: StageKind) -> Bool { accepts.contains(kind.produces) }

  /// The names of the kinds that make what is accepted.
  func kinds(among kinds: [StageKind]) -> [String] { kinds.filter(takes).map(\.name) }
}

/// A stage that does not fit what it is used with, as an object of the store tells.
package struct StageMisfit: Sendable, Hashable {
  package var stage: String
  package var problem: ParameterProblem
}

/// A fault that a kind's own `check` found: the path of the parameter, and what is accepted.
package struct ParameterProblem: Sendable, Hashable {
  /// As in the pipeline file, for example `network.width` or `inputs.judge`.
  package var path: String
  package var message: String

  package init(path: String, message: String) {
    self.path = path
    self.message = message
  }
}
