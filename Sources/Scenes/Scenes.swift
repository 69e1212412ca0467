// Scenes: its first file is on the way.
