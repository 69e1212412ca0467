/// By semantic versioning; see CHANGELOG.
let locusVersion = "0.1.0"
