"""The user's own images: folders, .npz archives and .zip uploads in the allowed folders."""
