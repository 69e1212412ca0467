// Proves that a database is kept off file systems over a network, and what a store in two places is.
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("file systems")
struct FileSystemTests {
  private static let mounts = """
    22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
    30 22 0:26 / /home rw,relatime - nfs4 server:/home rw,vers=4.2
    31 30 8:2 / /home/me/local rw - xfs /dev/sdb1 rw
    32 22 0:27 / /scratch rw - lustre 10.0.0.1@tcp:/fs rw
    33 22 0:28 / /mnt/two\\040words rw - fuse.sshfs host: rw
    34 22 0:29 / /run rw - tmpfs tmpfs rw
    """

  @Test(
    "the mount that holds a path decides",
    arguments: [
      ("/var/data", nil), ("/home/me/data", "nfs4"), ("/home", "nfs4"), ("/homes/me", nil),
      ("/home/me/local/data", nil), ("/scratch/x", "lustre"), ("/mnt/two words/x", "fuse.sshfs"),
      ("/run/x", nil),
    ] as [(String, String?)])
  func mounted(_ path: String, _ type: String?) {
    #expect(FileSystem.network(of: path, mounts: Self.mounts) == type)
  }

  @Test("where the system says nothing, nothing is refused")
  func unknown() { #expect(FileSystem.network(of: "/x", mounts: "") == nil) }

  @Test("a store in two places is found from either, and is refused where another one lies")
  func split() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let (database, objects) = (folder.appending(path: "here"), folder.appending(path: "shared"))
    try Store.split(database: database, objects: objects)
    try Store.split(database: database, objects: objects)
    #expect(Store.objectsFolder(of: database).standardizedFileURL.path == objects.path)
    #expect(Store.objectsFolder(of: objects) == objects)
    _ = try Store.open(Store.objectsFolder(of: database), .readWrite, .locus)
    #expect(FileManager.default.fileExists(atPath: database.appending(path: "locus.sqlite").path))
    #expect(!FileManager.default.fileExists(atPath: objects.appending(path: "locus.sqlite").path))
    _ = try Store.rebuild(objects, .locus)
    _ = try Store.open(objects, .readOnly, .locus)
    #expect(throws: StoreError.self) {
      try Store.split(database: folder.appending(path: "other"), objects: objects)
    }
    #expect(throws: StoreError.self) { try Store.split(database: objects, objects: objects) }
    // As a machine sees it that has not the disk of the database.
    try Data("/nowhere/at/all\nanother-host\n".utf8).write(
      to: objects.appending(path: Store.databasePointer))
    #expect {
      _ = try Store.open(objects, .readOnly, .locus)
    } throws: {
      ($0 as? StoreError).map { "\($0)".contains("is on another-host") } == true
    }
  }
}
