/// Whether a text is safe as the name of a file or a folder: 1 to `most` of `A-Z a-z 0-9 _ -`.
///
/// Whatever becomes part of a path passes this first, wherever it was read.
package func isPlainName(_ text: String, most: Int = 64) -> Bool {
  (1...most).contains(text.utf8.count) && text.utf8.allSatisfy(isPlainByte)
}

package func isPlainByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
    true
  default: false
  }
}
