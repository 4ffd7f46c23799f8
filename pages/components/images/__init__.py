"""Images on the screen: galleries, uploads, the analysis of one image."""
