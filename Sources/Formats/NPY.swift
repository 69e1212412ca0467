import Foundation

/// An array in NumPy's .npy format: version 1 in C order is written, 1 and 2 in either order are read;
/// little-endian.
package struct NPYArray: Sendable, Equatable {
  package enum Elements: Sendable, Equatable {
    case uint8([UInt8])
    case float32([Float])
    case int64([Int64])
    case float64([Double])

    package var count: Int {
      switch self {
      case .uint8(let values): values.count
      case .float32(let values): values.count
      case .int64(let values): values.count
      case .float64(let values): values.count
      }
    }

    var type: ElementType {
      switch self {
      case .uint8: .uint8
      case .float32: .float32
      case .int64: .int64
      case .float64: .float64
      }
    }
  }

  /// As the header names it.
  package enum ElementType: String, Sendable {
    case uint8 = "|u1"
    case float32 = "<f4"
    case int64 = "<i8"
    case float64 = "<f8"
  }

  package let shape: [Int]
  package let elements: Elements

  /// Throws when the shape does not hold exactly the elements.
  package init(shape: [Int], elements: Elements) throws(FormatError) {
    guard let count = product(shape), count == elements.count else {
      throw FormatError("npy", "shape \(shape) does not hold \(elements.count) elements")
    }
    self.shape = shape
    self.elements = elements
  }

  /// What stands before the elements, which may be written behind it as they come.
  package static func header(shape: [Int], _ type: ElementType) -> Data {
    let list = shape.map(String.init).joined(separator: ", ")
    let tuple = shape.count == 1 ? "(\(list),)" : "(\(list))"
    var header = "{'descr': '\(type.rawValue)', 'fortran_order': False, 'shape': \(tuple), }"
    // The data begin on a multiple of 64 bytes.
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var data = Data(Self.magic + [1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    return data
  }

  package func npyData() -> Data {
    var data = Self.header(shape: shape, elements.type)
    switch elements {
    case .uint8(let values): values.withUnsafeBytes { data.append(contentsOf: $0) }
    case .float32(let values): values.withUnsafeBytes { data.append(contentsOf: $0) }
    case .int64(let values): values.withUnsafeBytes { data.append(contentsOf: $0) }
    case .float64(let values): values.withUnsafeBytes { data.append(contentsOf: $0) }
    }
    return data
  }

  package init(npy data: Data) throws(FormatError) {
    var place = 0
    let header = try NPYHeader { count throws(FormatError) in
      defer { place += count }
      let bytes = [UInt8](data.dropFirst(place).prefix(count))
      guard bytes.count == count || place == 0 else {
        throw FormatError("npy", "its header of \(count) bytes does not fit the file")
      }
      return bytes
    }
    guard let count = product(header.shape) else {
      throw FormatError("npy", "shape \(header.shape) has more elements than there are numbers for")
    }
    let body = data.dropFirst(place)
    func values<T: BitwiseCopyable>() throws(FormatError) -> [T] {
      let values: [T] = try Self.elements(body, count)
      return header.isFortran ? Self.inCOrder(values, shape: header.shape) : values
    }
    switch header.type {
    case .uint8: elements = .uint8(try values())
    case .float32: elements = .float32(try values())
    case .int64: elements = .int64(try values())
    case .float64: elements = .float64(try values())
    }
    shape = header.shape
  }

  fileprivate static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  /// Values whose first index runs fastest, with the last running fastest.
  private static func inCOrder<T>(_ values: [T], shape: [Int]) -> [T] {
    var steps: [Int] = []
    var step = 1
    for side in shape {
      steps.append(step)
      step *= side
    }
    var index = [Int](repeating: 0, count: shape.count)
    var place = 0
    return values.indices.map { _ in
      let value = values[place]
      for dimension in shape.indices.reversed() {
        index[dimension] += 1
        place += steps[dimension]
        if index[dimension] < shape[dimension] { break }
        place -= steps[dimension] * shape[dimension]
        index[dimension] = 0
      }
      return value
    }
  }

  private static func elements<T: BitwiseCopyable>(_ body: Data, _ count: Int) throws(FormatError)
    -> [T]
  {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<T>.size)
    guard !overflow, body.count == bytes else {
      throw FormatError(
        "npy", "its shape needs \(count) elements, the file holds \(body.count) bytes of them")
    }
    return [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      _ = body.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }
}

/// What an array in NumPy's format says of itself before its elements.
package struct NPYHeader: Sendable, Equatable {
  package let shape: [Int]
  package let type: NPYArray.ElementType
  /// Whether the first index runs fastest.
  package let isFortran: Bool

  /// Of all elements; `nil` where there is no number for so many.
  package var bytes: Int? {
    product(shape + [type == .uint8 ? 1 : type == .float32 ? 4 : 8])
  }

  /// - Parameter take: gives the next bytes of the array, so many.
  package init(_ take: (Int) throws(FormatError) -> [UInt8]) throws(FormatError) {
    let head = try take(8)
    guard head.count == 8, Array(head[0..<6]) == NPYArray.magic else {
      throw FormatError("npy", "it does not begin with \\x93NUMPY")
    }
    guard head[6] == 1 || head[6] == 2 else {
      throw FormatError("npy", "version \(head[6]) is not 1 or 2")
    }
    let length = try take(head[6] == 1 ? 2 : 4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= 65536 else {
      throw FormatError("npy", "its header of \(length) bytes does not fit the file")
    }
    guard let header = String(validating: try take(length), as: UTF8.self) else {
      throw FormatError("npy", "its header is not text")
    }
    let descriptor: String
    (descriptor, shape, isFortran) = try Self.read(header)
    switch descriptor {
    case "|u1", "<u1", "u1": type = .uint8
    case "<f4": type = .float32
    case "<i8": type = .int64
    case "<f8": type = .float64
    default:
      throw FormatError(
        "npy",
        "elements are '\(descriptor)'; u1, <f4, <i8 and <f8 are read: save `a.astype('<f4')`")
    }
  }

  /// The dictionary of the header: Python's literals are JSON5 but for the tuple and `False`.
  private static func read(_ header: String) throws(FormatError) -> (
    descriptor: String, shape: [Int], isFortran: Bool
  ) {
    let text = header.replacingOccurrences(of: "(", with: "[")
      .replacingOccurrences(of: ")", with: "]").replacingOccurrences(of: "False", with: "false")
      .replacingOccurrences(of: "True", with: "true")
    let value: JSONValue
    do {
      value = try JSONValue.parse(Data(text.utf8))
    } catch {
      throw FormatError("npy", "its header is not a dictionary (\(error.message))")
    }
    guard let descriptor = value["descr"]?.string, let fortran = value["fortran_order"]?.bool,
      let shape = value["shape"]?.array
    else { throw FormatError("npy", "its header lacks descr, fortran_order or shape") }
    let sides = shape.compactMap(\.integer)
    guard sides.count == shape.count, sides.allSatisfy({ $0 >= 0 }) else {
      throw FormatError("npy", "its shape is not a tuple of whole numbers from 0 up")
    }
    return (descriptor, sides, fortran)
  }
}

/// The product of whole numbers from 0 up, `nil` when it overflows.
func product(_ sides: [Int]) -> Int? {
  var result = 1
  for side in sides {
    let (next, overflow) = result.multipliedReportingOverflow(by: side)
    if overflow || side < 0 { return nil }
    result = next
  }
  return result
}
