extension Template {
  static var colorsText: String {
    """
      question: "Told which colours occur and not where, does a network draw more of them, and other pairs, than training showed?",
      seed: 1,

      // What each word does alone, added up, knows nothing of how words go together.
      claims: { repairs: [{ mask: "added", of: "model" }] },

      stages: {
        // A conditioner has an entry for each of CLEVR's eight colours. Pictures with both colours of a pair
        // are left out. Other words: "shapes", "color-shape" (red cube, …), "colors+shapes" (red, cube, …);
        // "materials" are generated and trained on, and not evaluated.
        scenes: {
          kind: "generate", camera: "overhead", size: 32, cells: 16, objects: [1, 3], count: 20000,
          conditioner: "colors", held_out: [["red", "cyan"], ["green", "purple"]],
        },
        judge: { kind: "judge", camera: "overhead", size: 32, cells: 16 },

        // Words enter at the U-Net's lowest level alone, all by the same channels (`lowest`) or each by its own (`words`),
        // where they are heeded most of what was tried; or through the embedding (`vector`), or there and as constant
        // maps beside the picture (`channels`).
        model: {
          kind: "train", inputs: { scenes: "scenes" },
          network: { type: "unet", width: 16, conditioning: "lowest" },
          pictures: 200000, // the price: minutes on two quiet cores; words are heeded late
        },
        added: { kind: "intervene", inputs: { denoiser: "model", scenes: "scenes" }, mask: "sum" },

        // K words, up to three as in training and more. Guidance lets them count more than they do: a scale
        // for all arms of a comparison, or none (1). Where recall is low within the training range already,
        // nothing is said of what lies beyond. At K = 8 all requests are one.
        model_evaluated: {
          kind: "evaluate", inputs: { denoiser: "model", judge: "judge" }, guidance: 4,
          counts: [1, 2, 3, 4, 5, 6, 7],
        },
        added_evaluated: {
          kind: "evaluate", inputs: { denoiser: "added", judge: "judge" }, guidance: 4,
          counts: [1, 2, 3, 4, 5, 6, 7],
        },
        // The pairs that training left out, alone and beside a third word.
        pairs_evaluated: {
          kind: "evaluate", inputs: { denoiser: "model", judge: "judge" }, guidance: 4,
          asked: "held-out", counts: [2, 3],
        },

        comparison: {
          kind: "compare", inputs: { evaluations: ["model_evaluated", "added_evaluated"] },
        },
      },
    }

    """
  }
}
