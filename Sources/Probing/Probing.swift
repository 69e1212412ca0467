// Probing: its first file is on the way.
