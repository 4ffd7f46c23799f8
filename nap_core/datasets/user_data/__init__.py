"""The user's own images: folders, .npz archives and .zip uploads below the allowed folders."""
