import Diffusion
import Formats

/// Why an analytic denoiser was refused, or could not answer.
package enum AnalyticError: CategorizedError, Hashable, CustomStringConvertible {
  case schedule(String)
  case setting(name: String, found: String, accepted: String)
  /// Windows of labels go by their places.
  case places(NoPlaces)
  case label(index: Int, value: Float)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .schedule(let found):
      "the windows are \(found), accepted: one step or more, of rising sigma, radii from 0 up"
    case .setting(let name, let found, let accepted):
      "\(name) is \(found), accepted: \(accepted)"
    case .places(let error): "windows of labels: \(error.description)"
    case .label(let index, let value):
      "labels[\(index)] is \(value); training conditioners hold counts, whole numbers from 0 up"
    }
  }
}
