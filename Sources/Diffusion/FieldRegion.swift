/// The fewest places that hold a share of the sum of squares, the largest first; whatever is equal by their order.
package func fewestPlaces(holding share: Double, of squares: [Double]) -> [Int] {
  let wanted = share * squares.reduce(0, +)
  var sum = 0.0
  var region: [Int] = []
  for place in squares.indices.sorted(by: { (squares[$0], $1) > (squares[$1], $0) }) {
    if sum >= wanted, !region.isEmpty { break }
    sum += squares[place]
    region.append(place)
  }
  return region
}
