import Formats
import Foundation
import Workflow

/// A file that the command line names: a FIFO, a device or /dev/stdin is read to its end.
func readFile(_ path: String) throws(UsageError) -> Data {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
  guard descriptor >= 0 else {
    let reason = errno == ENOENT ? "there is no such file" : String(cString: strerror(errno))
    throw .missingFile(path, reason: reason)
  }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else {
    throw .missingFile(path, reason: String(cString: strerror(errno)))
  }
  switch status.st_mode & S_IFMT {
  case S_IFDIR: throw .missingFile(path, reason: "this is a folder")
  case S_IFREG:
    do {
      return try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
    } catch {
      throw .missingFile(path, reason: message(of: error))
    }
  default: return try readStream(descriptor, path)
  }
}

/// What a stream gives; one without an end shall not take all memory.
private func readStream(_ descriptor: Int32, _ path: String) throws(UsageError) -> Data {
  let limit = 1 << 30
  var data = Data()
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  while data.count <= limit {
    let count = read(descriptor, &piece, piece.count)
    if count == 0 { return data }
    if count < 0 {
      if errno == EINTR { continue }
      throw .missingFile(path, reason: String(cString: strerror(errno)))
    }
    data.append(contentsOf: piece[..<count])
  }
  throw .badFile(path, reason: "more than \(limit >> 30) GiB came; a file may have more")
}

/// What is wrong with a file that is not of the wanted format: where it is of another one that is known,
/// which one, and how to convert it.
func wrongFormat(
  _ path: String, _ data: Data, wanted: ForeignFormat.Wanted, _ error: FormatError
) -> UsageError {
  guard let found = ForeignFormat(data), found != wanted.format else {
    return .badFile(path, reason: error.description)
  }
  let fault = "this is \(found.description); a .\(wanted.rawValue) file is read"
  guard let line = found.conversion(to: wanted) else { return .badFile(path, reason: fault) }
  let name = URL(filePath: path).deletingPathExtension().lastPathComponent
  let files = [path, "\(name).\(wanted.rawValue)"].map(Escape.shellIfNeeded).joined(separator: " ")
  return .badFile(path, reason: "\(fault): python3 -c \(Escape.shell(line)) \(files)")
}
