import Artifacts
import Diffusion
import Lineage
import Workflow

/// The denoiser that a word names: an instance of a stage that made one, its execution, or its manifest.
///
/// - Throws: `StoreError.damaged` when something that it is made of is not what its hash says.
func storedDenoiser(_ word: String, in store: Store) throws -> any Denoiser {
  guard let sha256 = try storedManifest(of: .denoiser, word, in: store) else {
    throw UsageError.noDenoiser(word)
  }
  let object = intactObjects(of: store)
  return try DenoiserArtifact(manifest: object(sha256), object: object).denoiser
}

/// The manifest of a type that a word leads to: what an instance or an execution made, or what a file was made
/// with. Weights stand for the denoiser that they make.
func storedManifest(of type: ArtifactType, _ word: String, in store: Store) throws -> String? {
  switch try StoreReference(word, in: store) {
  case .execution(let id):
    return try store.texts(
      """
      SELECT o.sha256 FROM execution_output o JOIN artifact a USING (sha256)
      WHERE o.execution_id = ? AND a.kind = ?
      """, [.text(id), .text(type.name)]
    ).first
  case .artifact(let hash):
    return try store.texts(
      """
      SELECT m.sha256 FROM execution_output w
      JOIN execution_output m ON m.execution_id = w.execution_id
      JOIN artifact a ON a.sha256 = m.sha256
      WHERE w.sha256 = ? AND a.kind = ? ORDER BY m.sha256 = w.sha256 DESC LIMIT 1
      """, [.text(hash), .text(type.name)]
    ).first
  case .run: return nil
  }
}

/// Finds the objects of a store by their hashes, each held against its own.
func intactObjects(of store: Store) -> (String) throws -> StageFile {
  let memory = HashMemory(store)
  return { StageFile(url: try memory.intactObject($0), sha256: $0) }
}
