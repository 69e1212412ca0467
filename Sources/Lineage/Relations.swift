/// A table or a view as whoever reads it sees it.
package struct Relation: Sendable, Hashable {
  package var name: String
  /// One sentence on what a row is.
  package var about: String
  package var columns: [ViewColumn]
}

extension Vocabulary {
  /// Every table and view of a store, tables first.
  package var relations: [Relation] {
    let execution = ViewColumn("execution_id", .text, "the execution")
    let metric = Relation(
      name: "metric", about: "One value that an execution measured.",
      columns: [
        execution, ViewColumn("name", .text, "the measure's name, as in the table measure"),
        ViewColumn("value", .real, "in the measure's unit"),
      ] + dimensions.filter { !$0.isLate }.map(ViewColumn.init) + Self.ofValues
        + dimensions.filter(\.isLate).map(ViewColumn.init))
    let further = tables.map { table in
      Relation(
        name: table.name, about: table.about,
        columns: [execution] + table.columns.map { ViewColumn($0.name, $0.type, $0.sentence) })
    }
    return Self.core + [metric] + further
      + allViews.map { Relation(name: $0.name, about: $0.about, columns: $0.columns) }
  }

  private static let ofValues = [
    ViewColumn("subject", .text, "SHA-256 of the artifact that the value is about, of several"),
    ViewColumn("ci_low", .real, "lower end of the 95 % interval"),
    ViewColumn("ci_high", .real, "upper end of the 95 % interval"),
    ViewColumn("n", .integer, "how many observations the value rests on"),
    ViewColumn("unit", .text, "unit of the value"),
  ]

  private static func files(_ name: String, _ about: String) -> Relation {
    Relation(
      name: name, about: about,
      columns: [
        ViewColumn("execution_id", .text, "the execution"),
        ViewColumn("role", .text, "what the file is to the execution"),
        ViewColumn("sha256", .text, "SHA-256 of the file"),
      ])
  }

  /// The tables that every store has, but for `metric`.
  private static let core: [Relation] = [
    Relation(
      name: "pipeline", about: "One content of a pipeline file.",
      columns: [
        ViewColumn("id", .integer, "a number of this database alone"),
        ViewColumn("name", .text, "the pipeline's name"),
        ViewColumn("path", .text, "where its file lay"),
        ViewColumn("source_sha256", .text, "SHA-256 of the file"),
        ViewColumn("source", .text, "the file's text"),
      ]),
    Relation(
      name: "run", about: "One run of a pipeline.",
      columns: [
        ViewColumn("id", .text, "time, pipeline and eight random digits"),
        ViewColumn("pipeline_id", .integer, "the row of pipeline"),
        ViewColumn("started_at", .text, "UTC, ISO 8601"),
        ViewColumn("finished_at", .text, "UTC, ISO 8601, NULL while it runs"),
        ViewColumn("status", .text, "running, succeeded, failed or interrupted"),
        ViewColumn("trigger", .text, "what started it"),
        ViewColumn("seed", .integer, "from which every stage's is made"),
        ViewColumn("host", .text, "the machine's name"),
        ViewColumn("locus_version", .text, "of the program"),
        ViewColumn("git_commit", .text, "of the checkout that the pipeline file lies in"),
        ViewColumn("sequence", .integer, "grows from run to run, whatever the clock says"),
        ViewColumn("options", .text, "what it was asked for beside its file, a JSON list"),
        ViewColumn("machine", .text, "processor, system and libraries, a JSON object"),
      ]),
    Relation(
      name: "execution", about: "What was really computed, once.",
      columns: [
        ViewColumn("id", .text, "of the execution"),
        ViewColumn("key", .text, "hash of kind, version, parameters, seed and inputs"),
        ViewColumn("kind", .text, "kind of stage"),
        ViewColumn("params", .text, "parameters with defaults filled in, a JSON object"),
        ViewColumn("seed", .integer, "of the stage"),
        ViewColumn("started_at", .text, "UTC, ISO 8601"),
        ViewColumn("finished_at", .text, "UTC, ISO 8601"),
        ViewColumn("status", .text, "succeeded, failed, interrupted or replaced"),
        ViewColumn("error", .text, "what was said where it did not succeed"),
        ViewColumn("cpu_seconds", .real, "time of all processors, s"),
        ViewColumn("wall_seconds", .real, "time by the clock, s"),
        ViewColumn("peak_rss_bytes", .integer, "largest memory of the process, bytes"),
        ViewColumn("threads", .integer, "threads that it worked with"),
        ViewColumn("attempt", .integer, "of its key, from 1"),
        ViewColumn("kind_version", .integer, "version of the kind"),
        ViewColumn("instructions", .text, "instruction set of the numeric modules"),
      ]),
    Relation(
      name: "stage", about: "What a run needed, and why.",
      columns: [
        ViewColumn("id", .integer, "grows with the place in the run"),
        ViewColumn("run_id", .text, "the run"),
        ViewColumn("name", .text, "the instance, stage[axis=value,...]"),
        ViewColumn("kind", .text, "kind of stage"),
        ViewColumn("key", .text, "of the execution that it needed"),
        ViewColumn("status", .text, "running, executed, reused, failed, skipped or interrupted"),
        ViewColumn("reason", .text, "why it ran, or did not"),
        ViewColumn("execution_id", .text, "the execution that it used or was"),
      ]),
    Relation(
      name: "event", about: "What was said of a run.",
      columns: [
        ViewColumn("run_id", .text, "the run"),
        ViewColumn("execution_id", .text, "the execution that it was said of"),
        ViewColumn("at", .text, "UTC, ISO 8601"),
        ViewColumn("level", .text, "info, warning, error or note"),
        ViewColumn("message", .text, "what was said"),
      ]),
    Relation(
      name: "artifact", about: "One file that a stage made or read.",
      columns: [
        ViewColumn("sha256", .text, "SHA-256 of its bytes"),
        ViewColumn("kind", .text, "what it is"),
        ViewColumn("media_type", .text, "its format"),
        ViewColumn("bytes", .integer, "its size"),
        ViewColumn("created_at", .text, "UTC, ISO 8601"),
      ]),
    Relation(
      name: "manifest", about: "What an artifact says of itself.",
      columns: [
        ViewColumn("sha256", .text, "SHA-256 of the manifest"),
        ViewColumn("type", .text, "type of the artifact"),
        ViewColumn("body", .text, "a JSON object that names the artifact's files by hashes"),
      ]),
    files("execution_input", "A file that an execution read."),
    files("execution_output", "A file that an execution made."),
    Relation(
      name: "measure", about: "What a name in the table metric means.",
      columns: [
        ViewColumn("name", .text, "of the measure"),
        ViewColumn("unit", .text, "of its values"),
        ViewColumn("dimensions", .text, "the columns of metric that say where it was measured"),
        ViewColumn("interval", .text, "how its 95 % interval is made"),
        ViewColumn("kinds", .text, "the kinds of stage that measure it"),
        ViewColumn("sentence", .text, "what it is"),
        ViewColumn("source", .text, "the paper that it is from, or Locus"),
      ]),
  ]
}
