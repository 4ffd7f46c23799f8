"""Files on disk: activation store, downloads, atomic folders, allowed folders; progress of long work."""
