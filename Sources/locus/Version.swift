/// By semantic versioning; see CHANGELOG.
let locusVersion = "0.1.0"
/// Of this version, or of the work towards it.
let locusDate = "2026-11-24"
