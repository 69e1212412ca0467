/// CRC-32 as PNG and zlib use it (ISO 3309, reflected polynomial EDB88320).
struct CRC32 {
  private var state: UInt32 = 0xFFFF_FFFF

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
    }
  }

  mutating func update(_ bytes: some Sequence<UInt8>) {
    let table = Self.table
    for byte in bytes { state = table[Int((state ^ UInt32(byte)) & 255)] ^ state >> 8 }
  }

  var value: UInt32 { ~state }
}

/// Adler-32 (RFC 1950).
struct Adler32 {
  private var a: UInt32 = 1
  private var b: UInt32 = 0
  /// As many bytes fit into 32 bits before a remainder has to be taken.
  private static let most = 5552

  mutating func update(_ bytes: UnsafeBufferPointer<UInt8>) {
    var place = 0
    while place < bytes.count {
      let end = min(place + Self.most, bytes.count)
      for i in place..<end {
        a &+= UInt32(bytes[i])
        b &+= a
      }
      a %= 65521
      b %= 65521
      place = end
    }
  }

  var value: UInt32 { b << 16 | a }
}

func adler32(_ bytes: [UInt8]) -> UInt32 {
  var sum = Adler32()
  bytes.withUnsafeBufferPointer { sum.update($0) }
  return sum.value
}
