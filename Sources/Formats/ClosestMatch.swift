/// The candidate that `word` was probably meant to be: the nearest by edits (Damerau and Levenshtein,
/// optimal string alignment), if at most a third of its letters differ. Cost |word| · Σ |candidate|.
package func closestMatch(_ word: String, in candidates: [String]) -> String? {
  let letters = Array(word.lowercased())
  // A very long word is no typing error.
  if letters.count > 100 { return nil }
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let distance = editDistance(letters, Array(candidate.lowercased()))
    if distance <= max(1, max(letters.count, candidate.count) / 3),
      distance < best?.distance ?? Int.max
    {
      best = (candidate, distance)
    }
  }
  return best?.candidate
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var beforeLast = [Int]()
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        cost = min(cost, beforeLast[j - 1] + 1)
      }
      row.append(cost)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
