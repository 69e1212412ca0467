import Foundation

/// Named float32 tensors in Hugging Face's safetensors format.
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
    for (name, shape, range) in places {
      let values = [Float](unsafeUninitializedCapacity: range.count / 4) { buffer, initialized in
        let start = body.startIndex + range.lowerBound
        _ = body[start..<start + range.count].copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
        initialized = range.count / 4
      }
      tensors[name] = Tensor(shape: shape, values: values)
    }
  }

  /// Thousands of tensors fit; a tree of it is some fifty times as large.
  private static let largestHeader = 1 << 20

  /// Where the tensors lie, one after the other without gaps. Known before anything is copied:
  /// tensors that share bytes would be larger than their file.
  private static func places(_ entries: [String: JSONValue], available: Int) throws(FormatError)
    -> [(name: String, shape: [Int], range: Range<Int>)]
  {
    var places: [(name: String, shape: [Int], range: Range<Int>)] = []
    for (name, entry) in entries where name != "__metadata__" {
      let (shape, range) = try place(name, entry, available: available)
      places.append((name, shape, range))
    }
    places.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for (name, _, range) in places {
      if range.lowerBound != end {
        throw error("tensor \(name) begins at \(range.lowerBound), expected \(end)")
      }
      end = range.upperBound
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
    -> ([Int], Range<Int>)
  {
    guard let type = entry["dtype"]?.string, let sides = entry["shape"]?.array,
      let offsets = entry["data_offsets"]?.array
    else { throw error("tensor \(name) lacks dtype, shape or data_offsets") }
    if type != "F32" { throw error("tensor \(name) has dtype \(type); F32 is read") }
    let shape = sides.compactMap(\.integer)
    let places = offsets.compactMap(\.integer)
    guard shape.count == sides.count, places.count == 2, offsets.count == 2,
      let count = product(shape)
    else { throw error("tensor \(name) has a shape or offsets that are no whole numbers") }
    guard places[0] >= 0, places[0] <= places[1], places[1] <= available else {
      throw error("tensor \(name) lies at \(places[0])…\(places[1]), outside the file")
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: 4)
    guard !overflow, bytes == places[1] - places[0] else {
      throw error(
        "tensor \(name) of shape \(shape) does not fill its \(places[1] - places[0]) bytes")
    }
    return (shape, places[0]..<places[1])
  }

  private static func error(_ message: String) -> FormatError {
    FormatError("safetensors", message)
  }
}
