"""
One sitting of a person at the page: the real command, a real browser, real photos.

The server is the installed command in a process of its own, which is killed and started again in
the middle. What is compared in the end is what was seen: pixels of the screen.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

SAMPLES = Path(__file__).parents[2] / "src" / "latentcut" / "samples"
SHOTS = os.environ.get("LATENTCUT_SCREENSHOTS")  # a folder: keep pictures of the main states
PADDING_PX = 24  # around a picture that fits, as in viewport.js


class Server:
    """``latentcut annotate`` on a folder; can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "latentcut", "annotate", str(self.folder), "--no-browser"]
        self.process = subprocess.Popen(
            [*command, "--json", "--port", str(self.port), "--threads", "2"],
            stdout=subprocess.PIPE,
            text=True,
        )
        facts = json.loads(self.process.stdout.readline())
        self.url, self.port = facts["url"], facts["port"]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


class Person:
    """Hands and eyes: places in the picture become places on the screen."""

    def __init__(self, page) -> None:
        self.page = page

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the fitted picture is on the screen."""
        left, top, scale = self.fitted()
        return left + (x + 0.5) * scale, top + (y + 0.5) * scale

    def fitted(self) -> tuple[float, float, float]:
        """Left and top edge of the fitted picture on the screen, and its scale."""
        box = self.page.locator("#stage").bounding_box()
        width, height = self.size()
        spare = min(PADDING_PX, box["width"] / 20, box["height"] / 20)
        room = box["width"] - 2 * spare, box["height"] - 2 * spare
        scale = min(room[0] / width, room[1] / height)
        left = box["x"] + (box["width"] - width * scale) / 2
        return left, box["y"] + (box["height"] - height * scale) / 2, scale

    def size(self) -> tuple[int, int]:
        name = self.page.locator("#image-name").inner_text()
        with Image.open(SAMPLES / name) as image:
            return image.size

    def click(self, x: float, y: float, button: str = "left") -> None:
        self.page.mouse.click(*self.place(x, y), button=button)
        self.saved()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def drag(self, *points: tuple[float, float]) -> None:
        self.page.mouse.move(*self.place(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.place(*point), steps=6)
        self.page.mouse.up()
        self.saved()

    def saved(self) -> None:
        """Wait until the page says so."""
        self.page.wait_for_timeout(60)
        self.page.wait_for_selector("#save-status[data-look=saved]", timeout=15_000)

    def open_image(self, name: str) -> None:
        self.page.get_by_role("option", name=name).click()
        self.page.locator("#image-name").filter(has_text=name).wait_for()
        self.page.locator("#stage[aria-busy=false]").wait_for()
        self.page.locator("#stage-busy").wait_for(state="hidden")

    def look(self, name: str) -> np.ndarray:
        """The screen, uint8 (H, W, 3); kept as a picture when asked for."""
        self.page.wait_for_timeout(250)  # the last frame is drawn and nothing glows any more
        data = self.page.screenshot()
        if SHOTS:
            Path(SHOTS, f"{name}.png").write_bytes(data)
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)

    def seen_mask(self, name: str) -> np.ndarray:
        """The masks on the screen, bool in image pixels: where hiding them changes the picture."""
        self.page.mouse.move(5, 5)
        shown = self.look(name)
        self.press("v")
        bare = self.look(f"{name}_bare")
        self.press("v")
        changed = (np.abs(shown - bare).max(axis=2) > 12).astype(np.float32)
        width, height = self.size()
        left, top, scale = self.fitted()
        to_image = np.array([[scale, 0, left + scale / 2], [0, scale, top + scale / 2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(changed, to_image, (width, height), flags=flags) > 0.5

    def objects(self) -> list[str]:
        return self.page.locator("#object-list .row-main").all_inner_texts()


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo in sorted(SAMPLES.glob("*.jpg")):
        shutil.copy(photo, folder)
    return folder


@pytest.fixture
def server(photos):
    server = Server(photos)
    yield server
    server.kill()


@pytest.fixture
def person(chromium, server):
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto(server.url)
    page.wait_for_selector("#film-strip [role=option]")
    yield Person(page)
    context.close()
    assert problems == []


def add_label(person: Person, name: str) -> None:
    person.page.get_by_role("button", name="Add a label").click()
    person.page.keyboard.type(name)
    person.press("Enter")
    person.page.locator("#label-list .row-main", has_text=name).wait_for()


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


# pycocotools' own array class does not know the newest keyword of NumPy
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_a_person_annotates_a_folder_and_loses_nothing(person, server, photos):
    page = person.page
    add_label(person, "face")
    add_label(person, "cup")

    # a cat's face with positive and negative clicks, and another candidate by its key
    person.open_image("chelsea.jpg")
    page.locator("#label-list .row-main", has_text="face").click()
    person.click(225, 120)
    page.locator("#candidate-list [role=radio]").nth(5).wait_for()
    person.look("first_click")
    person.click(20, 20, button="right")
    person.click(420, 280, button="right")
    before = person.seen_mask("two_negatives")
    page.locator("#candidate-list [role=radio]:not([aria-checked=true])").first.wait_for()
    taken = page.locator("#candidate-list [aria-checked=true]").get_attribute("aria-label")
    other = "2" if taken.startswith("Candidate 1") else "1"
    person.press(other)
    person.saved()
    page.locator(
        f"#candidate-list [role=radio][aria-checked=true][aria-label^='Candidate {other}']"
    ).wait_for()
    person.press("Control+z")
    person.saved()
    after = person.seen_mask("undone")
    assert iou(before, after) > 0.995
    person.press("Enter")

    # a cup, with a stroke of the brush and one of the eraser on top
    person.open_image("coffee.jpg")
    page.locator("#label-list .row-main", has_text="cup").click()
    person.click(300, 150)
    person.press("b")
    person.drag((40, 40), (90, 40))
    person.press("e")
    person.drag((300, 150), (320, 160))
    person.press("q")
    person.press("Enter")

    # a third object, and the image is done
    person.click(560, 330)
    person.press("Enter")
    person.look("coffee")
    seen = person.seen_mask("coffee_masks")
    listed = person.objects()
    assert len(listed) == 2

    # reload, then kill -9 and start again: everything is there
    page.reload()
    person.open_image("coffee.jpg")
    assert person.objects() == listed
    assert iou(person.seen_mask("reloaded"), seen) > 0.995
    server.kill()
    page.wait_for_selector("#banner:not([hidden])", timeout=5_000)
    person.look("server_gone")
    server.start()
    page.goto(server.url)
    person.open_image("coffee.jpg")
    assert person.objects() == listed
    after = person.seen_mask("restarted")
    assert iou(after, seen) > 0.995

    # undo reaches back over the restart
    undo = page.locator("#undo-button")
    assert undo.is_enabled()
    person.press("Control+z")
    person.saved()
    assert len(person.objects()) == 1
    person.press("Control+Shift+Z")
    person.saved()
    assert person.objects() == listed

    # export COCO; pycocotools reads what was on the screen
    page.locator("#export-button").click()
    person.look("export")
    page.locator("dialog[open]").get_by_role("button", name="Export").click()
    path = photos / "latentcut-export" / "coco" / "annotations.json"
    page.locator("dialog[open]").filter(has_text="latentcut-export").wait_for()
    coco = COCO(str(path))
    by_name = {image["file_name"].split("/")[-1]: image for image in coco.dataset["images"]}
    masks = [
        coco_mask.decode(coco.annToRLE(annotation)).astype(bool)
        for annotation in coco.imgToAnns[by_name["coffee.jpg"]["id"]]
    ]
    assert len(masks) == 2
    assert iou(np.logical_or.reduce(masks), after) > 0.99
    names = {category["name"] for category in coco.dataset["categories"]}
    assert {"face", "cup"} <= names
