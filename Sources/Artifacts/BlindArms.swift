import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Workflow

/// Evaluations whose pictures a person looks at, read from their manifests.
package struct BlindArms: Sendable {
  package struct Arm: Sendable {
    /// SHA-256 of the outcomes' manifest.
    package var outcomes: String
    package var pictures: [DetectionTable.Picture]
    package var places: [JudgedPlace]
    /// SHA-256 of the pictures.
    package var samples: String
  }

  package var arms: [Arm]

  /// - Parameter outcomes: the manifests' hashes.
  /// - Throws: `ArtifactError` for what is no evaluation of this version.
  package init(_ outcomes: [String], object: (String) throws -> StageFile) throws {
    arms = try outcomes.map { sha256 in
      let manifest = try OutcomesManifest(object(sha256))
      let pictures = try DetectionTable(object(manifest.detections)).pictures
      if pictures.contains(where: { !$0.words.isEmpty }) { throw BlindSheetError.words }
      return Arm(
        outcomes: sha256, pictures: pictures, places: Self.places(pictures),
        samples: manifest.samples)
    }
  }

  private static func places(_ pictures: [DetectionTable.Picture]) -> [JudgedPlace] {
    pictures.enumerated().flatMap { n, picture in
      let plain = Set(picture.crossCheck.compactMap(\.place))
      return picture.places.indices.map { place -> JudgedPlace in
        let find = picture.finds.first { $0.place == place }
        let isSolid = find.map { ($0.look?.opacity ?? 0) >= LookCalibration.solid } ?? false
        let standing: PlaceStanding =
          find == nil ? .missed : !isSolid ? .faint : plain.contains(place) ? .agreed : .merged
        return JudgedPlace(picture: n, place: place, standing: standing)
      }
    }
  }

  package func sheet(count: Int, seed: UInt64) -> BlindSheet {
    BlindSheet(arms: arms.map(\.places), count: count, seed: seed)
  }

  /// The sheet's tiles, ten a row, each row with the number of its first; only the place in question is
  /// outlined.
  package func draw(_ sheet: BlindSheet, object: (String) throws -> StageFile) throws -> PNGImage {
    let samples = try arms.map { try Samples(object($0.samples)) }
    guard let size = samples.first?.size, samples.allSatisfy({ $0.size == size }) else {
      throw BlindSheetError.sizes
    }
    let columns = 10
    let rows = try stride(from: 0, to: sheet.tiles.count, by: columns).map { first in
      let tiles = sheet.tiles[first..<min(first + columns, sheet.tiles.count)]
      return SampleGrid.Row(
        label: first + 1,
        pictures: try tiles.map { try samples[$0.arm].picture($0.place.picture) },
        places: tiles.map {
          [arms[$0.arm].pictures[$0.place.picture].places[$0.place.place]]
        })
    }
    // Boxes of an eighth of the side: twice as far as a find may lie from its place, about.
    return try SampleGrid.draw(
      rows, shape: PictureShape(size: size, cells: size % 8 == 0 ? 8 : 4),
      scale: max(4, 192 / size))
  }

  /// The stored pictures of an evaluation.
  private struct Samples {
    let size: Int
    private let pixels: [UInt8]
    private let file: StageFile

    init(_ file: StageFile) throws {
      self.file = file
      let (shape, pixels) = try file.bytes()
      guard shape.count == 4, shape[1] == shape[2], shape[3] == 3 else {
        throw ArtifactError(file: file, reason: "holds no pictures")
      }
      size = shape[1]
      self.pixels = pixels
    }

    func picture(_ n: Int) throws -> [Float] {
      let count = size * size * 3
      guard (n + 1) * count <= pixels.count else {
        throw ArtifactError(file: file, reason: "has fewer pictures than its detections")
      }
      return pixels[n * count..<(n + 1) * count].map(TrainingSet.value)
    }
  }
}

/// A sheet that cannot be made or read back.
package enum BlindSheetError: CategorizedError, Hashable, CustomStringConvertible {
  case sizes
  case words
  case header(found: String)
  case row(line: Int, found: String)
  case otherSheet(line: Int)
  case unanswered(arm: String, standing: PlaceStanding)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .sizes:
      "pictures of several sizes do not fit one sheet; choose evaluations of one size with --arm"
    case .words:
      "a sheet asks whether an object is at a place, and an evaluation asked for words; choose others with"
        + " --arm"
    case .header(let found):
      "the first line is \"\(found)\", expected \"\(BlindAnswers.columns.joined(separator: ","))\" as"
        + " `locus blind` writes it"
    case .row(let line, let found):
      "line \(line) is \"\(found)\": expected the sheet, the tile's number, and 1 or 0 (yes or no)"
        + " for whether an object is in the box, or nothing"
    case .otherSheet(let line):
      "line \(line) is of another sheet than the lines before, or names a tile twice or one that is not on it"
    case .unanswered(let arm, let standing):
      "of \(arm) no tile that the detectors call \(standing.rawValue) was answered, so that nothing"
        + " follows for all places; answer more tiles"
    }
  }
}

/// The table that goes to a person and comes back: which sheet, which tile, and an answer. It says nothing of
/// what the detectors found; that is drawn from the store again.
package struct BlindAnswers: Sendable, Hashable {
  package var sheet: Sheet
  /// By tile; `nil` where nothing was said.
  package var answers: [Bool?]

  /// What a sheet was drawn from: enough to draw it again.
  package struct Sheet: Sendable, Hashable {
    /// SHA-256 of the outcomes' manifests.
    package var outcomes: [String]
    package var count: Int
    package var seed: UInt64

    package init(outcomes: [String], count: Int, seed: UInt64) {
      self.outcomes = outcomes
      self.count = count
      self.seed = seed
    }

    var text: String { "\(seed):\(count):" + outcomes.joined(separator: "+") }

    init?(_ text: String) {
      let parts = text.split(separator: ":" as Character, omittingEmptySubsequences: false)
      guard parts.count == 3, let seed = UInt64(parts[0]), let count = Int(parts[1]),
        (1...BlindAnswers.mostTiles).contains(count)
      else { return nil }
      let outcomes = parts[2].split(separator: "+" as Character).map(String.init)
      if outcomes.isEmpty || !outcomes.allSatisfy(SHA256.isHash) { return nil }
      self.init(outcomes: outcomes, count: count, seed: seed)
    }
  }

  private enum Answer {
    case object, nothing, unsaid

    init?(_ word: String) {
      switch word.lowercased() {
      case "1", "yes", "y", "true": self = .object
      case "0", "no", "n", "false": self = .nothing
      case "": self = .unsaid
      default: return nil
      }
    }

    var object: Bool? { self == .unsaid ? nil : self == .object }
  }

  /// What three digits number.
  package static let mostTiles = 999
  static let columns = ["sheet", "tile", "object"]

  package init(sheet: Sheet, answers: [Bool?]) {
    self.sheet = sheet
    self.answers = answers
  }

  package var csv: String {
    ([Self.columns.joined(separator: ",")]
      + answers.enumerated().map { tile, answer in
        "\(sheet.text),\(tile + 1),\(answer.map { $0 ? "1" : "0" } ?? "")"
      }).joined(separator: "\n") + "\n"
  }

  /// - Throws: for what is not such a table, with the line. Spreadsheets may quote, use `;` and CRLF.
  package init(csv: String) throws(BlindSheetError) {
    let lines = csv.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    func cells(_ line: Substring) -> [String] {
      line.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "," || $0 == ";" }).map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: "\" \t\u{FEFF}"))
      }
    }
    guard let first = lines.first, cells(first).prefix(3) == Self.columns[...] else {
      throw .header(found: String(lines.first ?? ""))
    }
    var sheet: Sheet?
    var given: [Int: Answer] = [:]
    for (index, line) in lines.enumerated().dropFirst() {
      let cells = cells(line)
      if cells.allSatisfy(\.isEmpty) { continue }
      guard cells.count >= 3, let own = Sheet(cells[0]), let tile = Int(cells[1]),
        let answer = Answer(cells[2])
      else { throw .row(line: index + 1, found: String(line.prefix(80))) }
      if sheet ?? own != own || given[tile] != nil || !(1...own.count).contains(tile) {
        throw .otherSheet(line: index + 1)
      }
      sheet = own
      given[tile] = answer
    }
    guard let sheet else { throw .header(found: "nothing but a header") }
    self.init(sheet: sheet, answers: (1...sheet.count).map { given[$0]?.object })
  }
}
