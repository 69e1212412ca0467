import Diffusion

/// One pass of the masked denoiser: what the base is shown.
struct MaskPass: Hashable {
  /// Index of the block whose surroundings are shown; `nil`: all pixels.
  var block: Int?
  /// Entries of the conditioner that are shown, ascending; `nil`: all of them.
  var cells: [Int]?
  /// Tells passes apart that are shown the same and yet done each.
  var copy = 0

  static let whole = MaskPass(block: nil, cells: nil)
}

/// The passes of one picture, and how they make its output.
struct PassPlan {
  enum Combination {
    /// For every place the position of the pass that it takes: the sets M_j of CPC, disjoint and
    /// covering the picture.
    case stitched([Int])
    /// Every value is the sum of all passes, each times its weight.
    case weighted([Float])
  }

  private(set) var passes: [MaskPass] = []
  private(set) var combination: Combination

  /// Every place names one view; of these, equal passes are done once: a picture without labels needs one
  /// for every conditioner mask.
  init<View: Hashable>(places: Int, _ view: (Int) -> View, pass: (View) -> MaskPass) {
    var choice = [Int](repeating: 0, count: places)
    var position: [View: Int] = [:]
    var known: [MaskPass: Int] = [:]
    for place in 0..<places {
      let view = view(place)
      if let found = position[view] {
        choice[place] = found
        continue
      }
      let wanted = pass(view)
      let index = known[wanted] ?? passes.count
      if index == passes.count {
        passes.append(wanted)
        known[wanted] = index
      }
      position[view] = index
      choice[place] = index
    }
    combination = .stitched(choice)
  }

  /// The same of a square.
  init<View: Hashable>(
    size: Int, _ view: (_ row: Int, _ column: Int) -> View, pass: (View) -> MaskPass
  ) {
    self.init(places: size * size, { view($0 / size, $0 % size) }, pass: pass)
  }

  /// Passes of weight 0 are left out.
  init(weighted parts: [(pass: MaskPass, weight: Float)]) {
    let parts = parts.filter { $0.weight != 0 }
    passes = parts.map(\.pass)
    combination = .weighted(parts.map(\.weight))
  }

  /// The one pass that sees everything.
  static func whole(places: Int) -> PassPlan {
    PassPlan(places: places, { _ in 0 }, pass: { _ in .whole })
  }
}

/// How the values of a picture lie.
struct ValueOrder: Hashable {
  let places: Int
  let channels: Int
  /// From a place to the next one, and from a channel to the next.
  let placeStride: Int
  let channelStride: Int

  /// (S, S, 3).
  init(_ shape: PictureShape) {
    (places, channels) = (shape.size * shape.size, PictureShape.channels)
    (placeStride, channelStride) = (PictureShape.channels, 1)
  }

  /// (C, H, W).
  init(_ shape: FieldShape) {
    (places, channels) = (shape.places, shape.channels)
    (placeStride, channelStride) = (1, shape.places)
  }

  var count: Int { places * channels }
}
