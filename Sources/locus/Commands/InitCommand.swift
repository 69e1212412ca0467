import Foundation
import Lineage

/// `locus init`: a pipeline file to begin with.
enum InitCommand: Command {
  struct Options: CommandOptions {
    @Option(
      "--output", "FILE", shown: "TEMPLATE.json5", "the file to write; - prints it instead")
    var output: String?
    @Positional(
      "TEMPLATE", default: .study, remedy: "--output FILE names the file that is written")
    var template: Template
  }

  static let about = CommandSummary(
    name: "init", summary: "Write a commented pipeline file to begin with.",
    discussion: "Templates:\n"
      + Template.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n")
      + "\nThe pipeline gets the file's name. A file that is there is left alone (73).",
    examples: [
      .init(command: "locus init", effect: "study.json5"),
      .init(
        command: "locus init masks --output Pipelines/repair.json5", effect: "the pipeline `repair`"
      ),
      .init(command: "locus init theory --output - | less", effect: "read it first"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let template = context.options.template
    let path = context.options.output ?? "\(template.rawValue).json5"
    if path == "-" {
      try context.console.write(
        template.text(named: template.rawValue, path: "\(template.rawValue).json5"))
      return 0
    }
    let stem = URL(filePath: path).deletingPathExtension().lastPathComponent
    let name = isPlainName(stem) ? stem : template.rawValue
    if FileManager.default.fileExists(atPath: path) {
      throw UsageError.cannotWrite(
        path, reason: "it is there already; --output FILE names another one")
    }
    try context.write(Data(template.text(named: name, path: path).utf8), to: path)
    return 0
  }
}
