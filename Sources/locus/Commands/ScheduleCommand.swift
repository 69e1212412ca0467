import Experiments
import Formats
import Foundation
import Lineage
import Reporting
import Workflow

/// `locus schedule`: what cron or systemd needs to run a pipeline again and again.
enum ScheduleCommand: Command {
  enum Format: String, CaseIterable { case crontab, service, timer }

  struct Options: StoreOptions {
    @Positional("PIPELINE", "a pipeline file (JSON5)") var pipeline: String
    @Option(
      "--every", "TIME", "5m, 10m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d",
      reading: ScheduledTime.init(every:))
    var every: ScheduledTime?
    @Option("--at", "HH:MM", "every day at this time", reading: ScheduledTime.init(at:))
    var at: ScheduledTime?
    @Option("--format", "FORMAT", shown: "all of them", { "\($0) alone" }) var format: Format?
    @Option("--log", "FILE", shown: "locus-NAME.log", "where failures are told") var log: String?
    @Option(.threads("threads a stage may use")) var threads: Int?
    @Option(.reports) var reports: String
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "schedule", summary: "Print a crontab line and systemd units that run a pipeline.",
    discussion: """
      All paths are absolute, so that nothing depends on the folder or the environment in which the
      schedule runs. A success prints nothing; a failure is one dated line in the log. When another
      run holds the store, this one ends at once with 75; systemd takes this for no failure. A run that
      was cut short goes on at its next time, and a study with `replicate` grows. Both run it with a
      niceness of 10. A user's systemd timers rest while the user is logged out, unless
      `loginctl enable-linger` was said once.
      """,
    examples: [
      .init(
        command: "locus schedule study.json5 --every 6h",
        effect: "what to put where, for a run four times a day"),
      .init(
        command: "locus schedule study.json5 --at 03:00 --format crontab",
        effect: "the crontab line alone, for a run every night"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let path = options.pipeline
    let time: ScheduledTime
    switch (options.every, options.at) {
    case (let every?, nil): time = every
    case (nil, let at?): time = at
    case (nil, nil):
      throw UsageError.missingArgument(
        "--every TIME or --at HH:MM", help: "for example --every 6h", command: "schedule")
    case (_?, _?):
      throw UsageError.badValue("", option: "--at", accepted: "one of --every and --at")
    }
    // What cannot run now shall not be scheduled.
    let pipeline = try Pipeline.read(
      path: path, kinds: context.kinds, extensions: [.claims])
    try Experiments.checkReplication(pipeline)
    let log = try absolute(options.log ?? "locus-\(pipeline.name).log")
    // Without quotation marks systemd takes the one for a continued line and the other off.
    if let last = log.unicodeScalars.last, last == "\\" || last == " " {
      throw UsageError.badValue(
        log, option: options.$log.name,
        accepted: "a file whose name ends neither in a blank nor in `\\`")
    }
    // So is what could not be told.
    try context.checkWritable(log)
    try context.checkWritable(folder: options.reports)
    let libraries = context.console.environment["LD_LIBRARY_PATH"]
    try checkLine(libraries ?? "", option: "LD_LIBRARY_PATH")
    guard let program = context.console.program else {
      throw UsageError.missingFile(
        "locus", reason: "where it lies is not known: call it by its path")
    }
    var words = [
      try absolute(program.path), "run", try absolute(path), "--store",
      try absolute(context.storeFolder.path),
      "--reports", try absolute(options.reports), "--quiet", "--trigger",
      "schedule",
    ]
    if let threads = options.threads { words += ["--threads", "\(threads)"] }
    let schedule = Schedule(
      name: pipeline.name, time: time, words: words,
      folder: try absolute("."), log: log, libraries: libraries)
    switch options.format {
    case .crontab: try context.console.write(schedule.crontab)
    case .service: try context.console.write(schedule.service)
    case .timer: try context.console.write(schedule.timer)
    case nil:
      try context.console.write(options.json ? schedule.json.prettyText() : schedule.text)
    }
    return 0
  }

  /// Absolute and without `..`; a character that no line can hold is refused.
  private static func absolute(_ path: String) throws(UsageError) -> String {
    let absolute = URL(filePath: path).standardizedFileURL.path
    try checkLine(absolute, option: "schedule")
    return absolute.count > 1 && absolute.hasSuffix("/") ? String(absolute.dropLast()) : absolute
  }

  private static func checkLine(_ text: String, option: String) throws(UsageError) {
    if Escape.fitsLine(text) { return }
    throw .badValue(
      Escape.message(text), option: option, accepted: "paths without control characters")
  }
}

/// A time of day, or an interval that both cron and systemd can express evenly.
struct ScheduledTime: Hashable {
  /// The five fields of a crontab line.
  var cron: String
  /// systemd.time(7).
  var calendar: String
  var words: String

  init(every text: String) throws(UsageError) {
    let number = Int(text.dropLast()) ?? 0
    switch text.last {
    case "m" where [5, 10, 15, 20, 30].contains(number):
      cron = "*/\(number) * * * *"
      calendar = "*-*-* *:00/\(number):00"
    case "h" where [1, 2, 3, 4, 6, 8, 12].contains(number):
      cron = number == 1 ? "0 * * * *" : "0 */\(number) * * *"
      calendar = "*-*-* 00/\(number):00:00"
    case "h" where number == 24, "d" where number == 1:
      cron = "0 0 * * *"
      calendar = "*-*-* 00:00:00"
    default:
      throw .badValue(
        text, option: "--every",
        accepted: "5m, 10m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d, which divide an hour"
          + " or a day evenly")
    }
    words = "every \(text)"
  }

  init(at text: String) throws(UsageError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), (0...23).contains(hour),
      (0...59).contains(minute)
    else { throw .badValue(text, option: "--at", accepted: "a time of day, such as 03:00") }
    cron = "\(minute) \(hour) * * *"
    calendar = String(format: "*-*-* %02d:%02d:00", hour, minute)
    words = String(format: "every day at %02d:%02d", hour, minute)
  }
}
