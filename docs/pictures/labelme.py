"""
Make docs/images/labelme.png: labelme's window, with an object that was clicked by a program.

Run:    python docs/pictures/labelme.py
Needs:  pip install 'latentcut[labelme]'. The window is drawn without a screen.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DRIVER = ROOT / "tests" / "judges" / "labelme" / "labelme_driver.py"
TARGET = ROOT / "docs" / "images" / "labelme.png"
CLICKS = [[235, 160, True], [70, 215, True], [410, 140, False]]
COLOURS = 256


def main() -> None:
    """Click, take the picture, and make it small."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo, picture = folder / "chelsea.jpg", folder / "window.png"
        shutil.copy(ROOT / "src" / "latentcut" / "samples" / "chelsea.jpg", photo)
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": name}
        command = [sys.executable, DRIVER, photo.name, json.dumps(CLICKS), "points"]
        subprocess.run(
            [*command, folder / "saved.json", picture], cwd=folder, env=environment, check=True
        )
        small = Image.open(picture).convert("RGB").quantize(COLOURS)
        small.save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
