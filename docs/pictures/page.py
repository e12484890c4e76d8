"""
Make docs/images/page.png: the annotation page with a thing that was cut out with three clicks.

Run:    python docs/pictures/page.py
Needs:  pip install 'latentcut[test]' and Chromium on the PATH. The real command serves the page.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "src" / "latentcut" / "samples"
TARGET = ROOT / "docs" / "images" / "page.png"
PHOTO = "chelsea.jpg"
LABELS = ("cup", "cat")  # the one that is made last is the one in use
CLICKS = (  # mouse button, and where: of the picture's width and height
    ("left", 0.50, 0.40),
    ("left", 0.14, 0.62),
    ("right", 0.93, 0.93),
)
SCREEN = ViewportSize(width=1440, height=900)
PICTURE = (1200, 750)
COLOURS = 256
WAIT_MS = 15_000


def main() -> None:
    """Serve the sample photos, click, take the picture, and make it small."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        folder.mkdir()
        for photo in sorted(SAMPLES.glob("*.jpg")):
            shutil.copy(photo, folder)
        command = [sys.executable, "-m", "latentcut", "annotate", str(folder), "--no-browser"]
        server = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            picture = Path(name) / "page.png"
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                page = browser.new_page(viewport=SCREEN, color_scheme="dark")
                page.goto(url)
                cut_out(page)
                page.screenshot(path=picture)
                browser.close()
            shot = Image.open(picture).convert("RGB").resize(PICTURE, Image.Resampling.LANCZOS)
            shot.quantize(COLOURS).save(TARGET, optimize=True)
        finally:
            server.terminate()
            server.wait()
    print(TARGET)


def cut_out(page: Page) -> None:
    """Make the labels, open the photo and click."""
    page.get_by_role("option", name=PHOTO).click()
    page.locator("#stage[aria-busy=false]").wait_for()
    page.locator("#stage-busy").wait_for(state="hidden")
    for label in LABELS:
        page.get_by_role("button", name="Add a label").click()
        page.keyboard.type(label)
        page.keyboard.press("Enter")
        page.locator("#label-list .row-main", has_text=label).wait_for()
    with Image.open(SAMPLES / PHOTO) as photo:
        width, height = photo.size
    box = page.locator("#stage").bounding_box()
    assert box is not None
    spare = 24  # around a picture that fits
    scale = min((box["width"] - 2 * spare) / width, (box["height"] - 2 * spare) / height)
    for button, x, y in CLICKS:
        across = box["x"] + box["width"] / 2 + (x - 0.5) * width * scale
        down = box["y"] + box["height"] / 2 + (y - 0.5) * height * scale
        page.mouse.click(across, down, button=button)  # type: ignore[arg-type]
        page.wait_for_timeout(100)
        page.wait_for_selector("#save-status[data-look=saved]", timeout=WAIT_MS)
    page.wait_for_timeout(500)  # nothing glows any more


if __name__ == "__main__":
    main()
