import Diffusion
import Experiments
import Lineage
import Workflow

/// The denoiser that a word names: an instance of train, analytic or intervene, an execution, or weights.
func storedDenoiser(_ word: String, in store: Store) throws -> any Denoiser {
  let files: QueryResult
  switch try StoreReference(word, in: store) {
  case .execution(let id):
    files = try store.query(
      "SELECT role, sha256 FROM execution_output WHERE execution_id = ?", [.text(id)])
  case .artifact(let hash):
    files = try store.query(
      "SELECT kind, sha256 FROM artifact WHERE sha256 = ?", [.text(hash)])
  case .run:
    throw UsageError.noDenoiser(word)
  }
  var byRole: [String: StageFile] = [:]
  for row in files.rows {
    guard let role = row[0].text, let hash = row[1].text else { continue }
    byRole[role] = StageFile(url: store.objectURL(hash), sha256: hash)
  }
  guard byRole["weights"] != nil || byRole["machine"] != nil && byRole["pixels"] != nil else {
    throw UsageError.noDenoiser(word)
  }
  return try DenoiserArtifact(files: byRole).denoiser
}
