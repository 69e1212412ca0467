import Formats

/// A small version of a pipeline: budgets, such as pictures to train on, times a number.
package struct PipelineScale {
  package static let key = "scale"
  static let range = 0.0001...1.0
  var factor = 1.0

  /// Normalised parameters with what the kind declares as a budget scaled, rounded up, within its range.
  func applied(to values: [String: JSONValue], of parameters: [Parameter]) -> [String: JSONValue] {
    if factor == 1 { return values }
    var values = values
    for parameter in parameters where parameter.isBudget {
      if let value = values[parameter.name] {
        values[parameter.name] = scaled(value, as: parameter.type)
      }
    }
    return values
  }

  private func scaled(_ value: JSONValue, as type: ParameterType) -> JSONValue {
    switch (type, value) {
    case (.integer(let range), _):
      guard let number = value.integer else { return value }
      let product = (Double(number) * factor).rounded(.up)
      return .integer(min(max(Int(product), range.lowerBound), range.upperBound))
    case (.list(let element, _), .array(let values)):
      return .array(values.map { scaled($0, as: element) })
    default: return value
    }
  }
}
