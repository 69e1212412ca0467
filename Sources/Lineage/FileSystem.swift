import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What kind of disk a folder is on. SQLite's log needs shared memory and locks that file systems over a network
/// do not keep: a database there is damaged sooner or later.
package enum FileSystem {
  private static let networks: Set<String> = [
    "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs3", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "wekafs",
  ]

  /// The name of the file system over a network that a path is on; `nil` for a local disk, and where the system
  /// does not say.
  package static func network(of path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
    return network(of: String(cString: real), mounts: mounts)
  }

  /// - Parameter mounts: `/proc/self/mountinfo`, see proc(5): the fifth field is where, the first after ` - ` what.
  static func network(of path: String, mounts: String) -> String? {
    var found: (length: Int, type: String)?
    for line in mounts.split(separator: "\n") {
      let halves = line.components(separatedBy: " - ")
      let fields = halves[0].split(separator: " ")
      guard halves.count > 1, fields.count > 4,
        let type = halves[1].split(separator: " ").first
      else { continue }
      let place = plain(String(fields[4]))
      guard place == "/" || path == place || path.hasPrefix(place + "/") else { continue }
      // Of several at one place the last one shows.
      if place.utf8.count >= found?.length ?? 0 { found = (place.utf8.count, String(type)) }
    }
    guard let type = found?.type else { return nil }
    let isFuse = type.hasPrefix("fuse.") && type != "fuse.fuse-overlayfs"
    return networks.contains(type) || isFuse ? type : nil
  }

  /// Blanks and the like are written as `\040`.
  private static func plain(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
