import Formats

/// Reads a `scenes.json` in CLEVR's schema scene by scene: ours, or CLEVR's own (`CLEVR_train_scenes.json`, 70,000
/// of them), in the memory of one.
///
/// Everything is checked: a value that is here is in its range, a name leads out of no folder. Errors say where
/// the first value lies that is not as it should be, for example `scenes[3].objects[0].color`.
package struct CLEVRReader {
  /// What the file says of all scenes, as far as it stands before them.
  package private(set) var info: [String: String] = [:]
  private var json: JSONReader
  private var count = 0
  private var hasScenes = false

  private static let format = "scenes.json"

  package init(_ source: any ByteSource) throws(FormatError) {
    json = JSONReader(source, format: Self.format)
    guard try json.kind() == .object else { throw json.error("holds no object with `scenes`") }
    try json.beginObject()
  }

  /// The next scene; `nil` at the end of the file.
  package mutating func next() throws(FormatError) -> CLEVRFile.Scene? {
    while !hasScenes {
      guard let key = try json.key() else { throw missing("scenes: a list is accepted") }
      switch key {
      case "info": try readInfo()
      case "scenes":
        guard try json.kind() == .array else { throw missing("scenes: a list is accepted") }
        try json.beginArray()
        hasScenes = true
      default: try json.skip()
      }
    }
    guard try json.hasElement() else {
      while let key = try json.key() {
        if key == "scenes" { throw missing("`scenes` stands twice") }
        try json.skip()
      }
      try json.end()
      return nil
    }
    defer { count += 1 }
    do throws(Misfit) {
      return try scene()
    } catch {
      switch error {
      case .syntax(let error): throw error
      case .value(let path, let message):
        throw FormatError(Self.format, "scenes[\(count)]\(path): \(message)")
      }
    }
  }

  private func missing(_ message: String) -> FormatError { FormatError(Self.format, message) }

  private mutating func readInfo() throws(FormatError) {
    guard try json.kind() == .object else { return try json.skip() }
    try json.beginObject()
    while let key = try json.key() {
      switch try json.kind() {
      case .string: info[key] = try json.string()
      case .number: info[key] = "\(try json.number().value)"
      default: try json.skip()
      }
    }
  }

  // MARK: - Values

  private typealias Misfit = SceneMisfit

  private mutating func plain<T>(_ body: (inout JSONReader) throws(FormatError) -> T) throws(Misfit)
    -> T
  {
    do throws(FormatError) {
      return try body(&json)
    } catch {
      throw .syntax(error)
    }
  }

  private mutating func refuse(_ accepted: String, found: String? = nil) throws(Misfit) -> Misfit {
    let kind = try plain { json throws(FormatError) in try json.kind() }
    let text: String
    if let found {
      text = found
    } else if kind == .string {
      text = "\"" + (try plain { json throws(FormatError) in try json.string() }).prefix(40) + "\""
    } else {
      text = "\(kind)"
    }
    return .value(path: "", "found \(text), accepted: \(accepted)")
  }

  private mutating func members(
    _ what: String, _ body: (inout CLEVRReader, String) throws(Misfit) -> Void
  ) throws(Misfit) {
    guard try plain({ json throws(FormatError) in try json.kind() }) == .object else {
      throw try refuse("an object \(what)")
    }
    try plain { json throws(FormatError) in try json.beginObject() }
    while let key = try plain({ json throws(FormatError) in try json.key() }) {
      do throws(Misfit) {
        try body(&self, key)
      } catch {
        throw error.inside(".\(Escape.line(key))")
      }
    }
  }

  private mutating func elements(
    _ accepted: ClosedRange<Int>, _ body: (inout CLEVRReader) throws(Misfit) -> Void
  ) throws(Misfit) {
    // Words are made when they are needed: there are millions of values.
    func words() -> String { "a list of \(accepted.lowerBound) to \(accepted.upperBound)" }
    guard try plain({ json throws(FormatError) in try json.kind() }) == .array else {
      throw try refuse(words())
    }
    try plain { json throws(FormatError) in try json.beginArray() }
    var count = 0
    while try plain({ json throws(FormatError) in try json.hasElement() }) {
      if count == accepted.upperBound {
        throw .value(path: "", "found more elements, accepted: \(words())")
      }
      do throws(Misfit) {
        try body(&self)
      } catch {
        throw error.inside("[\(count)]")
      }
      count += 1
    }
    if count < accepted.lowerBound {
      throw .value(path: "", "found \(count) elements, accepted: \(words())")
    }
  }

  private mutating func number(within limit: Double) throws(Misfit) -> Double {
    func accepted() -> String { "a number from -\(limit) to \(limit)" }
    guard try plain({ json throws(FormatError) in try json.kind() }) == .number else {
      throw try refuse(accepted())
    }
    let value = try plain { json throws(FormatError) in try json.number() }.value
    guard value.magnitude <= limit else {
      throw .value(path: "", "found \(value), accepted: \(accepted())")
    }
    return value
  }

  private mutating func integer(_ range: ClosedRange<Int>) throws(Misfit) -> Int {
    func accepted() -> String {
      "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
    guard try plain({ json throws(FormatError) in try json.kind() }) == .number else {
      throw try refuse(accepted())
    }
    let (value, isWhole) = try plain { json throws(FormatError) in try json.number() }
    guard isWhole, let number = Int(exactly: value), range.contains(number) else {
      throw .value(path: "", "found \(value), accepted: \(accepted())")
    }
    return number
  }

  private mutating func vector(within limit: Double) throws(Misfit) -> SIMD3<Double> {
    var parts: [Double] = []
    try elements(3...3) { reader throws(Misfit) in
      parts.append(try reader.number(within: limit))
    }
    return SIMD3(parts[0], parts[1], parts[2])
  }

  private mutating func text(_ accepted: @autoclosure () -> String) throws(Misfit) -> String {
    guard try plain({ json throws(FormatError) in try json.kind() }) == .string else {
      throw try refuse(accepted())
    }
    return try plain { json throws(FormatError) in try json.string() }
  }

  private mutating func choice<T: RawRepresentable & CaseIterable>(_ type: T.Type = T.self)
    throws(Misfit) -> T where T.RawValue == String
  {
    func accepted() -> String { T.allCases.map(\.rawValue).joined(separator: ", ") }
    let found = try text(accepted())
    guard let value = T(rawValue: found) else {
      throw .value(
        path: "",
        "found \"\(Escape.line(String(found.prefix(40))))\", accepted: \(accepted())")
    }
    return value
  }

  private mutating func fileName() throws(Misfit) -> String {
    let name = try text("a file's name without a folder")
    guard (1...255).contains(name.utf8.count), name.first != ".",
      !name.unicodeScalars.contains(where: { $0 == "/" || $0 == "\\" || $0.value < 32 })
    else { throw .value(path: "", "accepted: a file's name without a folder") }
    return name
  }

  private mutating func skip() throws(Misfit) {
    try plain { json throws(FormatError) in try json.skip() }
  }

  /// CLEVR's directions.
  private mutating func directions(
    _ body: (inout CLEVRReader, String) throws(Misfit) -> Void
  ) throws(Misfit) {
    try members("by direction") { reader, name throws(Misfit) in
      guard ["right", "left", "behind", "front", "above", "below"].contains(name) else {
        throw .value(path: "", "accepted: right, left, behind, front, above and below")
      }
      try body(&reader, name)
    }
  }

  private static func once<T>(_ value: inout T?, _ new: T) throws(Misfit) {
    if value != nil { throw .value(path: "", "stands twice") }
    value = new
  }

  private static func required<T>(_ value: T?, _ key: String) throws(Misfit) -> T {
    guard let value else { throw .value(path: ".\(key)", "found nothing, and it is needed") }
    return value
  }

  private mutating func scene() throws(Misfit) -> CLEVRFile.Scene {
    var index: Int?
    var picture: String?
    var objects: [CLEVRFile.Object]?
    var relationships: [String: [[Int]]]?
    var directions: [String: SIMD3<Double>]?
    try members("that is a scene") { reader, key throws(Misfit) in
      switch key {
      case "image_index": try Self.once(&index, try reader.integer(0...Int(Int32.max)))
      case "image_filename": try Self.once(&picture, try reader.fileName())
      case "objects":
        var list: [CLEVRFile.Object] = []
        try reader.elements(0...CLEVRFile.mostObjects) { reader throws(Misfit) in
          list.append(try reader.object())
        }
        try Self.once(&objects, list)
      case "relationships":
        var found: [String: [[Int]]] = [:]
        try reader.directions { reader, name throws(Misfit) in
          found[name] = try reader.related()
        }
        try Self.once(&relationships, found)
      case "relations":
        throw .value(path: "", "CLEVR calls it `relationships`; rename it")
      case "directions":
        var found: [String: SIMD3<Double>] = [:]
        try reader.directions { reader, name throws(Misfit) in
          found[name] = try reader.vector(within: 10)
        }
        try Self.once(&directions, found)
      default: try reader.skip()
      }
    }
    let all = try Self.required(objects, "objects")
    for (name, rows) in relationships ?? [:] {
      guard rows.count == all.count, rows.allSatisfy({ $0.allSatisfy { $0 < all.count } }) else {
        throw .value(
          path: ".relationships.\(name)",
          "accepted: for each of the \(all.count) objects a list of others, by their position from 0"
        )
      }
    }
    // A scene without these is as good: both follow from the coordinates.
    return CLEVRFile.Scene(
      index: try Self.required(index, "image_index"),
      picture: try Self.required(picture, "image_filename"), objects: all,
      relationships: relationships ?? [:], directions: directions ?? [:])
  }

  private mutating func related() throws(Misfit) -> [[Int]] {
    var rows: [[Int]] = []
    try elements(0...CLEVRFile.mostObjects) { reader throws(Misfit) in
      var row: [Int] = []
      try reader.elements(0...CLEVRFile.mostObjects) { reader throws(Misfit) in
        row.append(try reader.integer(0...CLEVRFile.mostObjects))
      }
      rows.append(row)
    }
    return rows
  }

  private mutating func object() throws(Misfit) -> CLEVRFile.Object {
    var shape: ObjectShape?
    var size: ObjectSize?
    var material: Material?
    var color: ObjectColor?
    var coordinates: SIMD3<Double>?
    var rotation: Double?
    var pixel: SIMD3<Double>?
    try members("that is one of a scene") { reader, key throws(Misfit) in
      switch key {
      case "shape": try Self.once(&shape, try reader.choice())
      case "size": try Self.once(&size, try reader.choice())
      case "material": try Self.once(&material, try reader.choice())
      case "color": try Self.once(&color, try reader.choice())
      case "3d_coords": try Self.once(&coordinates, try reader.vector(within: 100))
      case "rotation": try Self.once(&rotation, try reader.number(within: 3600))
      case "pixel_coords": try Self.once(&pixel, try reader.vector(within: 1e6))
      default: try reader.skip()
      }
    }
    return CLEVRFile.Object(
      shape: try Self.required(shape, "shape"), size: try Self.required(size, "size"),
      material: try Self.required(material, "material"),
      color: try Self.required(color, "color"),
      coordinates: try Self.required(coordinates, "3d_coords"),
      rotation: try Self.required(rotation, "rotation"),
      pixel: try Self.required(pixel, "pixel_coords"))
  }
}

/// What is wrong in a scene of a file; the path grows on the way out.
package enum SceneMisfit: CategorizedError, Hashable, CustomStringConvertible {
  case syntax(FormatError)
  case value(path: String, String)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .syntax(let error): error.description
    case .value(let path, let message): "\(path): \(message)"
    }
  }

  fileprivate func inside(_ step: String) -> SceneMisfit {
    guard case .value(let path, let message) = self else { return self }
    return .value(path: step + path, message)
  }
}
