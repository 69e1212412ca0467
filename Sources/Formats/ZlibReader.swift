/// Reads a zlib stream (RFC 1950) by pieces, and holds its sum against what came out.
struct ZlibReader {
  private var inflater: Inflater
  private var sum = Adler32()
  private let format: String

  init(_ source: any ByteSource, format: String) throws(FormatError) {
    self.format = format
    inflater = Inflater(source, format: format)
    guard let method = try inflater.byteBehind(), let flags = try inflater.byteBehind() else {
      throw FormatError(format, "its compressed data are empty")
    }
    guard method & 15 == 8, method >> 4 <= 7, (Int(method) << 8 | Int(flags)) % 31 == 0,
      flags & 0x20 == 0
    else { throw FormatError(format, "its compressed data do not begin as zlib's do") }
  }

  /// Fills a buffer.
  ///
  /// - Throws: also where the stream ends before.
  mutating func read(into target: UnsafeMutableBufferPointer<UInt8>) throws(FormatError) {
    let count = try inflater.read(into: target)
    guard count == target.count else {
      throw FormatError(format, "its compressed data hold less than its header says")
    }
    sum.update(UnsafeBufferPointer(target))
  }

  /// - Throws: unless the stream ends here, with the sum of what was read.
  mutating func finish() throws(FormatError) {
    guard try inflater.isAtEnd() else {
      throw FormatError(format, "its compressed data hold more than its header says")
    }
    var stated: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = try inflater.byteBehind() else {
        throw FormatError(format, "its compressed data lack their sum; the file is cut off")
      }
      stated = stated << 8 | UInt32(byte)
    }
    guard stated == sum.value else {
      throw FormatError(format, "its compressed data have another sum than they state")
    }
  }
}
