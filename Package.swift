// swift-tools-version: 6.0
import Foundation
import PackageDescription

// LOCUS_CPU chooses the instruction set of the numeric modules: `native` (the default),
// `x86-64-v4` (AVX-512), `x86-64-v3` (AVX2), `x86-64-v2`, or a name that clang's -march knows.
let cpu = Context.environment["LOCUS_CPU"] ?? "native"

// The register tiles of the kernels depend on the width of a vector register, which Swift
// cannot ask of the target: it is decided here, once, and handed on as a condition.
// LOCUS_LANES=16 on AVX2 runs the sums of AVX-512, to the same bits, two registers a vector.
let lanes: Int = {
  if let width = Context.environment["LOCUS_LANES"].flatMap({ Int($0) }) { return width }
  #if arch(arm64)
    return 4
  #else
    switch cpu {
    case "x86-64-v4": return 16
    case "x86-64-v3": return 8
    case "x86-64-v2", "x86-64": return 4
    default:
      let flags = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      return flags.contains("avx512f") ? 16 : flags.contains("avx2") ? 8 : 4
    }
  #endif
}()

// AVX-512 and arm64 have 32 vector registers, older x86 has 16: how large a register tile may be.
let registers: Int = {
  #if arch(arm64)
    return 32
  #else
    return lanes == 16 ? 32 : 16
  #endif
}()

// Without a target CPU Swift emits SSE2 and library calls for fma, so these flags hold in
// debug builds too: `swift test` runs the same kernels as a release.
#if arch(arm64)
  let target = "-mcpu=\(cpu)"
#else
  let target = "-march=\(cpu)"
#endif
let numeric: [SwiftSetting] = [
  .unsafeFlags(["-Ounchecked", "-Xcc", target, "-Xcc", "-mprefer-vector-width=512"]),
  .define("LOCUS_LANES_\(lanes)"),
  .define("LOCUS_REGISTERS_\(registers)"),
]

// What much of the tests' time goes into: optimized in debug builds too, every check kept.
let quick: [SwiftSetting] = [.unsafeFlags(["-O"])]

let package = Package(
  name: "locus",
  products: [.executable(name: "locus", targets: ["locus"])],
  targets: [
    .systemLibrary(
      name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

    .target(name: "Formats", swiftSettings: quick),
    .target(name: "Streams", swiftSettings: numeric),
    .target(name: "Statistics", dependencies: ["Streams"], swiftSettings: quick),
    .target(
      name: "Lineage", dependencies: ["CSQLite", "Streams", "Formats"], swiftSettings: quick),
    .target(name: "Workflow", dependencies: ["Lineage", "Formats", "Statistics", "Streams"]),
    .target(name: "Measures", dependencies: ["Lineage", "Statistics"]),

    .target(name: "Vectors", swiftSettings: numeric),
    .target(
      name: "Tensors", dependencies: ["Vectors", "Streams", "Formats"], swiftSettings: numeric),
    .target(name: "Scenes", dependencies: ["Streams", "Formats"], swiftSettings: numeric),
    .target(
      name: "Diffusion", dependencies: ["Tensors", "Vectors", "Streams", "Formats"],
      swiftSettings: numeric),
    .target(
      name: "Analytic", dependencies: ["Diffusion", "Tensors", "Vectors", "Streams", "Formats"],
      swiftSettings: numeric),
    .target(
      name: "External", dependencies: ["Diffusion", "Streams", "Formats"], exclude: ["README.md"]),
    .target(
      name: "Probing", dependencies: ["Diffusion", "Streams", "Statistics", "Formats"],
      swiftSettings: numeric),
    .target(
      name: "Interventions", dependencies: ["Features", "Diffusion", "Streams", "Formats"],
      swiftSettings: numeric),
    .target(
      name: "Features", dependencies: ["Streams", "Statistics", "Formats"], swiftSettings: numeric),
    .target(
      name: "Theory", dependencies: ["Features", "Streams", "Statistics", "Formats"],
      swiftSettings: numeric),
    .target(
      name: "Evaluation",
      dependencies: [
        "Diffusion", "Scenes", "Tensors", "Vectors", "Streams", "Statistics", "Formats",
      ], swiftSettings: numeric),

    .target(name: "Benchmarks", dependencies: ["Diffusion", "Tensors", "Streams", "Formats"]),
    .target(
      name: "Artifacts",
      dependencies: [
        "Workflow", "Lineage", "Formats", "Scenes", "Diffusion", "Analytic", "Probing",
        "Interventions", "Evaluation", "External", "Features",
      ]),
    .target(
      name: "Experiments",
      dependencies: [
        "Artifacts", "Measures", "Workflow", "Lineage", "Formats", "Streams", "Statistics",
        "Vectors",
        "Scenes", "Diffusion", "Analytic", "Probing", "Interventions", "Evaluation", "Theory",
        "External", "Features",
      ]),
    .target(
      name: "Reporting",
      dependencies: [
        "Measures", "Artifacts", "Evaluation", "Interventions", "Probing", "Diffusion", "Workflow",
        "Lineage", "Statistics", "Formats",
      ]),
    .executableTarget(
      name: "locus",
      dependencies: [
        "Benchmarks", "Experiments", "Artifacts", "Reporting", "Measures", "Workflow", "Lineage",
        "Formats", "Evaluation", "Diffusion", "Scenes", "Tensors", "Streams",
      ]),

    .testTarget(name: "ArchitectureTests"),
    .testTarget(
      name: "FormatsTests", dependencies: ["Formats"],
      exclude: ["PngSuite", "picture_oracle.py"]),
    .testTarget(name: "StreamsTests", dependencies: ["Streams"]),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics"], swiftSettings: quick),
    .testTarget(
      name: "LineageTests", dependencies: ["Lineage", "Measures", "CSQLite", "Formats"],
      exclude: ["Stores", "MillionRows.sql", "FormerViews.sql", "read_store.py"]),
    .testTarget(
      name: "MeasuresTests",
      dependencies: ["Measures", "Experiments", "Workflow", "Lineage", "Formats"],
      exclude: ["every-metric.json5"]),
    .testTarget(
      name: "WorkflowTests", dependencies: ["Workflow", "Measures", "Lineage", "Formats"],
      exclude: ["Scenarios"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "Vectors", "Streams"]),
    .testTarget(name: "ScenesTests", dependencies: ["Scenes", "Streams", "Formats"]),
    .testTarget(
      name: "DiffusionTests", dependencies: ["Diffusion", "Tensors", "Streams", "Formats"],
      exclude: ["Golden"]),
    .testTarget(
      name: "AnalyticTests",
      dependencies: ["Analytic", "Diffusion", "Tensors", "Vectors", "Streams"], swiftSettings: quick
    ),
    .target(
      name: "DenoiserFixtures", dependencies: ["Diffusion"], path: "Tests/DenoiserFixtures"),
    .target(name: "Mutations", path: "Tests/Mutations"),
    .testTarget(
      name: "ExternalTests",
      dependencies: [
        "External", "Diffusion", "Probing", "Interventions", "Tensors", "Streams", "Formats",
        "Experiments", "Workflow", "Lineage",
      ], exclude: ["Peers"]),
    .testTarget(
      name: "ProbingTests",
      dependencies: [
        "Probing", "Diffusion", "Tensors", "Streams", "Statistics", "DenoiserFixtures",
      ]),
    .testTarget(
      name: "InterventionsTests",
      dependencies: [
        "Interventions", "Features", "Diffusion", "Tensors", "Streams", "DenoiserFixtures",
      ]),
    .testTarget(name: "FeaturesTests", dependencies: ["Features", "Streams", "Statistics"]),
    .testTarget(
      name: "TheoryTests", dependencies: ["Theory", "Features", "Streams", "Statistics"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Evaluation", "Diffusion", "Scenes", "Tensors", "Streams", "Statistics", "Formats",
      ], swiftSettings: quick),
    .testTarget(
      name: "ReportingTests",
      dependencies: [
        "Reporting", "Measures", "Artifacts", "Evaluation", "Interventions", "Diffusion",
        "Workflow",
        "Lineage", "Statistics", "Formats",
      ], exclude: ["Golden"]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "Experiments", "Artifacts", "Measures", "Workflow", "Lineage", "Formats", "Reporting",
        "Analytic", "Diffusion", "Scenes",
      ]),
    .testTarget(
      name: "LocusTests",
      dependencies: [
        "locus", "Experiments", "Artifacts", "Measures", "Lineage", "Workflow", "Formats", "Scenes",
        "Diffusion", "Evaluation", "Analytic", "Probing", "Interventions", "Theory", "External",
        "Features",
        "Tensors",
        "Streams", "Benchmarks", "Mutations", "CSQLite",
      ], exclude: ["Golden", "Cases"]),
  ],
  swiftLanguageModes: [.v6]
)
