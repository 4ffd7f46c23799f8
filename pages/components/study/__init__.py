"""The study of the visitor: the sidebar, the dialog that changes it, the visitor's own models and images."""
