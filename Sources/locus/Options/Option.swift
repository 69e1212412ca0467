import Formats
import Foundation
import Workflow

/// An option without a value.
@propertyWrapper
struct Flag: DeclaredOption {
  let declaration: OptionDeclaration
  private let slot: Slot<Bool>

  var wrappedValue: Bool { slot.value }

  init(_ name: String, _ help: String) {
    declaration = OptionDeclaration(name: name, help: help)
    slot = Slot(false)
  }

  /// One that several commands share.
  init(_ shared: Flag) { self = shared }

  func read(_ words: [String], of command: String) { slot.value = !words.isEmpty }
}

/// An option with a value: `--threads 2`.
@propertyWrapper
struct Option<Value>: DeclaredOption {
  typealias Reading = ([String]) throws(UsageError) -> Value

  let declaration: OptionDeclaration
  private let slot: Slot<Value>
  private let isRequired: Bool
  private let reading: Reading

  var wrappedValue: Value { slot.value }
  var projectedValue: Option<Value> { self }
  var name: String { declaration.name }

  /// One that several commands share.
  init(_ shared: Option<Value>) { self = shared }

  /// - Parameter absent: the value where none is given.
  private init(
    _ declaration: OptionDeclaration, absent: Value, isRequired: Bool = false,
    reading: @escaping Reading
  ) {
    self.declaration = declaration
    self.isRequired = isRequired
    self.reading = reading
    slot = Slot(absent)
  }

  func read(_ words: [String], of command: String) throws(UsageError) {
    if !words.isEmpty {
      slot.value = try reading(words)
    } else if isRequired {
      throw .missingArgument(
        "\(declaration.name) \(declaration.metavar ?? "")", help: declaration.help,
        command: command)
    }
  }
}

// MARK: - Numbers

extension Option where Value == Int {
  /// - Parameters:
  ///   - shown: the default in words, where its number says less.
  ///   - note: what follows the default in the help.
  init(
    _ name: String, _ metavar: String, in range: ClosedRange<Int>, showsRange: Bool = false,
    multipleOf factor: Int = 1, default: Int, shown: String? = nil, _ help: String,
    note: String = ""
  ) {
    let limits = showsRange ? ", \(range.lowerBound) to \(range.upperBound)" : ""
    let text = helpText(help + limits, default: shown ?? "\(`default`)") + note
    self.init(
      OptionDeclaration(name: name, metavar: metavar, help: text), absent: `default`
    ) { words throws(UsageError) in
      try integer(words[0], of: name, in: range, multipleOf: factor)
    }
  }

  /// Threads to work with.
  static func threads(_ help: String, note: String = "") -> Option {
    Option(
      "--threads", "N", in: threadRange, default: Resources.processors,
      shown: "all cores", help, note: note)
  }
}

extension Option where Value == Int? {
  /// Threads for somebody else to work with, who knows how many cores there are.
  static func threads(_ help: String) -> Option {
    Option("--threads", "N", shown: "all cores", help) { text throws(UsageError) in
      try integer(text, of: "--threads", in: threadRange)
    }
  }
}

private let threadRange = 1...1024

private func integer(
  _ text: String, of option: String, in range: ClosedRange<Int>, multipleOf factor: Int = 1
) throws(UsageError) -> Int {
  guard let value = Int(text), range.contains(value) else {
    throw .badValue(
      text, option: option, accepted: "an integer from \(range.lowerBound) to \(range.upperBound)")
  }
  if value % factor != 0 {
    throw .badValue(text, option: option, accepted: "a multiple of \(factor)")
  }
  return value
}

// MARK: - Words

extension Option where Value == String {
  init(_ name: String, _ metavar: String, default: String, _ help: String) {
    self.init(
      OptionDeclaration(name: name, metavar: metavar, help: helpText(help, default: `default`)),
      absent: `default`
    ) { words throws(UsageError) in words[0] }
  }

  init(required name: String, _ metavar: String, _ help: String) {
    self.init(
      OptionDeclaration(name: name, metavar: metavar, help: help), absent: "", isRequired: true
    ) { words throws(UsageError) in words[0] }
  }
}

extension Option where Value == String? {
  /// - Parameter words: what completions offer; whoever uses the value decides what it may be.
  init(
    _ name: String, _ metavar: String, offers words: [String] = [], shown: String? = nil,
    _ help: String
  ) {
    self.init(
      OptionDeclaration(
        name: name, metavar: metavar, help: helpText(help, default: shown), values: words),
      absent: nil
    ) { words throws(UsageError) in words[0] }
  }
}

extension Option {
  /// One that is read by a function.
  init<Read>(
    _ name: String, _ metavar: String, shown: String? = nil, _ help: String,
    reading: @escaping (String) throws(UsageError) -> Read
  ) where Value == Read? {
    self.init(
      OptionDeclaration(name: name, metavar: metavar, help: helpText(help, default: shown)),
      absent: nil
    ) { words throws(UsageError) in try reading(words[0]) }
  }

  /// One that may be given again and again.
  init<Read>(
    repeated name: String, _ metavar: String, _ help: String,
    reading: @escaping (String) throws(UsageError) -> Read
  ) where Value == [Read] {
    self.init(
      OptionDeclaration(name: name, metavar: metavar, help: help, repeats: true), absent: []
    ) { words throws(UsageError) in
      var values: Value = []
      for word in words { values.append(try reading(word)) }
      return values
    }
  }

  init(
    repeated name: String, _ metavar: String, names: StoredNames? = nil, _ help: String
  ) where Value == [String] {
    self.init(
      OptionDeclaration(name: name, metavar: metavar, help: help, repeats: true, names: names),
      absent: []
    ) { words throws(UsageError) in words }
  }
}

// MARK: - Choices

/// One of a few words.
typealias Choice = CaseIterable & RawRepresentable<String>

extension Option {
  /// - Parameter help: gets the words as a list, `unet or local`.
  init(
    _ name: String, _ metavar: String, default: Value, _ help: (String) -> String = { $0 }
  ) where Value: Choice {
    let words = words(of: Value.self)
    self.init(
      OptionDeclaration(
        name: name, metavar: metavar,
        help: helpText(help(listed(words)), default: `default`.rawValue), values: words),
      absent: `default`
    ) { given throws(UsageError) in try choice(given[0], of: name) }
  }

  init<Word: Choice>(
    _ name: String, _ metavar: String, shown: String? = nil, _ help: (String) -> String = { $0 }
  ) where Value == Word? {
    let words = words(of: Word.self)
    self.init(
      OptionDeclaration(
        name: name, metavar: metavar, help: helpText(help(listed(words)), default: shown),
        values: words),
      absent: nil
    ) { given throws(UsageError) in try choice(given[0], of: name) as Word }
  }
}

func words<Word: Choice>(of type: Word.Type) -> [String] { Word.allCases.map(\.rawValue) }

private func choice<Word: Choice>(_ text: String, of option: String) throws(UsageError) -> Word {
  if let value = Word(rawValue: text) { return value }
  let words = words(of: Word.self)
  let hint = closestMatch(text, in: words).map { " (did you mean `\($0)`?)" } ?? ""
  throw .badValue(text, option: option, accepted: words.joined(separator: ", ") + hint)
}

/// `a, b or c`.
func listed(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}

private func helpText(_ text: String, default: String?) -> String {
  text + (`default`.map { " (default: \($0))" } ?? "")
}
