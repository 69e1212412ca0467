import Measures

extension Template {
  static var studyText: String {
    """
      question: "Does a network that sees only windows draw more objects than it was trained on?",

      // Every random number comes from it. Repetitions: `replicate: { axis: "seed", from: 4, to: 8,
      // until: { metric: "\(Measure.recall.name)", k: 9, width: 0.06 } }` adds seeds run by run until the interval is
      // narrow enough.
      seed: 1,

      // What the report's verdict is about, said before anything runs.
      claims: {
        fails: [{ model: "unet[labelling=single]", against: "unet[labelling=all]" }],
        composes: [{ model: "windows", against: "unet[labelling=single]" }],
      },

      stages: {
        // Pictures of one to three objects; nobody trains on more.
        scenes: { kind: "generate", camera: "overhead", size: 32, cells: 16, objects: [1, 3], count: 20000 },

        // Finds the objects in generated pictures. It is trained on renders of its own.
        judge: { kind: "judge", camera: "overhead", size: 32, cells: 16 },

        // An instance for each value in a matrix: unet[labelling=all] and unet[labelling=single]. Told of
        // one object at random (`single`), an ordinary network fails beyond what it saw.
        unet: {
          kind: "train", inputs: { scenes: "scenes" }, matrix: { labelling: ["all", "single"] },
          network: { type: "unet", width: 16, normalization: "group" },
          pictures: 32000, // the price: a minute or two on two cores
        },

        // No operation reaches further than 6 px: scores are local by construction.
        windows: {
          kind: "train", inputs: { scenes: "scenes" }, labelling: "single",
          network: { type: "local", width: 32, dilations: [1, 1, 1, 1, 1] },
          pictures: 48000, batch: 32, learning_rate: 3e-3, sigma_mean: 0.5, sigma_deviation: 1.2, balance: 4,
        },

        // A stage that takes one with a matrix fans out over it.
        unet_locality: { kind: "probe", inputs: { denoiser: "unet", scenes: "scenes" } },

        // The same layouts and noise for all, so that effects are paired.
        unet_evaluated: {
          kind: "evaluate", inputs: { denoiser: "unet", judge: "judge" },
          counts: [1, 3, 5, 7, 9, 12], layouts: 24, // objects asked for; layouts for each
        },
        windows_evaluated: {
          kind: "evaluate", inputs: { denoiser: "windows", judge: "judge" },
          counts: [1, 3, 5, 7, 9, 12], layouts: 24,
        },

        comparison: { kind: "compare", inputs: { evaluations: ["unet_evaluated", "windows_evaluated"] } },
      },
    }

    """
  }

  static var masksText: String {
    """
      question: "Does hiding what lies outside a window repair a network that fails to compose?",
      seed: 1,

      // A control keeps something else: it tells whether it matters what a mask keeps.
      claims: {
        repairs: [
          { mask: "one_label[mask=conditioner]", of: "model", control: "one_label[mask=sum]" },
          { mask: "two_labels[keep=near]", of: "model", control: "two_labels[keep=far]" },
        ],
      },

      stages: {
        scenes: { kind: "generate", camera: "overhead", size: 32, cells: 16, objects: [1, 3], count: 20000 },
        judge: { kind: "judge", camera: "overhead", size: 32, cells: 16 },

        // The network to repair. Weights that were trained before come in with `locus import weights FILE`
        // and { kind: "import", weights: "THE HASH THAT IT PRINTS" }.
        model: {
          kind: "train", inputs: { scenes: "scenes" }, labelling: "single",
          network: { type: "unet", width: 16, normalization: "group" }, pictures: 32000,
        },

        // Nothing is trained here: each mask is a denoiser of its own, with the weights of `model`.
        // `identity` changes nothing and has to give the same bits. A labelled pixel sees its own label alone,
        // or `sum` adds what each label does alone; or it sees the nearest other one too, or the farthest.
        one_label: {
          kind: "intervene", inputs: { denoiser: "model", scenes: "scenes" },
          matrix: { mask: ["identity", "conditioner", "sum"] },
          radius: 7, // px within which a label is a pixel's own
        },
        two_labels: {
          kind: "intervene", inputs: { denoiser: "model", scenes: "scenes" },
          mask: "conditioner", labels: 2, matrix: { keep: ["near", "far"] }, radius: 7,
        },

        model_locality: { kind: "probe", inputs: { denoiser: "model", scenes: "scenes" } },
        model_evaluated: { kind: "evaluate", inputs: { denoiser: "model", judge: "judge" } },
        // A pass a label is dear: fewer K.
        one_label_evaluated: {
          kind: "evaluate", inputs: { denoiser: "one_label", judge: "judge" },
          counts: [1, 3, 6, 9, 12], layouts: 12,
        },
        two_labels_evaluated: {
          kind: "evaluate", inputs: { denoiser: "two_labels", judge: "judge" },
          counts: [1, 3, 6, 9, 12], layouts: 12,
        },

        comparison: {
          kind: "compare",
          inputs: { evaluations: ["model_evaluated", "one_label_evaluated", "two_labels_evaluated"] },
          counts: [1, 3, 6, 9, 12], // K at which all of them were tested
        },
      },
    }

    """
  }
}
