extension Template {
  static var analyticText: String {
    """
      question: "How small must windows be for a denoiser without training to draw more objects?",
      seed: 1,
      stages: {
        // The exact posterior mean over these pictures is the denoiser.
        scenes: { kind: "generate", camera: "overhead", size: 32, cells: 16, objects: [1, 3], count: 5000 },
        judge: { kind: "judge", camera: "overhead", size: 32, cells: 16 },

        // Pixels that a pixel sees on each side, of the picture and of the labels. 31 sees all: the optimal
        // denoiser, which can only give back training pictures.
        window: {
          kind: "analytic", inputs: { scenes: "scenes" }, labelling: "single",
          matrix: { radius: [4, 6, 10, 31] },
        },

        // A pass compares with every training picture, so K, layouts and steps are few.
        window_evaluated: {
          kind: "evaluate", inputs: { denoiser: "window", judge: "judge" },
          counts: [1, 3, 6, 9], layouts: 8, steps: 12,
        },

        comparison: { kind: "compare", inputs: { evaluations: ["window_evaluated"] } },
      },
    }

    """
  }

  static var theoryText: String {
    """
      question: "Do composition and local scores go together where both can be computed?",
      seed: 1,
      stages: {
        // A finite world a family: `locus help theory` lists them all. At coupling 0 it composes exactly.
        world: {
          kind: "theory",
          matrix: { family: ["bounded-count", "copied-color", "exclusion"] },
          cells: [1, 3], // rows and columns
          couplings: [0, 0.1, 0.3, 1],
          sigmas: [0.2, 1, 5], // noise levels
          samples: 500, draws: 500, // Monte Carlo: more make intervals narrower
        },
      },
    }

    """
  }
}
