import Foundation

/// Named float32 tensors in Hugging Face's safetensors format. Those of half precision are read too, which
/// changes no number.
///
/// Layout: the header's length (8 bytes), the header (JSON), the tensors' bytes without gaps.
package struct Safetensors: Sendable, Equatable {
  package struct Tensor: Sendable, Equatable {
    package var shape: [Int]
    package var values: [Float]

    package init(shape: [Int], values: [Float]) {
      self.shape = shape
      self.values = values
    }
  }

  package var tensors: [String: Tensor]
  package var metadata: [String: String]

  package init(tensors: [String: Tensor], metadata: [String: String]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Equal content gives equal bytes: names are sorted.
  package func data() -> Data {
    var header: [String: JSONValue] = [:]
    if !metadata.isEmpty {
      header["__metadata__"] = .object(metadata.mapValues(JSONValue.string))
    }
    var offset = 0
    let names = tensors.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    var body = Data()
    for name in names {
      guard let tensor = tensors[name] else { continue }
      let end = offset + tensor.values.count * 4
      header[name] = .object([
        "dtype": .string("F32"), "shape": .array(tensor.shape.map(JSONValue.integer)),
        "data_offsets": .array([.integer(offset), .integer(end)]),
      ])
      tensor.values.withUnsafeBytes { body.append(contentsOf: $0) }
      offset = end
    }
    var text = JSONValue.object(header).canonicalText()
    text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    var data = Data()
    withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: text.utf8)
    data.append(body)
    return data
  }

  package init(data: Data) throws(FormatError) {
    guard data.count >= 8 else {
      throw Self.error("it has \(data.count) bytes, at least 8 are needed")
    }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(data.count - 8), length <= UInt64(Self.largestHeader) else {
      throw Self.error(
        "its header of \(length) bytes does not fit the file or the \(Self.largestHeader) read")
    }
    let header: JSONValue
    do {
      header = try JSONValue.parse(
        data.dropFirst(8).prefix(Int(length)),
        limits: JSON5.Limits(maximumBytes: Self.largestHeader, maximumDepth: 8))
    } catch {
      throw Self.error("its header is not JSON (\(error.message))")
    }
    guard let entries = header.object else { throw Self.error("its header is not an object") }
    let body = data.dropFirst(8 + Int(length))
    metadata = try Self.metadata(entries["__metadata__"])
    let places = try Self.places(entries, available: body.count)
    tensors = [:]
    for place in places {
      let start = body.startIndex + place.range.lowerBound
      let bytes = body[start..<start + place.range.count]
      let values: [Float] =
        switch place.type {
        case .float32: Self.elements(bytes)
        case .float16: Self.elements(bytes).map(Self.float(half:))
        case .bfloat16: Self.elements(bytes).map { Float(bitPattern: UInt32($0 as UInt16) << 16) }
        }
      tensors[place.name] = Tensor(shape: place.shape, values: values)
    }
  }

  private static func elements<T: BitwiseCopyable>(_ bytes: Data) -> [T] {
    let count = bytes.count / MemoryLayout<T>.size
    return [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      _ = bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }

  /// IEEE 754's binary16, which Swift has not on every platform.
  private static func float(half bits: UInt16) -> Float {
    let fraction = UInt32(bits & 0x3FF)
    let magnitude: Float =
      switch bits >> 10 & 0x1F {
      case 0: Float(fraction) * 0x1p-24
      case 0x1F: Float(bitPattern: 0x7F80_0000 | fraction << 13)
      case let exponent: Float(bitPattern: UInt32(exponent + 112) << 23 | fraction << 13)
      }
    return bits & 0x8000 == 0 ? magnitude : -magnitude
  }

  /// Thousands of tensors fit; a tree of it is some fifty times as large.
  private static let largestHeader = 1 << 20

  /// What is read; all of it fits float32 exactly.
  private enum ElementType: String, CaseIterable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"

    var bytes: Int { self == .float32 ? 4 : 2 }
  }

  /// Where a tensor lies in the file's body.
  private struct Place {
    var name: String
    var type: ElementType
    var shape: [Int]
    var range: Range<Int>
  }

  /// Where the tensors lie, one after the other without gaps. Known before anything is copied:
  /// tensors that share bytes would be larger than their file.
  private static func places(_ entries: [String: JSONValue], available: Int) throws(FormatError)
    -> [Place]
  {
    var places: [Place] = []
    for (name, entry) in entries where name != "__metadata__" {
      places.append(try place(name, entry, available: available))
    }
    places.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for place in places {
      if place.range.lowerBound != end {
        throw error("tensor \(place.name) begins at \(place.range.lowerBound), expected \(end)")
      }
      end = place.range.upperBound
    }
    if end != available {
      throw error("its tensors end at \(end), the file holds \(available) bytes of them")
    }
    return places
  }

  private static func metadata(_ value: JSONValue?) throws(FormatError) -> [String: String] {
    guard let value else { return [:] }
    guard let members = value.object else { throw error("__metadata__ is not an object") }
    var result: [String: String] = [:]
    for (key, text) in members {
      guard let text = text.string else { throw error("__metadata__.\(key) is not text") }
      result[key] = text
    }
    return result
  }

  private static func place(_ name: String, _ entry: JSONValue, available: Int) throws(FormatError)
    -> Place
  {
    guard let typeName = entry["dtype"]?.string, let sides = entry["shape"]?.array,
      let offsets = entry["data_offsets"]?.array
    else { throw error("tensor \(name) lacks dtype, shape or data_offsets") }
    guard let type = ElementType(rawValue: typeName) else {
      let read = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw error(
        "tensor \(name) has dtype \(typeName); \(read) are read: save it as `tensor.float()`")
    }
    let shape = sides.compactMap(\.integer)
    let places = offsets.compactMap(\.integer)
    guard shape.count == sides.count, places.count == 2, offsets.count == 2,
      let count = product(shape)
    else { throw error("tensor \(name) has a shape or offsets that are no whole numbers") }
    guard places[0] >= 0, places[0] <= places[1], places[1] <= available else {
      throw error("tensor \(name) lies at \(places[0])…\(places[1]), outside the file")
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.bytes)
    guard !overflow, bytes == places[1] - places[0] else {
      throw error(
        "tensor \(name) of shape \(shape) does not fill its \(places[1] - places[0]) bytes")
    }
    return Place(name: name, type: type, shape: shape, range: places[0]..<places[1])
  }

  private static func error(_ message: String) -> FormatError {
    FormatError("safetensors", message)
  }
}
