/// An argument without dashes.
@propertyWrapper
struct Positional<Value>: DeclaredPositional {
  let declaration: PositionalDeclaration
  private let slot: Slot<Value>
  private let reading: (String, _ command: String) throws(UsageError) -> Value

  var wrappedValue: Value { slot.value }

  /// One that several commands share.
  init(_ shared: Positional<Value>) { self = shared }

  private init(
    _ declaration: PositionalDeclaration, absent: Value,
    reading: @escaping (String, _ command: String) throws(UsageError) -> Value
  ) {
    self.declaration = declaration
    self.reading = reading
    slot = Slot(absent)
  }

  func read(_ word: String?, of command: String) throws(UsageError) {
    if let word { slot.value = try reading(word, command) }
  }
}

extension Positional where Value == String {
  /// - Parameter words: what completions offer.
  init(_ name: String, offers words: [String] = [], names: StoredNames? = nil, _ help: String) {
    self.init(
      PositionalDeclaration(name: name, values: words, names: names, help: help), absent: ""
    ) { word, _ throws(UsageError) in word }
  }

  init(_ name: String, default: String, names: StoredNames? = nil, _ help: String) {
    self.init(
      PositionalDeclaration(name: name, isOptional: true, names: names, help: help),
      absent: `default`
    ) { word, _ throws(UsageError) in word }
  }
}

extension Positional where Value == String? {
  init(_ name: String, names: StoredNames? = nil, _ help: String) {
    self.init(
      PositionalDeclaration(name: name, isOptional: true, names: names, help: help), absent: nil
    ) { word, _ throws(UsageError) in word }
  }
}

extension Positional where Value: Choice {
  init(_ name: String, default: Value) {
    let words = words(of: Value.self)
    self.init(
      PositionalDeclaration(
        name: name, isOptional: true, values: words,
        help: "\(listed(words)) (default: \(`default`.rawValue))"), absent: `default`,
      reading: Self.choice(among: words))
  }

  /// - Parameter placeholder: stands in a declaration, and is never read.
  init(_ name: String, placeholder: Value) {
    let words = words(of: Value.self)
    self.init(
      PositionalDeclaration(name: name, values: words, help: listed(words)), absent: placeholder,
      reading: Self.choice(among: words))
  }

  private static func choice(among words: [String])
    -> (String, _ command: String) throws(UsageError) -> Value
  {
    { word, command throws(UsageError) in
      if let value = Value(rawValue: word) { return value }
      throw .badValue(word, option: command, accepted: words.joined(separator: ", "))
    }
  }
}
