import Formats
import Foundation
import Scenes
import Tensors
import Vectors

/// A judge on disk, with its cross-check and the recall of both for each K.
package struct JudgeFile: Sendable {
  package var judge: Judge
  package var background: BackgroundDetector
  package var camera: CameraKind
  package var size: Int
  /// By K: recall on held-out renders; K = 0 counts as 1.
  package var judgeRecall: [Double]
  package var backgroundRecall: [Double]

  package init(_ trained: TrainedJudge, settings: JudgeSettings) {
    judge = trained.judge
    background = trained.background
    camera = settings.camera
    size = settings.size
    judgeRecall = trained.judgeCalibration.map { $0.recall?.value ?? 1 }
    backgroundRecall = trained.backgroundCalibration.map { $0.recall?.value ?? 1 }
  }

  package func data() -> Data {
    var tensors: [String: Safetensors.Tensor] = [:]
    for tensor in judge.weights.tensors() {
      tensors["network." + tensor.name] = Safetensors.Tensor(
        shape: tensor.shape, values: tensor.values)
    }
    tensors["background.ground"] = Safetensors.Tensor(
      shape: [size, size, 3], values: background.ground)
    tensors["calibration.judge"] = vector(judgeRecall)
    tensors["calibration.background"] = vector(backgroundRecall)
    return Safetensors(
      tensors: tensors,
      metadata: [
        "camera": camera.rawValue, "size": "\(size)", "threshold": "\(judge.threshold)",
        "background_threshold": "\(background.threshold)", "instructions": instructionSet,
      ]
    ).data()
  }

  private func vector(_ values: [Double]) -> Safetensors.Tensor {
    Safetensors.Tensor(shape: [values.count], values: values.map { Float($0) })
  }

  package init(data: Data) throws(EvaluationError) {
    let file: Safetensors
    do {
      file = try Safetensors(data: data)
    } catch {
      throw .judge(error.description)
    }
    guard let camera = file.metadata["camera"].flatMap(CameraKind.init(rawValue:)),
      let size = file.metadata["size"].flatMap({ Int($0) }), (8...1024).contains(size),
      let threshold = file.metadata["threshold"].flatMap({ Float($0) }),
      let backgroundThreshold = file.metadata["background_threshold"].flatMap({ Float($0) }),
      let ground = file.tensors["background.ground"], ground.shape == [size, size, 3],
      let judgeRecall = file.tensors["calibration.judge"],
      let backgroundRecall = file.tensors["calibration.background"]
    else { throw .judge("lacks its camera, size, thresholds, ground or calibration") }
    let constants = [threshold, backgroundThreshold] + judgeRecall.values + backgroundRecall.values
    if !constants.allSatisfy(\.isFinite) {
      throw .judge("has a threshold or a calibration that is not a finite number")
    }
    let counts = JudgeSettings.mostObjects + 1
    if judgeRecall.values.count != counts || backgroundRecall.values.count != counts {
      throw .judge("its calibration is not for K = 0 to \(JudgeSettings.mostObjects)")
    }
    let network = JudgeNetwork(size: size)
    let weights: Weights
    let prefix = "network."
    do {
      weights = try network.graph.makeWeights(
        file.tensors.filter { $0.key.hasPrefix(prefix) }.map {
          NamedTensor(
            name: String($0.key.dropFirst(prefix.count)), shape: $0.value.shape,
            values: $0.value.values)
        })
    } catch {
      throw .judge(error.description)
    }
    judge = Judge(network: network, weights: weights, threshold: threshold)
    background = BackgroundDetector(
      size: size, ground: ground.values, threshold: backgroundThreshold)
    self.camera = camera
    self.size = size
    self.judgeRecall = judgeRecall.values.map { Double($0) }
    self.backgroundRecall = backgroundRecall.values.map { Double($0) }
  }
}
