/// An argument without dashes.
@propertyWrapper
struct Positional<Value>: DeclaredPositional {
  let declaration: PositionalDeclaration
  private let slot: Slot<Value>
  private let reading: ([String], _ command: String) throws(UsageError) -> Value

  var wrappedValue: Value { slot.value }

  /// One that several commands share.
  init(_ shared: Positional<Value>) { self = shared }

  private init(
    _ declaration: PositionalDeclaration, absent: Value,
    reading: @escaping ([String], _ command: String) throws(UsageError) -> Value
  ) {
    self.declaration = declaration
    self.reading = reading
    slot = Slot(absent)
  }

  func read(_ words: [String], of command: String) throws(UsageError) {
    if !words.isEmpty { slot.value = try reading(words, command) }
  }
}

extension Positional where Value == String {
  /// - Parameter words: what completions offer.
  init(_ name: String, offers words: [String] = [], names: StoredNames? = nil, _ help: String) {
    self.init(
      PositionalDeclaration(name: name, values: words, names: names, help: help), absent: ""
    ) { words, _ throws(UsageError) in words[0] }
  }

  init(_ name: String, default: String, names: StoredNames? = nil, _ help: String) {
    self.init(
      PositionalDeclaration(name: name, isOptional: true, names: names, help: help),
      absent: `default`
    ) { words, _ throws(UsageError) in words[0] }
  }
}

extension Positional where Value == [String] {
  /// The last of a command: one or more words.
  init(repeated name: String, names: StoredNames? = nil, _ help: String) {
    self.init(
      PositionalDeclaration(name: name, repeats: true, names: names, help: help), absent: []
    ) { words, _ throws(UsageError) in words }
  }
}

extension Positional where Value == String? {
  init(_ name: String, names: StoredNames? = nil, _ help: String) {
    self.init(
      PositionalDeclaration(name: name, isOptional: true, names: names, help: help), absent: nil
    ) { words, _ throws(UsageError) in words[0] }
  }
}

extension Positional where Value: Choice {
  /// - Parameter remedy: what another word may have been meant for.
  init(_ name: String, default: Value, remedy: String? = nil) {
    let words = words(of: Value.self)
    self.init(
      PositionalDeclaration(
        name: name, isOptional: true, values: words,
        help: "\(listed(words)) (default: \(`default`.rawValue))"), absent: `default`,
      reading: Self.choice(name, among: words, remedy))
  }

  /// - Parameter placeholder: stands in a declaration, and is never read.
  init(_ name: String, placeholder: Value) {
    let words = words(of: Value.self)
    self.init(
      PositionalDeclaration(name: name, values: words, help: listed(words)), absent: placeholder,
      reading: Self.choice(name, among: words))
  }

  private static func choice(_ name: String, among accepted: [String], _ remedy: String? = nil)
    -> ([String], _ command: String) throws(UsageError) -> Value
  {
    { words, command throws(UsageError) in
      if let value = Value(rawValue: words[0]) { return value }
      throw .badArgument(words[0], name: name, command: command, known: accepted, remedy: remedy)
    }
  }
}
