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
    /// (S, S): for every pixel the position of the pass that it takes: the sets M_j of CPC, disjoint and
    /// covering the picture.
    case stitched([Int])
    /// Every pixel is the sum of all passes, each times its weight.
    case weighted([Float])
  }

  private(set) var passes: [MaskPass] = []
  private(set) var combination: Combination

  /// Every pixel names one view; of these, equal passes are done once: a picture without labels needs one
  /// for every conditioner mask.
  init<View: Hashable>(
    size: Int, _ view: (_ row: Int, _ column: Int) -> View, pass: (View) -> MaskPass
  ) {
    var choice = [Int](repeating: 0, count: size * size)
    var position: [View: Int] = [:]
    var known: [MaskPass: Int] = [:]
    for row in 0..<size {
      for column in 0..<size {
        let view = view(row, column)
        if let found = position[view] {
          choice[row * size + column] = found
          continue
        }
        let wanted = pass(view)
        let place = known[wanted] ?? passes.count
        if place == passes.count {
          passes.append(wanted)
          known[wanted] = place
        }
        position[view] = place
        choice[row * size + column] = place
      }
    }
    combination = .stitched(choice)
  }

  /// Passes of weight 0 are left out.
  init(weighted parts: [(pass: MaskPass, weight: Float)]) {
    let parts = parts.filter { $0.weight != 0 }
    passes = parts.map(\.pass)
    combination = .weighted(parts.map(\.weight))
  }

  /// The one pass that sees everything.
  static func whole(size: Int) -> PassPlan {
    PassPlan(size: size, { _, _ in 0 }, pass: { _ in .whole })
  }
}
