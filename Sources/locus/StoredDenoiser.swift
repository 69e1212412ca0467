import Diffusion
import Experiments
import Lineage
import Workflow

/// The denoiser that a word names: an instance of train, analytic or intervene, an execution, or weights.
func storedDenoiser(_ word: String, in store: Store) throws -> any Denoiser {
  let files: [Row]
  switch try StoreReference(word, in: store) {
  case .execution(let id):
    files = try store.rows(
      "SELECT role, sha256 FROM execution_output WHERE execution_id = ?", [.text(id)])
  case .artifact(let hash):
    files = try store.rows(
      "SELECT kind AS role, sha256 FROM artifact WHERE sha256 = ?", [.text(hash)])
  case .run:
    throw UsageError.noDenoiser(word)
  }
  var byRole: [String: StageFile] = [:]
  for row in files {
    let hash = try row.text("sha256")
    byRole[try row.text("role")] = StageFile(url: store.objectURL(hash), sha256: hash)
  }
  guard byRole["weights"] != nil || byRole["machine"] != nil && byRole["pixels"] != nil else {
    throw UsageError.noDenoiser(word)
  }
  return try DenoiserArtifact(files: byRole).denoiser
}
