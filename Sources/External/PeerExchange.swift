import Diffusion
import Formats
import Foundation
import Streams

/// Why an exchange came to no end.
enum ExchangeFailure: CategorizedError {
  /// The program went away.
  case closed
  case silent
  case fault(AnswerFault)
  case notFinite(array: String, index: Int)
  /// Whoever asked does not want to know any more.
  case stopped(any Error)

  var category: ErrorCategory {
    switch self {
    case .closed, .silent: .unavailable
    case .fault(let fault): fault.category
    case .notFinite: .data
    case .stopped(let error): (error as? any CategorizedError)?.category ?? .bug
    }
  }
}

/// One request and its answer, piece by piece, in both directions at once.
final class PeerExchange {
  private let request: PeerRequest
  private var header: [UInt8]
  /// What is written: 0 is the header, then the arrays.
  private var part = 0
  private var written = 0

  private var line: [UInt8] = []
  private var answer: JSONValue?
  private var arrays: [[Float]] = []
  /// Arrays that are whole, and bytes of the one after them.
  private var received = 0
  private var bytesRead = 0
  private var fault: AnswerFault?

  init(_ request: PeerRequest) {
    self.request = request
    header = request.header
  }

  /// - Parameters:
  ///   - limit: seconds that it may take as a whole.
  ///   - checkCancellation: is called several times a second.
  func run(
    _ process: PeerProcess, limit: Double, checkCancellation: () throws -> Void
  ) throws(ExchangeFailure) -> (header: JSONValue, arrays: [PeerArray]) {
    let end = ContinuousClock.now + .seconds(limit)
    if process.hasOutput {
      throw .fault(
        AnswerFault("it goes on after the end of its answer to what it was asked before"))
    }
    while true {
      do { try checkCancellation() } catch { throw .stopped(error) }
      let left = end - .now
      if left <= .zero { throw .silent }
      let event = Spawning.withoutPipeSignal {
        process.step(
          min(left, .milliseconds(100)), hasOutgoing: part <= request.arrays.count,
          outgoing: write, incoming: read)
      }
      if let fault { throw .fault(fault) }
      if let answer, isWhole {
        if part <= request.arrays.count {
          throw .fault(AnswerFault("it answered before it had read what it was given"))
        }
        return (answer, try finished())
      }
      if case .closed = event { throw .closed }
    }
  }

  private func finished() throws(ExchangeFailure) -> [PeerArray] {
    for (expected, values) in zip(request.expected, arrays) {
      if let index = firstNotFinite(values) {
        throw .notFinite(array: expected.name, index: index)
      }
    }
    return zip(request.expected, arrays).map { PeerArray($0.name, $0.shape, $1) }
  }

  // MARK: - To the peer

  private func write(_ descriptor: Int32) -> Int {
    let count: Int
    let size: Int
    if part == 0 {
      size = header.count
      count = header.withUnsafeBytes { Self.write($0, from: written, descriptor) }
    } else {
      let values = request.arrays[part - 1].values
      size = values.count * MemoryLayout<Float>.size
      count = values.withUnsafeBytes { Self.write($0, from: written, descriptor) }
    }
    if count < 0 { return count }
    written += count
    if written == size { (part, written) = (part + 1, 0) }
    skipEmpty()
    return count
  }

  /// There is nothing to write of an array without elements.
  private func skipEmpty() {
    while part > 0, part <= request.arrays.count, request.arrays[part - 1].values.isEmpty {
      part += 1
    }
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, from place: Int, _ descriptor: Int32)
    -> Int
  {
    guard let start = bytes.baseAddress else { return 0 }
    return Foundation.write(descriptor, start + place, min(bytes.count - place, 1 << 20))
  }

  // MARK: - From the peer

  private var isWhole: Bool { received == request.expected.count }

  /// Reads a piece of the header or of an array.
  private func read(_ descriptor: Int32) -> Int {
    if answer == nil { return readHeader(descriptor) }
    if isWhole {
      fault = AnswerFault("it goes on after the end of its answer")
      return 1
    }
    let place = received
    let from = bytesRead
    let count = arrays[place].withUnsafeMutableBytes { bytes -> Int in
      guard let start = bytes.baseAddress else { return 0 }
      return Foundation.read(descriptor, start + from, min(bytes.count - from, 1 << 20))
    }
    if count > 0 { advance(count) }
    return count
  }

  private func readHeader(_ descriptor: Int32) -> Int {
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    let count = Foundation.read(descriptor, &piece, piece.count)
    if count <= 0 { return count }
    guard let newline = piece[..<count].firstIndex(of: UInt8(ascii: "\n")) else {
      line += piece[..<count]
      if line.count > request.longestAnswer {
        fault = AnswerFault(
          "its header does not end within \(request.longestAnswer) bytes; it begins with "
            + PeerRequest.excerpt(line))
      }
      return count
    }
    line += piece[..<newline]
    do throws(AnswerFault) {
      answer = try request.read(header: line)
    } catch {
      fault = error
      return count
    }
    makeRoom()
    take(piece[(newline + 1)..<count])
    return count
  }

  /// What came in one piece with the header.
  private func take(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while !rest.isEmpty {
      if isWhole {
        fault = AnswerFault(
          "it goes on after the end of its answer with " + PeerRequest.excerpt(rest))
        return
      }
      let place = received
      let from = bytesRead
      let count = arrays[place].withUnsafeMutableBytes { target -> Int in
        let part = rest.prefix(target.count - from)
        target[from..<from + part.count].copyBytes(from: part)
        return part.count
      }
      rest = rest.dropFirst(count)
      advance(count)
    }
  }

  /// Bytes of the array that is read have come.
  private func advance(_ count: Int) {
    bytesRead += count
    if bytesRead < request.expected[received].count * MemoryLayout<Float>.size { return }
    received += 1
    bytesRead = 0
    makeRoom()
  }

  /// For the next array: as much as was asked for, whatever else was announced.
  private func makeRoom() {
    if !isWhole { arrays.append([Float](repeating: 0, count: request.expected[received].count)) }
  }
}
