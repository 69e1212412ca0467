import Foundation

/// How pictures of a camera are lit and what their surfaces do with light, in linear light where 1 is a byte of 255.
struct Light: Sendable {
  /// Brightness at the middle of the ground: by the key, fill and back lamp.
  var powers: [Float]
  /// Light falls as 1 / (distance² + softness): area lamps leave no hot spots on the ground.
  var softness: Float
  var ambient: Float
  /// Share of the light that the ground gives back, by channel.
  var ground: SIMD3<Float>
  /// What is seen above the horizon.
  var backdrop: SIMD3<Float>
  /// Of a rubber surface's lustre, beside its colour.
  var sheen: Float
  /// Share of diffuse light that metal gives back.
  var dullness: Float
  /// Of the lamps' highlights on metal.
  var highlight: Float
  var surroundings: Surroundings
  var paint: Paint

  /// What metal mirrors.
  enum Surroundings: Sendable {
    /// Grey ground below and a bright sky above, wherever it stands.
    case sky
    /// The ground and the objects that stand around it, or what `above` has where nothing does; `share` of it.
    case scene(share: Float, above: Float)
  }

  /// How CLEVR's colours (`ObjectColor.rgb`) become a surface's share of light.
  enum Paint: Sendable {
    /// As bytes of a picture are.
    case bytes
    /// As they stand, over 255: CLEVR's generator hands them to Blender so, which takes them for linear light. So
    /// its colours are paler than their numbers say.
    case linear

    func color(_ color: ObjectColor) -> SIMD3<Float> {
      switch self {
      case .bytes: Encoding.linear(color.rgb / 255)
      case .linear: color.rgb / 255
      }
    }
  }

  /// Bright and saturated: objects of a few pixels are told apart.
  static let plain = Light(
    powers: [0.46, 0.2, 0.22], softness: 40, ambient: 0.4, ground: [0.42, 0.415, 0.41],
    backdrop: SIMD3(repeating: 0.32), sheen: 0.12, dullness: 0.62, highlight: 1.6,
    surroundings: .sky, paint: .bytes)

  /// That of CLEVR's pictures: least squares on every second of 24 pictures of v1.0 with their scenes (9,600 points
  /// a picture, lamps where the base scene has them).
  static let clevr = Light(
    powers: [0.111, 0.044, 0.057], softness: 13.8, ambient: 0.168, ground: [0.758, 0.745, 0.733],
    backdrop: SIMD3(repeating: 0.32), sheen: 0, dullness: 0.1, highlight: 0.61,
    surroundings: .scene(share: 0.74, above: 0.09), paint: .linear)
}

extension CameraKind {
  var light: Light {
    switch self {
    case .overhead: .plain
    case .clevr, .whole, .center: .clevr
    }
  }

  /// Raised by hand when a camera's light changes; `nil`: it never has.
  package var lightRevision: Int? {
    switch self {
    case .overhead: nil
    case .clevr, .whole, .center: 2
    }
  }

  /// Share of light, by channel, that a surface of a colour gives back in this camera's pictures.
  package func paint(_ color: ObjectColor) -> SIMD3<Double> {
    SIMD3<Double>(light.paint.color(color))
  }
}
