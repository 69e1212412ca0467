import Evaluation
import Formats
import Scenes
import Workflow

/// What an evaluation asked for and what its detectors found, picture by picture: from it and the pictures
/// anybody can count again.
package struct DetectionTable: Sendable {
  package struct Picture: Sendable {
    package var k: Int
    package var layout: Int
    /// That were requested, in px.
    package var places: [Place]
    /// That were requested.
    package var words: [String]
    /// By the judge.
    package var finds: [Row]
    /// By the background detector.
    package var crossCheck: [Row]

    package init(
      k: Int, layout: Int, places: [Place], words: [String] = [], finds: [Row], crossCheck: [Row]
    ) {
      self.words = words
      self.crossCheck = crossCheck
      self.k = k
      self.layout = layout
      self.places = places
      self.finds = finds
    }
  }

  package struct Row: Sendable {
    package var find: Find
    package var look: Look?
    /// The requested place that it meets.
    package var place: Int?

    package init(find: Find, look: Look?, place: Int?) {
      self.find = find
      self.look = look
      self.place = place
    }
  }

  /// In the order of the stored pictures.
  package var pictures: [Picture]

  package init(pictures: [Picture]) { self.pictures = pictures }

  private static let places = ["k", "layout", "place", "x", "y"]
  private static let words = ["k", "layout", "word"]
  private static let finds =
    ["k", "layout", "x", "y", "score", "opacity", "color", "size", "shape", "place"]

  package var json: JSONValue {
    let words = pictures.flatMap { picture in
      picture.words.map {
        [JSONValue.integer(picture.k), .integer(picture.layout), .string($0)]
      }
    }
    let requested = words.isEmpty ? [:] : ["words": Self.table(Self.words, words)]
    return .object(
      [
        "pictures": Self.table(
          ["k", "layout"],
          pictures.map { [.integer($0.k), .integer($0.layout)] }),
        "places": Self.table(
          Self.places,
          pictures.flatMap { picture in
            picture.places.enumerated().map {
              [
                .integer(picture.k), .integer(picture.layout), .integer($0.offset),
                .number($0.element.x), .number($0.element.y),
              ]
            }
          }),
        "finds": Self.table(
          Self.finds, pictures.flatMap { picture in picture.finds.map { Self.row($0, picture) } }),
        "background_finds": Self.table(
          Self.finds,
          pictures.flatMap { picture in picture.crossCheck.map { Self.row($0, picture) } }
        ),
      ].merging(requested) { own, _ in own })
  }

  private static func row(_ row: Row, _ picture: Picture) -> [JSONValue] {
    [
      .integer(picture.k), .integer(picture.layout), .number(row.find.place.x),
      .number(row.find.place.y), .number(row.find.score), .number(row.look?.opacity ?? 0),
      row.look.map { .string($0.attributes.color.rawValue) } ?? .null,
      row.look.map { .string($0.attributes.size.rawValue) } ?? .null,
      row.look.map { .string($0.attributes.shape.rawValue) } ?? .null,
      row.place.map(JSONValue.integer) ?? .null,
    ]
  }

  private static func table(_ columns: [String], _ rows: [[JSONValue]]) -> JSONValue {
    .object([
      "columns": .array(columns.map(JSONValue.string)), "rows": .array(rows.map(JSONValue.array)),
    ])
  }

  /// - Throws: `ArtifactError` for what is not as `json` writes it.
  package init(_ file: StageFile) throws {
    let value = try file.table()
    func rows(_ name: String, _ columns: [String]) throws -> [[JSONValue]] {
      let table = value[name]
      guard table?["columns"] == .array(columns.map(JSONValue.string)),
        let rows = table?["rows"]?.array
      else { throw ArtifactError(file: file, reason: "lacks \(name), or has other columns") }
      return try rows.map { row in
        guard let cells = row.array, cells.count == columns.count else {
          throw ArtifactError(file: file, reason: "has a row of \(name) that is none")
        }
        return cells
      }
    }
    struct Key: Hashable {
      var k: Int
      var layout: Int
    }
    func key(_ cells: [JSONValue]) throws -> Key {
      guard let k = cells[0].integer, let layout = cells[1].integer else {
        throw ArtifactError(file: file, reason: "has a row without a K and a layout")
      }
      return Key(k: k, layout: layout)
    }
    pictures = []
    var index: [Key: Int] = [:]
    for cells in try rows("pictures", ["k", "layout"]) {
      let key = try key(cells)
      index[key] = pictures.count
      pictures.append(Picture(k: key.k, layout: key.layout, places: [], finds: [], crossCheck: []))
    }
    func picture(_ cells: [JSONValue]) throws -> Int {
      guard let found = index[try key(cells)] else {
        throw ArtifactError(file: file, reason: "has a row about a picture that it does not list")
      }
      return found
    }
    for cells in try rows("places", Self.places) {
      guard let x = cells[3].number, let y = cells[4].number, x.isFinite, y.isFinite else {
        throw ArtifactError(file: file, reason: "has a place without coordinates")
      }
      pictures[try picture(cells)].places.append(Place(x: x, y: y))
    }
    for cells in try value["words"] == nil ? [] : rows("words", Self.words) {
      guard let word = cells[2].string else {
        throw ArtifactError(file: file, reason: "has a requested word that is none")
      }
      pictures[try picture(cells)].words.append(word)
    }
    func find(_ cells: [JSONValue], places: Int) throws -> Row {
      guard let x = cells[2].number, let y = cells[3].number, let score = cells[4].number,
        let opacity = cells[5].number, [x, y, score, opacity].allSatisfy(\.isFinite),
        cells[9] == .null || (0..<places).contains(cells[9].integer ?? -1)
      else { throw ArtifactError(file: file, reason: "has a find that is none") }
      var look: Look?
      if let color = cells[6].string.flatMap(ObjectColor.init(rawValue:)),
        let size = cells[7].string.flatMap(ObjectSize.init(rawValue:)),
        let shape = cells[8].string.flatMap(ObjectShape.init(rawValue:))
      {
        look = Look(
          opacity: opacity, attributes: ObjectAttributes(color: color, size: size, shape: shape))
      }
      return Row(
        find: Find(place: Place(x: x, y: y), score: score), look: look, place: cells[9].integer)
    }
    for cells in try rows("finds", Self.finds) {
      let own = try picture(cells)
      pictures[own].finds.append(try find(cells, places: pictures[own].places.count))
    }
    for cells in try rows("background_finds", Self.finds) {
      let own = try picture(cells)
      pictures[own].crossCheck.append(try find(cells, places: pictures[own].places.count))
    }
  }
}
