"""Figures and tables on the screen, and what saves them."""
