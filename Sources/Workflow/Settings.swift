import Formats
import Foundation

/// The settings of a kind: a struct whose members are `@Setting`s, declared once with their type, range,
/// default, unit and help, and read as typed values.
///
/// The names in a pipeline file are those of the members, `learning_rate` for `learningRate`.
package protocol Settings: Decodable, Sendable {
  /// For its declarations alone: values are placeholders.
  init()
}

extension Settings {
  /// What a pipeline file may give, in the order of the members.
  package static var parameters: [Parameter] {
    Mirror(reflecting: Self()).children.compactMap { child in
      guard let setting = child.value as? any DeclaredSetting, let label = child.label else {
        return nil
      }
      // A wrapped member is stored under its name with an underscore.
      return setting.parameter(named: snakeCase(label.drop { $0 == "_" }))
    }
  }

  /// - Parameter normalised: what the reader of pipeline files made of them.
  /// - Throws: `DecodingError` for what is not normalised: a fault of the program.
  package init(normalised: JSONValue) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let whole = Self.parameters.withLate(normalised)
    self = try decoder.decode(Self.self, from: Data(whole.canonicalText().utf8))
  }
}

extension [Parameter] {
  /// Normalised parameters with the late ones that were left out.
  fileprivate func withLate(_ value: JSONValue) -> JSONValue {
    guard case .object(var members) = value else { return value }
    for parameter in self {
      if let member = members[parameter.name] {
        members[parameter.name] = parameter.type.withLate(member)
      } else if parameter.isLate {
        members[parameter.name] = parameter.defaultValue
      }
    }
    return .object(members)
  }
}

extension ParameterType {
  fileprivate func withLate(_ value: JSONValue) -> JSONValue {
    switch self {
    case .object(let parameters): parameters.withLate(value)
    case .variant(let tag, let cases):
      value[tag]?.string.flatMap { cases[$0] }?.withLate(value) ?? value
    case .bool, .text, .integer, .number, .choice, .list: value
    }
  }
}

/// No settings.
package struct NoSettings: Settings {
  package init() {}
}

/// Settings of which a tag decides which others there are, such as `network: { type: "unet", … }`.
package protocol SettingVariant: Decodable, Sendable {
  /// The member of the object that decides.
  static var tag: String { get }
  /// The other members by the word that the tag may be.
  static var cases: [String: [Parameter]] { get }
  /// For a declaration: never read.
  static var placeholder: Self { get }
}

/// One setting: its declaration where it was declared, its value where it was read.
@propertyWrapper
package struct Setting<Value: Decodable & Sendable>: Sendable, Decodable {
  private var declaration: Declaration?
  private var value: Value

  private struct Declaration: Sendable {
    var type: ParameterType
    var defaultValue: JSONValue?
    var unit: String?
    var help: String
    var isLate: Bool
    var isBudget: Bool
  }

  package var wrappedValue: Value { value }
  package var projectedValue: Setting<Value> { self }

  /// A declaration that several kinds share.
  package init(_ shared: Setting<Value>) { self = shared }

  package init(from decoder: any Decoder) throws {
    value = try decoder.singleValueContainer().decode(Value.self)
  }

  private init(
    _ type: ParameterType, _ placeholder: Value, _ defaultValue: JSONValue?, _ unit: String?,
    _ help: String, isLate: Bool, isBudget: Bool = false
  ) {
    declaration = Declaration(
      type: type, defaultValue: defaultValue, unit: unit, help: help, isLate: isLate,
      isBudget: isBudget)
    value = placeholder
  }
}

// MARK: - What can be declared

// Without a default a setting is required. `isLate`: at its default it does not enter keys. `isBudget`: a
// pipeline's `scale` multiplies it.

extension Setting where Value == Int {
  package init(
    _ range: ClosedRange<Int>, default: Int? = nil, unit: String? = nil, isLate: Bool = false,
    isBudget: Bool = false, _ help: String
  ) {
    self.init(
      .integer(range), range.lowerBound, `default`.map(JSONValue.integer), unit, help,
      isLate: isLate, isBudget: isBudget)
  }
}

extension Setting where Value == Double {
  package init(
    _ range: ClosedRange<Double>, default: Double? = nil, unit: String? = nil,
    isLate: Bool = false, _ help: String
  ) {
    self.init(
      .number(range), range.lowerBound, `default`.map(JSONValue.number), unit, help,
      isLate: isLate)
  }
}

extension Setting where Value == Bool {
  package init(default: Bool, isLate: Bool = false, _ help: String) {
    self.init(.bool, `default`, .bool(`default`), nil, help, isLate: isLate)
  }
}

extension Setting where Value == String {
  package init(_ help: String) { self.init(.text, "", nil, nil, help, isLate: false) }

  package init(default: String, isLate: Bool = false, _ help: String) {
    self.init(.text, "", .string(`default`), nil, help, isLate: isLate)
  }
}

extension Setting {
  /// Any of some words, each as often as it is given.
  package init<Word: RawRepresentable & CaseIterable>(any: Word.Type, _ help: String)
  where Value == [Word], Word.RawValue == String {
    let words = Word.allCases.map(\.rawValue)
    self.init(
      .list(.choice(words), count: 0...words.count), [], .array([]), nil, help, isLate: false)
  }
}

extension Setting where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// - Parameter placeholder: stands in a declaration without a default, and is never read.
  package init(default: Value, isLate: Bool = false, _ help: String) {
    self.init(
      Self.choice, `default`, .string(`default`.rawValue), nil, help, isLate: isLate)
  }

  package init(required placeholder: Value, _ help: String) {
    self.init(Self.choice, placeholder, nil, nil, help, isLate: false)
  }

  private static var choice: ParameterType { .choice(Value.allCases.map(\.rawValue)) }
}

extension Setting where Value == [Int] {
  package init(
    each range: ClosedRange<Int>, count: ClosedRange<Int>, default: [Int]? = nil,
    unit: String? = nil, isLate: Bool = false, isBudget: Bool = false, _ help: String
  ) {
    self.init(
      .list(.integer(range), count: count), [],
      `default`.map { .array($0.map(JSONValue.integer)) }, unit, help, isLate: isLate,
      isBudget: isBudget)
  }
}

extension Setting where Value == [Double] {
  package init(
    each range: ClosedRange<Double>, count: ClosedRange<Int>, default: [Double]? = nil,
    unit: String? = nil, isLate: Bool = false, _ help: String
  ) {
    self.init(
      .list(.number(range), count: count), [], `default`.map { .array($0.map(JSONValue.number)) },
      unit, help, isLate: isLate)
  }
}

extension Setting where Value == [String] {
  /// Texts; a member that `outside` declares names a file or folder by each of them.
  package init(count: ClosedRange<Int>, default: [String]? = nil, _ help: String) {
    self.init(
      .list(.text, count: count), [], `default`.map { .array($0.map(JSONValue.string)) }, nil, help,
      isLate: false)
  }
}

extension Setting where Value == [[Double]] {
  package init(
    each range: ClosedRange<Double>, columns: ClosedRange<Int>, rows: ClosedRange<Int>,
    default: [[Double]], unit: String? = nil, _ help: String
  ) {
    self.init(
      .list(.list(.number(range), count: columns), count: rows), [],
      .array(`default`.map { .array($0.map(JSONValue.number)) }), unit, help, isLate: false)
  }
}

extension Setting where Value == [[String]] {
  package init(
    columns: ClosedRange<Int>, rows: ClosedRange<Int>, default: [[String]], isLate: Bool = false,
    _ help: String
  ) {
    self.init(
      .list(.list(.text, count: columns), count: rows), [],
      .array(`default`.map { .array($0.map(JSONValue.string)) }), nil, help, isLate: isLate)
  }
}

extension Setting where Value: SettingVariant {
  package init(_ help: String) {
    self.init(
      .variant(tag: Value.tag, cases: Value.cases), Value.placeholder, nil, nil, help,
      isLate: false)
  }
}

// MARK: - Between a declaration and its name

private protocol DeclaredSetting {
  /// `nil` for one that was read, not declared.
  func parameter(named name: String) -> Parameter?
}

extension Setting: DeclaredSetting {
  fileprivate func parameter(named name: String) -> Parameter? {
    declaration.map {
      Parameter(
        name, $0.type, default: $0.defaultValue, unit: $0.unit, help: $0.help, isLate: $0.isLate,
        isBudget: $0.isBudget)
    }
  }
}

/// `learning_rate` for `learningRate`, the inverse of what the decoder does.
private func snakeCase(_ name: some StringProtocol) -> String {
  name.reduce(into: "") { result, character in
    if character.isUppercase { result += "_" }
    result += character.lowercased()
  }
}
