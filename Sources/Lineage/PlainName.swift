/// Whether a text is safe as the name of a file or a folder: 1 to `most` of `A-Z a-z 0-9 _ -`.
///
/// Whatever becomes part of a path passes this first, wherever it was read.
package func isPlainName(_ text: String, most: Int = 64) -> Bool {
  (1...most).contains(text.utf8.count) && text.utf8.allSatisfy(isPlainByte)
}

/// Whether a text is the name of a stage's instance as pipeline files make it: a plain name, and in
/// brackets its axes with their values (`baseline[labelling=single,network.width=0.5]`).
package func isInstanceName(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  guard let open = bytes.firstIndex(of: UInt8(ascii: "[")) else { return isPlainName(text) }
  let inside = bytes[(open + 1)...].dropLast()
  return bytes.last == UInt8(ascii: "]") && !inside.isEmpty
    && isPlainName(String(decoding: bytes[..<open], as: UTF8.self))
    && inside.allSatisfy { isPlainByte($0) || ".+=,".utf8.contains($0) }
}

package func isPlainByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
    true
  default: false
  }
}
