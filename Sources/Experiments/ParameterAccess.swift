import Formats
import Workflow

/// A parameter or an input that Workflow should have supplied: a fault of the program.
public struct StageFault: Error, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }
}

/// Typed access to normalised parameters by dotted path; the plan has checked types and ranges.
extension JSONValue {
  func at(_ path: String) throws -> JSONValue {
    var value = self
    for key in path.split(separator: ".") {
      guard let member = value[String(key)] else {
        throw StageFault("parameter \(path) is missing after normalisation")
      }
      value = member
    }
    return value
  }

  func integer(_ path: String) throws -> Int {
    guard let value = try at(path).integer else { throw wrongType(path, "a whole number") }
    return value
  }

  func number(_ path: String) throws -> Double {
    guard let value = try at(path).number else { throw wrongType(path, "a number") }
    return value
  }

  func text(_ path: String) throws -> String {
    guard let value = try at(path).string else { throw wrongType(path, "text") }
    return value
  }

  func flag(_ path: String) throws -> Bool {
    guard let value = try at(path).bool else { throw wrongType(path, "true or false") }
    return value
  }

  func integers(_ path: String) throws -> [Int] {
    guard let values = try at(path).array else { throw wrongType(path, "a list") }
    return try values.map {
      guard let value = $0.integer else { throw wrongType(path, "whole numbers") }
      return value
    }
  }

  func numbers(_ path: String) throws -> [Double] {
    guard let values = try at(path).array else { throw wrongType(path, "a list") }
    return try values.map {
      guard let value = $0.number else { throw wrongType(path, "numbers") }
      return value
    }
  }

  func choice<T: RawRepresentable>(_ path: String, as type: T.Type = T.self) throws -> T
  where T.RawValue == String {
    guard let value = T(rawValue: try text(path)) else {
      throw wrongType(path, "one of the listed words")
    }
    return value
  }

  private func wrongType(_ path: String, _ expected: String) -> StageFault {
    StageFault("parameter \(path) is not \(expected) after normalisation")
  }
}

extension StageContext {
  /// The one input of a role.
  func input(_ role: String) throws -> StageInput {
    guard let input = inputs[role]?.first else { throw StageFault("input \(role) is missing") }
    return input
  }
}

extension StageInput {
  func file(_ role: String) throws -> StageFile {
    guard let file = files[role] else {
      throw StageFault("a \(kind) stage left no \(role); run it again with --force")
    }
    return file
  }
}
