/// A chart of any kind; the looks of its names are those of the page that it stands on.
package enum Chart: Sendable, Hashable {
  case lines(LineChart)
  case intervals(IntervalChart)
  case scatter(ScatterChart)
  case heatMap(HeatMapChart)

  /// What has a colour of its own, in order.
  package var names: [String] {
    switch self {
    case .lines(let chart): chart.names
    case .intervals(let chart): chart.names
    case .scatter(let chart): chart.names
    case .heatMap: []
    }
  }

  package func svg(_ looks: ChartLooks) -> String {
    switch self {
    case .lines(let chart): chart.svg(looks)
    case .intervals(let chart): chart.svg(looks)
    case .scatter(let chart): chart.svg(looks)
    case .heatMap(let chart): chart.svg()
    }
  }
}
