private let evaluate = ["evaluate"]
private let probe = ["probe"]

/// Pictures drawn for requested words. What is requested and found are words there, so that recall and
/// precision, K_max and effects are those of places.
extension Measure {
  package static let recallByWord = Measure(
    "recall_by_word", by: [.k, .seed, .attribute], interval: .wilson, in: evaluate,
    "Share of the requests for a word, among K, of which the judge finds an object that it is true of."
  )
  package static let heldOutAsked = Measure(
    "held_out_asked", by: [.k, .seed], in: evaluate,
    "Share of requests with a combination of words that training held out.")
  package static let mixing = Measure(
    "mixing", by: [.k, .seed], interval: .bootstrapOrWilson, in: evaluate,
    "Share of found objects whose colour is none of the eight: farther in chromaticity than renders are."
  )
  package static let emptyPictures = Measure(
    "empty_pictures", by: [.seed], interval: .wilson, in: evaluate,
    "Share of pictures without an object where it was said that nothing is there.")
  package static let renderedMixing = Measure(
    "rendered_mixing", interval: .wilson, in: evaluate,
    "The same share among objects of held-out renders.")
  package static let blendMixing = Measure(
    "blend_mixing", in: evaluate,
    "Share of half-and-half blends of two of the eight colours that are farther than renders are.")
  package static let renderedWords = Measure(
    "rendered_words", by: [.detector, .attribute], interval: .wilson, in: evaluate,
    "Share of held-out renders of which a word is true in which it is found.")
  package static let renderedColor = Measure(
    "rendered_color", by: [.detector, .attribute], interval: .wilson, in: evaluate,
    "Share of rendered objects of a size and a colour that are found and told for that colour.")
  package static let colorConfusion = Measure(
    "color_confusion", by: [.detector, .pair], in: evaluate,
    "Share of rendered objects of a colour that are told for another one, or missed.")

  package static let wordInside = Measure(
    "word.inside", by: [.k, .sigma], interval: .pictures, in: probe,
    "Share of a word's squared effect in its region: the fewest pixels that hold 75 % of it under other noise.",
    source: .localScores)
  package static let wordArea = Measure(
    "word.area", by: [.k, .sigma], interval: .pictures, in: probe,
    "The region's share of the picture.")
  package static let wordRemote = Measure(
    "word.remote", by: [.k, .sigma], interval: .pictures, in: probe,
    "Effect in a word's region of all other words going at once, over that of its own going.",
    source: .localScores)
  package static let wordEffect = Measure(
    "word.effect", by: [.k, .sigma, .attribute], interval: .pictures, in: probe,
    "Root mean square effect of a word that is told no longer, over the output itself.")

  static let wordProbe: [Measure] = [wordInside, wordArea, wordRemote, wordEffect]
  static let wordEvaluation: [Measure] = [
    recallByWord, heldOutAsked, mixing, emptyPictures, renderedMixing, blendMixing, renderedWords,
    renderedColor, colorConfusion,
  ]
}
