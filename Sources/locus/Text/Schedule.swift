import Formats

/// One command at certain times, as cron and systemd want it.
///
/// crontab(5) hands its line to sh; systemd.service(5) takes words apart by itself. Every path is quoted
/// for the one or the other, so that no text of it is ever more than a path.
struct Schedule {
  /// The pipeline's name, which is safe in names of files.
  var name: String
  var time: ScheduledTime
  /// The program and its arguments, paths absolute.
  var words: [String]
  var folder: String
  var log: String
  /// LD_LIBRARY_PATH, where the program was started with one: neither cron nor systemd has it.
  var libraries: String?

  var serviceName: String { "locus-\(name).service" }
  var timerName: String { "locus-\(name).timer" }

  /// Others go before it, whoever starts it.
  private static let niceness = 10

  /// One line.
  var crontab: String {
    let environment = libraries.map { "LD_LIBRARY_PATH=\(Escape.shell($0)) " } ?? ""
    let command =
      environment + "nice -n \(Self.niceness) " + words.map(Escape.shell).joined(separator: " ")
      + " >> \(Escape.shell(log)) 2>&1"
    return "\(time.cron) \(Escape.crontab(command))\n"
  }

  var service: String {
    let environment =
      libraries.map {
        "Environment=\(Escape.systemdWord("LD_LIBRARY_PATH=\($0)", hasVariables: false))\n"
      } ?? ""
    return """
      [Unit]
      Description=Locus, pipeline \(name)

      [Service]
      Type=oneshot
      WorkingDirectory=\(Escape.systemdPath(folder))/
      \(environment)ExecStart=\(execution)
      # Another run holds the store: it does the work.
      SuccessExitStatus=75
      StandardOutput=append:\(Escape.systemdPath(log))
      StandardError=append:\(Escape.systemdPath(log))
      Nice=\(Self.niceness)

      """
  }

  /// The program's own path is taken as it stands, but for specifiers.
  private var execution: String {
    words.enumerated().map { Escape.systemdWord($1, hasVariables: $0 > 0) }.joined(separator: " ")
  }

  var timer: String {
    """
    [Unit]
    Description=Locus, pipeline \(name), \(time.words)

    [Timer]
    OnCalendar=\(time.calendar)
    # A time that the machine slept through is made up for.
    Persistent=true

    [Install]
    WantedBy=timers.target

    """
  }

  var text: String {
    """
    # \(time.words.prefix(1).uppercased() + time.words.dropFirst()), by cron: this line into `crontab -e`
    \(crontab)
    # or by systemd: ~/.config/systemd/user/\(serviceName)
    \(service)
    # ~/.config/systemd/user/\(timerName)
    \(timer)
    # then: systemctl --user daemon-reload && systemctl --user enable --now \(timerName)
    # and once, so that it also runs while you are logged out: loginctl enable-linger

    """
  }

  var json: JSONValue {
    .object([
      "crontab": .string(crontab), "service": .string(service), "timer": .string(timer),
      "service_name": .string(serviceName), "timer_name": .string(timerName), "log": .string(log),
    ])
  }
}
