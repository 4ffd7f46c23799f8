#!/usr/bin/env python3
"""Make the pictures of frost, assets/corruptions, from those of imagecorruptions-imaug 1.1.5, and their provenance.

python assets/build/build_frost.py FOLDER    (the folder "frost" inside the installed package)
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from repository import ASSETS, check, parser, write_provenance

SOURCE = "imagecorruptions-imaug 1.1.5, from github.com/hendrycks/robustness"
LICENCE = "Apache License 2.0, © 2018-2022 Dan Hendrycks, © 2019-2024 Evgenia Rusak and Benjamin Mitzkus"
QUALITY = 78
# frost3.png shows the very pixels of frost2.png, and is left out.
SHA256 = {
    "frost1.png": "ff9f907860bd7a835d459e32f9d588062b7f61ee267343cc7222b56753a14755",
    "frost2.png": "fe211a89b336999c207a852ce05818d4545d0b57c5beadd824b4cc9d9a9b6137",
    "frost4.jpg": "3f8b91ca1a9fa7167b09e773da53f5ae60d0a1fd88f02a783f6e328a72887f6e",
    "frost5.jpg": "5fc6a19df4a429ba68abdcc8f8a4278d4c9f81c9ccafd2c92ab0c8cf8992ebd2",
    "frost6.jpg": "1f92b2f48408748085b68dd81d816ef239f42cef3029c25d041fcb6760fb4f25",
}


def main() -> None:
    reader = parser(__doc__)
    reader.add_argument("folder", type=Path)
    folder = reader.parse_args().folder
    target = ASSETS / "corruptions"
    target.mkdir(exist_ok=True)
    contents = {}
    for name in SHA256:
        original = folder / "imagecorruptions" / "frost" / name
        check(name, original.read_bytes(), SHA256)
        made = target / f"{Path(name).stem}.webp"
        # As OpenCV reads it: what is transparent in a PNG is not.
        Image.open(original).convert("RGB").save(made, "WEBP", quality=QUALITY, method=6)
        contents[made.name] = f"a picture of frost: {name}, stored anew as WebP at its own size"
    for name in ("LICENSE", "NOTICE"):
        text = (folder / "imagecorruptions_imaug-1.1.5.dist-info" / "licenses" / name).read_text(encoding="utf-8")
        (target / name).write_text(text, encoding="utf-8", newline="\n")
        contents[name] = f"the {name} that goes with the pictures of frost"
    rows = ((f"corruptions/{name}", what, SOURCE, LICENCE) for name, what in contents.items())
    write_provenance("build_frost", rows)


if __name__ == "__main__":
    main()
