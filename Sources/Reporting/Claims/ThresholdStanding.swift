import Statistics

/// Where an interval lies to the recall from which a model composes.
enum ThresholdStanding: Hashable {
  /// All of it at or above.
  case reached
  /// All of it below.
  case below
  case open
}

extension Estimate {
  func standing(to threshold: Double) -> ThresholdStanding {
    (low ?? value) >= threshold ? .reached : (high ?? value) < threshold ? .below : .open
  }
}
