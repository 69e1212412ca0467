/// What a command takes: a struct whose members are `@Positional`s, `@Option`s and `@Flag`s.
///
/// Each is declared once, with its name, range, default and help, and read as a typed value. So what is
/// declared is in `--help`, in the manual and in the completions, and what is not cannot be asked for.
protocol CommandOptions {
  init()
}

/// For commands that take nothing.
struct NoOptions: CommandOptions {}

extension CommandOptions {
  private var members: [Any] { Mirror(reflecting: self).children.map(\.value) }

  /// In the order of the members.
  var positionals: [PositionalDeclaration] {
    members.compactMap { ($0 as? any DeclaredPositional)?.declaration }
  }

  var options: [OptionDeclaration] {
    members.compactMap { ($0 as? any DeclaredOption)?.declaration }
  }

  /// Sets every member from the words that were given for it.
  func read(_ arguments: Arguments, of command: String) throws(UsageError) {
    var index = 0
    for member in members {
      switch member {
      case let positional as any DeclaredPositional:
        let words = arguments.positionals.dropFirst(index)
        try positional.read(
          Array(positional.declaration.repeats ? words : words.prefix(1)), of: command)
        index += 1
      case let option as any DeclaredOption:
        try option.read(arguments.all(option.declaration.name), of: command)
      default: break
      }
    }
  }
}

/// A member of options; `words` are what was given for it, in order, none if nothing was.
protocol DeclaredOption {
  var declaration: OptionDeclaration { get }
  func read(_ words: [String], of command: String) throws(UsageError)
}

protocol DeclaredPositional {
  var declaration: PositionalDeclaration { get }
  func read(_ words: [String], of command: String) throws(UsageError)
}

/// Where a value lies between reading and use: a mirror gives copies of members, which share it.
final class Slot<Value> {
  var value: Value

  init(_ value: Value) { self.value = value }
}

// MARK: - What many commands take

protocol StoreOptions: CommandOptions {
  var store: String? { get }
}

extension Flag {
  static var json: Flag { Flag("--json", "print JSON for programs") }
}

extension Option where Value == String? {
  static var store: Option {
    Option("--store", "DIR", shown: "$LOCUS_STORE, or data", "the store")
  }
}

extension Option where Value == String {
  static var reports: Option {
    Option("--reports", "DIR", default: "reports", "where reports go")
  }
}
