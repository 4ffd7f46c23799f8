"""What lies on the disk: the activation store, downloads, folders that appear whole or not at all."""
