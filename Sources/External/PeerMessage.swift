import Formats
import Foundation

/// The protocol between Locus and a model that lives elsewhere; `README.md` in this folder describes it.
package enum PeerProtocol {
  /// Raised when a peer of the version before would misunderstand.
  package static let version = 1
  /// Bytes of a header line. That of a hello holds words and schedules.
  static let longestHeader = 64 << 10
  static let longestHello = 4 << 20
}

/// A named array of float32 as it goes over the pipe: rows last, little-endian.
package struct PeerArray: Sendable, Hashable {
  package var name: String
  package var shape: [Int]
  package var values: [Float]

  package init(_ name: String, _ shape: [Int], _ values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// What an answer has to hold. Nothing that a peer announces decides how much memory its answer takes.
struct ExpectedArray: Hashable {
  var name: String
  var shape: [Int]
  /// `hello` bounds the factors: no overflow.
  var count: Int { shape.reduce(1, *) }
}

struct PeerRequest {
  var id: Int
  /// What the header calls it.
  var ask: String
  /// In the words of an error.
  var asked: String
  var arrays: [PeerArray]
  var expected: [ExpectedArray]
  /// Further members of the header.
  var members: [String: JSONValue] = [:]

  var header: [UInt8] {
    var value = members
    value["locus"] = .integer(PeerProtocol.version)
    value["id"] = .integer(id)
    value["ask"] = .string(ask)
    value["arrays"] = .array(
      arrays.map {
        .object(["name": .string($0.name), "shape": .array($0.shape.map(JSONValue.integer))])
      })
    return Array(JSONValue.object(value).canonicalText().utf8) + [UInt8(ascii: "\n")]
  }

  var longestAnswer: Int {
    ask == "hello" ? PeerProtocol.longestHello : PeerProtocol.longestHeader
  }
}

/// Why an answer is none.
struct AnswerFault: CategorizedError {
  enum Kind { case malformed, refused }
  var kind: Kind
  var text: String

  init(_ text: String, _ kind: Kind = .malformed) {
    self.kind = kind
    self.text = text
  }

  var category: ErrorCategory { kind == .refused ? .unavailable : .data }
}

extension PeerRequest {
  /// The header of an answer, if it is the answer to this.
  func read(header line: [UInt8]) throws(AnswerFault) -> JSONValue {
    let value: JSONValue
    do {
      value = try JSONValue.parse(
        Data(line), limits: JSON5.Limits(maximumBytes: longestAnswer, maximumDepth: 8))
    } catch {
      throw AnswerFault(
        "its header is no JSON (\(error.message)): \(Self.excerpt(line)); nothing else may be written to"
          + " standard output")
    }
    guard let members = value.object else {
      throw AnswerFault("its header is no object: \(Self.excerpt(line))")
    }
    guard members["locus"]?.integer == PeerProtocol.version else {
      throw AnswerFault(
        "its header has no `locus`: \(PeerProtocol.version), the protocol's version: \(Self.excerpt(line))"
      )
    }
    guard members["id"]?.integer == id else {
      throw AnswerFault("its header is not for request \(id): \(Self.excerpt(line))")
    }
    if let said = members["error"]?.string {
      throw AnswerFault(String(said.prefix(2000)), .refused)
    }
    let arrays = members["arrays"]?.array ?? []
    guard arrays.count == expected.count else {
      throw AnswerFault("it announces \(arrays.count) arrays, expected \(expected.count)")
    }
    for (found, wanted) in zip(arrays, expected) {
      let shape = found["shape"]?.array?.map { $0.integer ?? -1 }
      if found["name"]?.string == wanted.name, shape == wanted.shape { continue }
      throw AnswerFault(
        "it announces \(Self.excerpt(Array(found.canonicalText().utf8))), expected `\(wanted.name)` of shape"
          + " \(wanted.shape)")
    }
    return value
  }

  /// The beginning of what is not understood, so that a person recognises it.
  static func excerpt(_ bytes: some Sequence<UInt8>) -> String {
    let begin = Array(bytes.prefix(121))
    return "\"" + Escape.line(String(decoding: begin.prefix(120), as: UTF8.self))
      + (begin.count > 120 ? "…\"" : "\"")
  }
}
