import Artifacts
import Diffusion
import Formats
import Foundation
import Measures
import Scenes
import Workflow

/// `import-clevr`: scenes in CLEVR's format, with their PNG pictures or rendered here.
package enum ImportCLEVRStage {
  package struct Options: Settings {
    @Setting("CLEVR's scenes.json; a path counts from the pipeline file's folder") var scenes:
      String
    @Setting(
      default: "", "the folder of its PNG pictures; without one the scenes are rendered here")
    var images: String
    @Setting(
      default: CameraKind.whole,
      "clevr-whole: CLEVR's pictures squeezed into a square; clevr-center: their middle 320 × 320, and only scenes all of whose objects have their centre there"
    )
    var camera: CameraKind
    @Setting(Shared.size) var size: Int
    @Setting(Shared.cells) var cells: Int
    @Setting(
      each: 0...CLEVRFile.mostObjects, count: 2...2, default: [0, CLEVRFile.mostObjects],
      "fewest and most objects: other scenes are left out")
    var objects: [Int]
    @Setting(
      any: ObjectColor.self, "scenes with objects of other colours are left out; empty: none")
    var colors: [ObjectColor]
    @Setting(any: ObjectShape.self, "scenes with objects of other shapes are left out; empty: none")
    var shapes: [ObjectShape]
    @Setting(
      default: HiddenObjects.keep,
      "scenes with an object of which others leave fewer than 200 pixels of 480 × 320 to be seen: keep, drop"
    )
    var hidden: HiddenObjects
    @Setting(
      each: 0...255, count: 3...3, default: [128, 128, 128],
      "red, green and blue behind what is transparent in a picture")
    var background: [Int]
    @Setting(1...8, default: 3, "samples along a pixel's side, of scenes that are rendered here")
    var supersample: Int

    package init() {}
  }

  enum HiddenObjects: String, Decodable, CaseIterable, Sendable { case keep, drop }

  package static let kind = StageKind(
    name: "import-clevr", version: 3,
    summary: "Takes scenes and pictures in CLEVR's format, or renders the scenes.",
    settings: Options.self, inputs: [], produces: .pictureSet, isSeeded: false, check: check,
    foresee: { options, _ in
      Foreseen(
        camera: options.camera, size: options.size, space: .grid(cells: options.cells)
      ).value
    },
    outside: [
      OutsideDeclaration(
        "scenes", .file, remedy: "it is CLEVR_<split>_scenes.json of CLEVR v1.0's folder `scenes`"),
      OutsideDeclaration(
        "images", .folder(ending: ".png"),
        remedy: "it is a folder of CLEVR v1.0's `images`; without `images` Locus renders the scenes"
      ),
    ],
    memory: { options, context in
      // A scene takes some kilobytes of text and some hundred bytes of memory.
      let text = try context.outside["scenes"]?.bytes ?? 0
      return text / 4 + (64 << 20)
    },
    run: { options, context in
      var work = try CLEVRImport(options, context)
      return try work.run()
    })

  private static func check(_ options: Options) -> [ParameterProblem] {
    var problems = Shared.checkView(size: options.size, cells: options.cells)
    if options.scenes.isEmpty {
      problems.append(
        ParameterProblem(path: "scenes", message: "found \"\", accepted: the path of a scenes.json")
      )
    }
    problems += Shared.checkObjects(options.objects)
    if options.camera.part(ofWidth: CLEVRView.width, height: CLEVRView.height) == nil {
      problems.append(
        ParameterProblem(
          path: "camera",
          message:
            "found \"\(options.camera.rawValue)\", accepted: \"clevr-whole\" or \"clevr-center\", as CLEVR's pictures are taken"
        ))
    }
    return problems
  }
}
