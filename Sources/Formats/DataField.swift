import Foundation

/// What a file of data holds, as far as it says so itself.
package struct DataField: Sendable, Equatable {
  package var name: String
  package var type: String
  package var sentence: String

  package init(_ name: String, _ type: String, _ sentence: String) {
    self.name = name
    self.type = type
    self.sentence = sentence
  }

  /// The fields of a file: an array's elements, tensors by name, columns, members. Empty for what has none.
  ///
  /// - Parameter begin: of the file; 64 KiB hold every header that Locus writes but the largest, and of a longer
  ///   one nothing is told.
  package static func fields(mediaType: String, begin: Data) -> [DataField] {
    switch mediaType {
    case "application/x-npy": array(begin)
    case "application/x-safetensors": tensors(begin)
    case "text/csv": columns(begin)
    case _ where mediaType.hasSuffix("json"): members(begin)
    default: []
    }
  }

  private static func array(_ begin: Data) -> [DataField] {
    var place = 0
    let header = try? NPYHeader { count throws(FormatError) in
      defer { place += count }
      return [UInt8](begin.dropFirst(place).prefix(count))
    }
    guard let header else { return [] }
    let shape = header.shape.map(String.init).joined(separator: " × ")
    return [DataField("value", header.type.rawValue, "of \(shape) elements")]
  }

  private static func tensors(_ begin: Data) -> [DataField] {
    let length = begin.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard begin.count >= 8, length <= UInt64(begin.count - 8),
      let header = try? JSONValue.parse(begin.dropFirst(8).prefix(Int(length))).object
    else { return [] }
    return header.sorted { $0.key < $1.key }.compactMap { name, value in
      guard name != "__metadata__", let type = value["dtype"]?.string,
        let shape = value["shape"]?.array
      else { return nil }
      let sides = shape.compactMap(\.integer).map(String.init).joined(separator: " × ")
      return DataField(name, type, "a tensor of \(sides) elements")
    }
  }

  /// Of a head without quotation marks.
  private static func columns(_ begin: Data) -> [DataField] {
    let line = String(decoding: begin.prefix { $0 != 10 }, as: UTF8.self)
    guard begin.contains(10), !line.contains("\"") else { return [] }
    return line.split(separator: ",", omittingEmptySubsequences: false).map {
      DataField(String($0.trimmingCharacters(in: .whitespacesAndNewlines)), "string", "a column")
    }
  }

  private static func members(_ begin: Data) -> [DataField] {
    guard let members = try? JSONValue.parse(begin).object else { return [] }
    return members.sorted { $0.key < $1.key }.map { name, value in
      DataField(name, type(of: value), "a member")
    }
  }

  /// As JSON Schema names it.
  private static func type(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
