import Foundation

@testable import External

/// A folder of the test's own, gone with it.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appending(path: "external-\(UUID().uuidString)")
  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: url) }
  func path(_ name: String) -> String { url.appending(path: name).path }
}

enum Peers {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Peers")

  static var hasPython: Bool { python != nil }

  /// The interpreter itself: what stands under its name may be a script that looks for it.
  static let python: String? = {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c", "import sys; print(sys.executable); sys.exit(sys.version_info < (3, 9))",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return nil }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0
      ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
  }()

  static func plain(_ options: String..., limit: Double = 30) -> PeerCommand {
    PeerCommand(
      [python ?? "python3", folder.appending(path: "plain_peer.py").path] + options, limit: limit)
  }

  static func hostile(_ number: Int, mark: String, limit: Double) -> PeerCommand {
    PeerCommand(
      [
        python ?? "python3", "-S", "-E", folder.appending(path: "hostile_peer.py").path,
        "\(number)",
      ],
      environment: ["LOCUS_TEST_MARK": mark], limit: limit)
  }
}

/// What the system says of processes.
enum Processes {
  /// Those that live and have a mark in their environment.
  static func marked(_ mark: String) -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { pid in
      let text = FileManager.default.contents(atPath: "/proc/\(pid)/environ")
      return text?.firstRange(of: Data("LOCUS_TEST_MARK=\(mark)".utf8)) != nil
    }
  }

  /// Seconds that a process has computed, all of its threads; 0 where the system does not say.
  static func seconds(_ pid: pid_t) -> Double {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    return tasks.reduce(0) { sum, task in
      let text =
        (try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/schedstat", encoding: .utf8)) ?? ""
      return sum + (text.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1e9
    }
  }

  /// The most memory that this process has held, in bytes.
  static var peakMemory: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return 1024 * (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0)
  }

  static var openDescriptors: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
  }
}
