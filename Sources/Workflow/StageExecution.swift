import Formats
import Foundation
import Lineage

/// The pieces of one stage's execution that need nothing of the run around it.
enum StageExecution {
  /// The inputs as a stage sees them.
  static func inputs(
    _ results: [String: [StageResult]], in folder: URL
  ) -> [String: [StageInput]] {
    results.mapValues { stages in
      stages.map { stage in
        StageInput(
          files: Dictionary(
            uniqueKeysWithValues: stage.outputs.map {
              ($0.key, StageFile(url: Store.objectURL($0.value, in: folder), sha256: $0.value))
            }))
      }
    }
  }

  /// Content of the store by its hash.
  static func objects(of store: Store) -> @Sendable (String) -> StageFile {
    objects(in: store.folder)
  }

  /// - Parameter folder: where objects lie.
  static func objects(in folder: URL) -> @Sendable (String) -> StageFile {
    { StageFile(url: Store.objectURL($0, in: folder), sha256: $0) }
  }

  /// The rows of `execution_input`: `scenes/pixels`, or `evaluations[3]/outcomes` where an input
  /// gathers.
  static func references(
    _ results: [String: [StageResult]], declarations: [InputDeclaration]
  ) -> [ArtifactReference] {
    var rows: [ArtifactReference] = []
    for declaration in declarations {
      for (index, stage) in (results[declaration.role] ?? []).enumerated() {
        let prefix =
          declaration.arity.gathers ? "\(declaration.role)[\(index)]" : declaration.role
        for (output, sha256) in stage.outputs.sorted(by: { $0.key < $1.key }) {
          rows.append(ArtifactReference(role: "\(prefix)/\(output)", sha256: sha256))
        }
      }
    }
    return rows
  }

  /// A stage keeps its promises: each role once, each file there.
  static func check(_ files: [StageOutput.File], stage: String) throws(WorkflowError) {
    var roles: Set<String> = []
    for file in files {
      guard roles.insert(file.role).inserted else {
        throw .roleTwice(stage: stage, role: file.role)
      }
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: file.url.path, isDirectory: &isFolder),
        !isFolder.boolValue
      else { throw .noOutput(stage: stage, role: file.role, path: file.url.path) }
    }
  }
}

/// Whose turn it is after an error, also after one of the system or of Foundation; one that does not say
/// is a fault of Locus.
package func category(of error: any Error) -> ErrorCategory {
  switch error {
  case let error as any CategorizedError: error.category
  case let error as CocoaError:
    switch error.code {
    // What sysexits.h calls no input: it is not there, or not for us to read.
    case .fileReadNoSuchFile, .fileNoSuchFile, .fileReadNoPermission: .missing
    case .fileReadCorruptFile, .fileReadInapplicableStringEncoding: .data
    default: StoreError(writing: error).category
    }
  case is POSIXError: StoreError(writing: error).category
  default: .bug
  }
}

package func exitCode(of error: any Error) -> Int32 { category(of: error).exitCode }

extension CocoaError {
  fileprivate var isFileWriteError: Bool {
    (CocoaError.fileWriteUnknown.rawValue...CocoaError.fileWriteVolumeReadOnly.rawValue)
      .contains(code.rawValue)
  }
}

/// An error in words for people.
package func message(of error: any Error) -> String {
  switch error {
  case let error as CocoaError where error.isFileWriteError:
    StoreError(writing: error).description
  case let error as CocoaError: error.localizedDescription
  case let error as any LocalizedError where error.errorDescription != nil:
    error.errorDescription ?? ""
  default: "\(error)"
  }
}
