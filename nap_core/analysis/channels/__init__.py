"""Analyses of single channels: ranking, separability, the classes that drive them, the points of max vs mean."""
