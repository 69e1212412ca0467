import Foundation
import Testing

@testable import Formats

/// Proves that a file of another format is known by its first bytes, by those that the programs write which
/// people have such files from.
@Suite("Files of other formats")
struct ForeignFormatTests {
  /// The beginning of a zip archive whose first entry has a name.
  private static func archive(_ name: String) -> Data {
    Data(
      [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0])
      + Data(name.utf8)
  }

  @Test("what a file is")
  func known() throws {
    let array = try NPYArray(shape: [1], elements: .float32([1])).npyData()
    let weights = Safetensors(tensors: ["a": .init(shape: [1], values: [1])], metadata: [:]).data()
    let picture = try PNGImage(width: 1, height: 1, pixels: [0, 0, 0]).pngData()
    // `torch.save` of today and of before 1.6, `numpy.savez`, `pickle.dump`, h5py.
    let old: [UInt8] =
      [0x80, 2, 0x8A, 10] + [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let cases: [(Data, ForeignFormat?)] = [
      (Self.archive("model/data.pkl"), .torch), (Data(old + [0x2E]), .torch),
      (Self.archive("arr_0.npy"), .numpyArchive), (Self.archive("word/document.xml"), .zip),
      (Data([0x80, 4, 0x95]), .pickle), (picture, .png), (array, .npy), (weights, .safetensors),
      (Data([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10]), .hdf5), (Data(), nil), (Data([0x50]), nil),
      (Data("{ pipeline: 'p' }".utf8), .text), (Data("version \u{1}".utf8), nil),
      (Data("PK\u{3}\u{4}".utf8), .zip),
    ]
    for (data, format) in cases { #expect(ForeignFormat(data) == format, "\(data.prefix(16))") }
  }

  @Test("a line of Python is one line, and for a shell's single quotation marks")
  func lines() {
    for format in ForeignFormat.allCases {
      for wanted in [ForeignFormat.Wanted.npy, .safetensors] {
        guard let line = format.conversion(to: wanted) else { continue }
        #expect(!line.contains("\n") && !line.contains("'"), "\(format)")
        #expect(line.contains("sys.argv[1]") && line.contains("sys.argv[2]"), "\(format)")
      }
    }
    #expect(ForeignFormat.torch.conversion(to: .safetensors)?.contains("weights_only=True") == true)
    #expect(ForeignFormat.npy.conversion(to: .safetensors) == nil)
  }
}
