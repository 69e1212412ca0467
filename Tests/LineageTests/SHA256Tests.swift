import Foundation
import Testing

@testable import Lineage

@Suite("SHA-256 has NIST's values")
struct SHA256Tests {
  @Test(
    "published messages",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func vectors(message: String, digest: String) {
    #expect(SHA256.hash(Data(message.utf8)) == digest)
    #expect(SHA256.isHash(digest))
  }

  @Test("a million a's, whole, in odd pieces and from a file")
  func million() throws {
    let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    let data = Data(repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(SHA256.hash(data) == expected)
    var hasher = SHA256()
    var start = 0
    for size in [1, 62, 63, 64, 65, 127, 999_618] {
      data[start..<start + size].withUnsafeBytes { hasher.update($0) }
      start += size
    }
    #expect(start == data.count && hasher.finish() == expected)
    let url = FileManager.default.temporaryDirectory.appending(path: "sha-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    try data.write(to: url)
    #expect(try SHA256.hash(fileAt: url) == expected)
  }

  @Test(
    "only 64 small hexadecimal digits are a hash",
    arguments: [
      "", "../../etc/passwd", String(repeating: "A", count: 64), String(repeating: "a", count: 63),
    ])
  func noHash(text: String) {
    #expect(!SHA256.isHash(text))
  }
}
