import Foundation

/// What a file is, by its first bytes, that was given where another format is read.
package enum ForeignFormat: Sendable, CaseIterable {
  case torch, numpyArchive, zip, pickle, png, npy, safetensors, hdf5, text

  /// The formats that are read, by the endings of their files.
  package enum Wanted: String, Sendable {
    case npy, safetensors

    package var format: ForeignFormat { self == .npy ? .npy : .safetensors }
  }

  package init?(_ data: Data) {
    let head = [UInt8](data.prefix(256))
    func begins(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
    if begins(Array("PK\u{3}\u{4}".utf8)) {
      let name = Self.firstName(inArchive: head)
      self = name.hasSuffix("/data.pkl") ? .torch : name.hasSuffix(".npy") ? .numpyArchive : .zip
    } else if begins(Self.torchPickle) {
      self = .torch
    } else if head.count > 1, head[0] == 0x80, (2...5).contains(head[1]) {
      self = .pickle
    } else if begins([0x89] + Array("PNG\r\n".utf8)) {
      self = .png
    } else if begins([0x93] + Array("NUMPY".utf8)) {
      self = .npy
    } else if begins([0x89] + Array("HDF\r\n".utf8)) {
      self = .hdf5
    } else if head.count > 8, head[8] == UInt8(ascii: "{"), head[4..<8].allSatisfy({ $0 == 0 }) {
      self = .safetensors
    } else if head.count >= 8, !head.contains(where: Self.isControl) {
      self = .text
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .torch: "a file of PyTorch's `torch.save`"
    case .numpyArchive: "an archive of NumPy (.npz)"
    case .zip: "a zip archive"
    case .pickle: "a Python pickle"
    case .png: "a PNG picture"
    case .npy: "one array of NumPy (.npy)"
    case .safetensors: "a file of weights (safetensors)"
    case .hdf5: "an HDF5 file"
    // A pipeline file, the page that a download gave instead, a pointer of Git LFS.
    case .text: "a text"
    }
  }

  /// One line of Python that makes a wanted file, `sys.argv[2]`, of this one, `sys.argv[1]`; `nil` where none
  /// can know how.
  package func conversion(to wanted: Wanted) -> String? {
    switch (self, wanted) {
    case (.torch, .safetensors):
      "import sys, torch; from safetensors.torch import save_file;"
        + " w = torch.load(sys.argv[1], map_location=\"cpu\", weights_only=True);"
        + " save_file({k: v.contiguous() for k, v in w.items()}, sys.argv[2])"
    case (.numpyArchive, .safetensors):
      "import sys, numpy; from safetensors.numpy import save_file;"
        + " save_file(dict(numpy.load(sys.argv[1])), sys.argv[2])"
    case (.torch, .npy):
      "import sys, numpy, torch; numpy.save(sys.argv[2],"
        + " torch.load(sys.argv[1], map_location=\"cpu\", weights_only=True).float().numpy())"
    case (.numpyArchive, .npy):
      "import sys, numpy; a = numpy.load(sys.argv[1]); numpy.save(sys.argv[2], a[a.files[0]])"
    case (.png, .npy):
      "import sys, numpy; from PIL import Image; numpy.save(sys.argv[2],"
        + " numpy.asarray(Image.open(sys.argv[1]).convert(\"RGB\")).transpose(2, 0, 1)[None])"
    case (.safetensors, .npy):
      "import sys, numpy; from safetensors.numpy import load_file;"
        + " numpy.save(sys.argv[2], next(iter(load_file(sys.argv[1]).values())))"
    case (.zip, _), (.pickle, _), (.hdf5, _), (.text, _), (.png, .safetensors), (.npy, _),
      (.safetensors, .safetensors):
      nil
    }
  }

  /// Whether no text has this byte.
  private static func isControl(_ byte: UInt8) -> Bool {
    byte < 0x20 && ![0x09, 0x0A, 0x0D].contains(byte)
  }

  /// Of the first entry of a zip archive; its length and itself lie at fixed places.
  private static func firstName(inArchive head: [UInt8]) -> String {
    guard head.count > 30 else { return "" }
    let length = Int(head[26]) | Int(head[27]) << 8
    return String(decoding: head.dropFirst(30).prefix(length), as: UTF8.self)
  }

  /// The number with which `torch.save` began before it wrote zip archives, 0x1950a86a20f9469cfc6c.
  private static let torchPickle: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]
}
