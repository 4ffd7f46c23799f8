"""The folder of the files that the project ships: weights, images, tables."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"
