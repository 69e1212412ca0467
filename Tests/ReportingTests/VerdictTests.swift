import Interventions
import Testing

@testable import Reporting

@Suite("The verdict follows from intervals alone, a claim at a time")
struct VerdictTests {
  typealias Triple = (Double, Double, Double)

  static func estimate(_ values: Triple, n: Int = 24) -> Estimate {
    Estimate(value: values.0, low: values.1, high: values.2, n: n)
  }

  static func side(_ recall: Triple, k: Triple = (3, 2, 4)) -> RecallFinding.Side {
    RecallFinding.Side(
      recall: Replicates(estimate(recall)), kMax: estimate(k))
  }

  static func repair(
    _ recall: Triple, p: Double = 0.001, precision: Triple = (0.01, -0.01, 0.03),
    control: Triple? = (0.02, -0.01, 0.05), contrast: Triple? = (0.18, 0.13, 0.23)
  ) -> RepairFinding {
    func one(_ triple: Triple?) -> Replicates {
      Replicates(triple.map { [Replicates.Value(estimate: estimate($0, n: 30))] } ?? [])
    }
    return RepairFinding(
      claim: Claims.Repair(
        mask: "masked[mask=conditioner]", of: "single",
        control: control == nil ? nil : "masked[mask=sum]", counts: nil),
      recall: Replicates(estimate(recall, n: 30)),
      precision: Replicates(estimate(precision, n: 30)), pHolm: p,
      control: one(control), contrast: one(contrast))
  }

  static func verdict(
    fails high: RecallFinding.Side = side((0.9, 0.87, 0.93)),
    composes local: RecallFinding.Side = side((0.92, 0.9, 0.94), k: (12, 9, 12)),
    shares: (Triple, Triple) = ((0.95, 0.9, 0.99), (0.8, 0.75, 0.85)),
    repairs: [RepairFinding] = [repair((0.2, 0.15, 0.25))], identicalShare: Double? = 1
  ) -> Verdict {
    let single = side((0.6, 0.55, 0.65), k: (2, 1, 3))
    return Verdict(
      recalls: [
        RecallFinding(
          claim: Claims.Recall(direction: .fails, model: "single", against: "all"), low: single,
          high: high),
        RecallFinding(
          claim: Claims.Recall(direction: .composes, model: "local", against: "single"),
          low: single, high: local),
      ],
      locals: [
        LocalFinding(
          claim: Claims.Local(model: "all", against: "single"), count: 3,
          model: Replicates(estimate(shares.0, n: 9)),
          against: Replicates(estimate(shares.1, n: 9)))
      ], repairs: repairs, identicalShare: identicalShare)
  }

  @Test("a story that holds is shown, with N beside its numbers")
  func shown() {
    let sentences = Self.verdict().sentences
    #expect(
      sentences.count == 4
        && sentences.map { $0.hasPrefix("**Shown in part:**") } == [true, false, true, false]
        && sentences.allSatisfy { $0.hasPrefix("**Shown") })
    #expect(sentences[1].contains("less local"))
    #expect(sentences[2].contains("2 [1, 3] against 12 [9, 12]."))
    #expect(sentences[3].contains("N = 30") && sentences[3].contains("sum"))
    #expect(
      sentences[3].contains(
        "It matters what the mask keeps: its control `masked[mask=sum]`, which keeps something else, "
          + "changes recall by +0.02 [-0.01, +0.05], a difference of +0.18 "
          + "[+0.13, +0.23] (N = 30)"))
  }

  @Test("overlapping intervals are not shown")
  func overlap() {
    let sentences = Self.verdict(
      fails: Self.side((0.66, 0.6, 0.72)), composes: Self.side((0.66, 0.6, 0.72)),
      shares: ((0.82, 0.78, 0.86), (0.8, 0.75, 0.85))
    ).sentences
    #expect(sentences[0].hasPrefix("**Not shown:**"))
    #expect(sentences[1].contains("less local") && sentences[1].contains("is **not shown**"))
    #expect(sentences[2].hasPrefix("**Not shown:**"))
  }

  @Test("fails and composes are said by the bounds of both, and by both detectors")
  func words() {
    var finding = RecallFinding(
      claim: Claims.Recall(direction: .fails, model: "single", against: "all"),
      low: Self.side((0.6, 0.55, 0.65)), high: Self.side((0.93, 0.91, 0.95)))
    func sentence() -> String { Verdict(recalls: [finding]).sentences[0] }
    #expect(sentence().hasPrefix("**Shown in part:** `single` recalls less"))
    finding.threshold = 0.9
    #expect(sentence().hasPrefix("**Shown:** `single` fails beyond the training range where `all`"))
    finding.threshold = 0.92
    #expect(sentence().hasPrefix("**Shown in part:** `single` recalls less"))
    finding.low.background = Replicates(Self.estimate((0.5, 0.45, 0.55)))
    finding.high.background = Replicates(Self.estimate((0.8, 0.75, 0.85)))
    #expect(
      sentence().hasPrefix("**Shown in part:**")
        && sentence().contains("The background detector sees"))
    finding.high.background = Replicates(Self.estimate((0.56, 0.5, 0.62)))
    #expect(sentence().hasPrefix("**Not shown:** by the judge alone `single` recalls less"))
    #expect(sentence().contains("which does not separate them"))
    var mask = Self.repair((0.2, 0.15, 0.25))
    mask.background = Replicates(Self.estimate((0.01, -0.02, 0.04)))
    let repair = Verdict(repairs: [mask]).sentences[0]
    #expect(repair.hasPrefix("**Not shown:**") && repair.contains("by the background detector"))
  }

  @Test("remote labels are told by the paired difference, and how many from where")
  func remote() {
    func one(_ triple: Triple) -> Replicates { Replicates(Self.estimate(triple, n: 16)) }
    var finding = RemoteFinding(
      claim: Claims.Remote(model: "single", against: "local"), count: 9, sigmas: [5, 80],
      model: one((0.5, 0.45, 0.55)), against: one((0, 0, 0)), difference: one((0.5, 0.45, 0.55)),
      modelMoved: one((0.1, 0.08, 0.12)), againstMoved: one((0, 0, 0)))
    func sentence() -> String { Verdict(remotes: [finding]).sentences[0] }
    #expect(
      sentence().hasPrefix(
        "**Shown:** `single` depends on labels that are remote to an object more than `local`"))
    #expect(
      sentence().contains("K = 9 (mean over σ = 5, 80)")
        && sentence().contains("how many there are counts for more"))
    finding.difference = one((0.1, -0.1, 0.3))
    #expect(sentence().hasPrefix("**Not shown:**"))
    finding.difference = one((-0.1, -0.2, -0.05))
    #expect(sentence().hasPrefix("**Shown, against the claim:**"))
    finding.difference = Replicates([])
    #expect(sentence().contains("was not probed on both"))
  }

  @Test("separated recall with overlapping K_max says so")
  func kMaxOverlap() {
    let sentences = Self.verdict(composes: Self.side((0.92, 0.9, 0.94), k: (11, 0, 12))).sentences
    #expect(sentences[2].contains("by K_max alone the two are not separated"))
  }

  @Test(
    "a mask is no repair without an effect, or by drawing everywhere",
    arguments: [
      (repair((0.02, -0.01, 0.05)), "not above 0"),
      (repair((0.2, 0.1, 0.3), p: 0.2), "not above 0"),
      (repair((0.2, 0.15, 0.25), precision: (-0.5, -0.6, -0.4)), "no more than its cost"),
    ] as [(RepairFinding, String)])
  func noRepair(mask: RepairFinding, why: String) {
    let sentence = Self.verdict(repairs: [mask]).sentences[3]
    #expect(sentence.hasPrefix("**Not shown:**"))
    #expect(sentence.contains(why))
  }

  @Test(
    "what a control does as well, the mask does not do by what it keeps",
    arguments: [
      (
        repair((0.2, 0.15, 0.25), control: (0.18, 0.12, 0.24), contrast: (0.02, -0.01, 0.05)),
        "**Not shown** that it matters"
      ),
      (
        repair((0.2, 0.15, 0.25), control: (0.3, 0.2, 0.4), contrast: (-0.1, -0.15, -0.05)),
        "What the mask keeps and its control does not is not needed"
      ),
      (repair((0.2, 0.15, 0.25), control: nil, contrast: nil), "no control was evaluated"),
    ] as [(RepairFinding, String)])
  func objection(mask: RepairFinding, why: String) {
    let sentence = Self.verdict(repairs: [mask]).sentences[3]
    #expect(sentence.hasPrefix("**Shown:** without any training") && sentence.contains(why))
  }

  @Test("a control that was not evaluated, and an identity that failed, leave a mask unproven")
  func controls() {
    var mask = Self.repair((0.2, 0.15, 0.25))
    mask.control = Replicates([])
    #expect(Self.verdict(repairs: [mask]).sentences[3].contains("was not evaluated beside it"))
    #expect(Self.verdict(identicalShare: 0.99).sentences[3].contains("identity control failed"))
    mask.recall = Replicates([])
    mask.missing = "there is no plain evaluation"
    let sentence = Self.verdict(repairs: [mask]).sentences[3]
    #expect(
      sentence.hasPrefix("**Not shown:**") && sentence.contains("there is no plain evaluation"))
  }

  @Test("models that were not evaluated, and K that were not tested, are not shown")
  func missing() {
    #expect(
      Self.verdict(fails: RecallFinding.Side()).sentences[0]
        == "**Not shown:** `all` was not evaluated and compared.")
    var untested = Self.side((0.9, 0.87, 0.93))
    untested.recall = Replicates([])
    #expect(Self.verdict(fails: untested).sentences[0].contains("no K beyond the training range"))
  }

  @Test("names cannot become markup")
  func escaping() {
    #expect(Markdown.escape("a|b*c<d>\ne`") == "a\\|b\\*c&lt;d&gt; e\\`")
    #expect(Markdown.name("a`b|c") == "``a`b¦c``")
  }
}

@Suite("The verdict over replicates is paired by seed")
struct ReplicateVerdictTests {
  static func replicates(_ values: [Double], from first: Int = 1, width: Double = 0.01)
    -> Replicates
  {
    Replicates(
      values.enumerated().map { index, value in
        Replicates.Value(
          seed: "\(first + index)",
          estimate: Estimate(value: value, low: value - width / 2, high: value + width / 2, n: 10))
      })
  }

  static func finding(_ low: Replicates, _ high: Replicates) -> RecallFinding {
    RecallFinding(
      claim: Claims.Recall(direction: .fails, model: "single", against: "all"),
      low: RecallFinding.Side(recall: low, kMax: Estimate(value: 2, low: 1, high: 3)),
      high: RecallFinding.Side(recall: high, kMax: Estimate(value: 6, low: 5, high: 7)))
  }

  @Test("differences that agree over seeds are shown, however far the seeds lie apart")
  func paired() {
    // Means 0.5 and 0.6, seeds from 0.3 to 0.8: unpaired nothing could be told.
    let sentence = Verdict(
      recalls: [
        Self.finding(Self.replicates([0.3, 0.5, 0.7]), Self.replicates([0.39, 0.6, 0.81]))
      ]
    ).sentences[0]
    #expect(sentence.hasPrefix("**Shown in part:**"))
    // 0.09, 0.10, 0.11: mean 0.1, Student's half-width 4.30265 · 0.01 / √3 = 0.0248.
    #expect(sentence.contains("a difference of 0.10 [0.08, 0.12]"))
    #expect(sentence.contains("(N = 30 layouts of 3 seeds, SD over seeds 0.20)"))
    #expect(sentence.contains("Over 3 seeds, paired.") && !sentence.contains("these networks"))
    #expect(sentence.contains("K_max is 2 [1, 3] against 6 [5, 7]"))
  }

  @Test("one seed that disagrees is enough for not shown, and seeds in common are needed")
  func notShown() {
    let scattered = Verdict(
      recalls: [
        Self.finding(Self.replicates([0.3, 0.5, 0.7]), Self.replicates([0.6, 0.8, 0.6]))
      ]
    ).sentences[0]
    #expect(scattered.hasPrefix("**Not shown:**"))
    let apart = Verdict(
      recalls: [Self.finding(Self.replicates([0.3]), Self.replicates([0.9], from: 7))]
    ).sentences[0]
    #expect(apart.contains("no seed in common"))
  }

  @Test("one seed is about these networks, and a seed that one side lacks is named")
  func about() {
    let one = Verdict(
      recalls: [Self.finding(Self.replicates([0.3]), Self.replicates([0.9]))]
    ).sentences[0]
    #expect(
      one.hasPrefix("**Shown in part:**") && one.hasSuffix(" About these networks, of one seed."))
    let lacking = Verdict(
      recalls: [
        Self.finding(Self.replicates([0.3, 0.31, 0.32]), Self.replicates([0.9, 0.91], from: 2))
      ]
    ).sentences[0]
    #expect(lacking.contains("Over 2 seeds, paired."))
    #expect(lacking.contains("Measured on one side alone, and not counted: `seed=1`."))
  }

  @Test("seeds that differ by the very same amount are as uncertain as their layouts")
  func equal() {
    func sentence(_ width: Double) -> String {
      Verdict(
        recalls: [
          Self.finding(
            Self.replicates([0.5, 0.6, 0.7], width: width),
            Self.replicates([0.6, 0.7, 0.8], width: width))
        ]
      ).sentences[0]
    }
    #expect(sentence(0.02).hasPrefix("**Shown in part:**"))
    // An error of 0.4 / 3.92 each side, of the mean of three differences 0.083, by t ± 0.36.
    #expect(sentence(0.4).hasPrefix("**Not shown:**"))
    #expect(sentence(0.4).contains("a difference of 0.10 [-0.26, 0.46]"))
  }

  @Test("from eight seeds on seeds and layouts are drawn, and layouts of both sides together")
  func drawn() throws {
    // Every seed's layouts move both sides alike, by 0.2: unpaired that would hide a difference of 0.1.
    func side(_ shift: Double) -> Replicates {
      Replicates(
        (0..<8).map { seed in
          let value = 0.5 + shift + 0.01 * Double(seed % 4)
          return Replicates.Value(
            seed: "\(seed)", estimate: Estimate(value: value, low: value - 0.4, high: value + 0.4),
            draws: (0..<100).map { value + 0.4 * (Double($0) / 99 - 0.5) })
        })
    }
    let pair = PairedReplicates(side(0), side(0.1))
    let difference = try #require(pair.difference)
    #expect(pair.isShown && abs(difference.value - 0.1) < 1e-12)
    let mean = try #require(side(0).overSeeds)
    // Wider than the seeds alone would have it, 0.01 / √8 by t: layouts are in it.
    #expect(mean.width > 0.1 && mean.seeds == 8)
    #expect(mean.value == pair.low.mean?.value)
  }

  @Test("what replicates share stands beside each of them")
  func shared() {
    let pair = PairedReplicates(
      Self.replicates([0.3, 0.31]),
      Replicates(Estimate(value: 0.9, low: 0.8, high: 1, n: 5)))
    #expect(pair.count == 2 && pair.isShown)
  }

  @Test(
    "a repair is the mean over seeds of the mask that was named, by Student's t with Holm's correction"
  )
  func repairs() {
    func repair(_ mask: String, _ values: [Double]) -> RepairFinding {
      RepairFinding(
        claim: Claims.Repair(mask: mask, of: "single", control: "sum", counts: nil),
        recall: Self.replicates(values, width: 0.02),
        precision: Self.replicates([0, 0, 0], width: 0.02),
        control: Self.replicates([-0.3, -0.2, -0.25], width: 0.02),
        contrast: Self.replicates(values.map { $0 + 0.25 }, width: 0.02))
    }
    let verdict = Verdict(repairs: [
      repair("near", [0.2, 0.21, 0.22]), repair("far", [0.5, -0.3, 0.1]),
    ])
    // t = 0.21 / (0.01 / √3) = 36.4 at 2 degrees: p = 0.00075, twice that by Holm.
    #expect(verdict.sentences[0].hasPrefix("**Shown:** without any training, mask `near`"))
    #expect(verdict.sentences[0].contains("Holm p = 0.0015"))
    #expect(verdict.sentences[0].contains("+0.21 [+0.19, +0.23] (N = 30 layouts of 3 seeds"))
    #expect(verdict.sentences[1].hasPrefix("**Not shown:** without any training, mask `far`"))
  }
}

@Suite("Claims that nobody stated are derived from what denoisers are")
struct DerivedClaimsTests {
  typealias Candidate = DerivedClaims.Candidate

  static func mask(
    _ name: String, _ arm: MaskSpecification.Name, base: String = "single",
    labels: Int = 1, keep: MaskSpecification.Keep = .near, radius: Double = 7
  ) -> Candidate {
    Candidate(
      name: name, labelling: "single", reach: .unbounded,
      mask: Candidate.Mask(
        specification: MaskSpecification(mask: arm, labels: labels, keep: keep, radius: radius),
        base: base))
  }

  static let models = [
    Candidate(name: "all", labelling: "all", reach: .unbounded),
    Candidate(name: "single", labelling: "single", reach: .unbounded),
    Candidate(name: "other", labelling: "single", reach: .unbounded),
    Candidate(name: "local", labelling: "single", reach: .local),
  ]

  @Test("roles follow from labelling and network, in the order of the pipeline")
  func roles() {
    let derived = DerivedClaims(
      Self.models + [
        Self.mask("i", .identity), Self.mask("c", .conditioner), Self.mask("p", .sum),
        Self.mask("n", .conditioner, labels: 2),
        Self.mask("f", .conditioner, labels: 2, keep: .far),
      ])
    #expect(
      derived.claims
        == Claims(
          recalls: [
            Claims.Recall(direction: .fails, model: "single", against: "all"),
            Claims.Recall(direction: .composes, model: "local", against: "single"),
          ], locals: [Claims.Local(model: "all", against: "single")],
          repairs: [
            Claims.Repair(mask: "c", of: "single", control: "p", counts: nil),
            Claims.Repair(mask: "p", of: "single", control: nil, counts: nil),
            Claims.Repair(mask: "n", of: "single", control: "f", counts: nil),
          ]))
    #expect(derived.gaps.isEmpty)
  }

  @Test("masks of another model are no masks on the failing model")
  func otherBase() {
    let derived = DerivedClaims(Self.models + [Self.mask("c", .conditioner, base: "other")])
    #expect(derived.claims.repairs.isEmpty)
    #expect(derived.gaps == ["no mask was evaluated on the failing model."])
  }

  @Test("a mask of another model, of another reach or of as many labels as none is no control")
  func otherControl() {
    for control in [
      Self.mask("f", .conditioner, base: "other", labels: 2, keep: .far),
      Self.mask("f", .conditioner, labels: 2, keep: .far, radius: 3),
      Self.mask("f", .conditioner, labels: 3, keep: .far),
      Self.mask("f", .pixel),
    ] {
      let derived = DerivedClaims(
        Self.models + [Self.mask("n", .conditioner, labels: 2), control])
      #expect(derived.claims.repairs.first?.control == nil)
    }
  }

  @Test("missing models are gaps, which the verdict says")
  func gaps() {
    let none = DerivedClaims([])
    #expect(none.claims == Claims() && none.gaps.count == 3)
    #expect(Verdict(gaps: none.gaps).sentences.allSatisfy { $0.hasPrefix("**Not shown:**") })
    let alone = DerivedClaims([Self.models[1]])
    #expect(alone.gaps.contains("`single` has no composing model beside it."))
  }
}
