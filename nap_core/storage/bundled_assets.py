"""The folder of what the project ships beside the code: weights, images, tables."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"
