"""The whole page in a real browser, against a real server in this process."""

from __future__ import annotations

import pytest
from shell_servers import SIZE_HW, Running, draw_pictures, serving

SAVED_MS = 20_000  # a click on a slow, busy machine


class Annotator:
    """Hands and eyes of somebody at the page."""

    def __init__(self, page, server: Running) -> None:
        self.page, self.server = page, server

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the fitted picture is on the screen."""
        box = self.page.locator("#stage").bounding_box()
        height, width = SIZE_HW
        spare = min(24, box["width"] / 20, box["height"] / 20)
        room = box["width"] - 2 * spare, box["height"] - 2 * spare
        scale = min(room[0] / width, room[1] / height)
        left = box["x"] + (box["width"] - width * scale) / 2
        top = box["y"] + (box["height"] - height * scale) / 2
        return left + (x + 0.5) * scale, top + (y + 0.5) * scale

    def click(self, x: float = 160, y: float = 120, button: str = "left") -> None:
        """Click on a pixel; the disc if none is named."""
        self.page.mouse.click(*self.place(x, y), button=button)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=5)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def see(self, selector: str, text: str | None = None, timeout_ms: float = SAVED_MS):
        """Wait until something is there, with this text in it; return it."""
        found = self.page.locator(selector)
        found = found if text is None else found.filter(has_text=text)
        found.first.wait_for(timeout=timeout_ms)
        return found.first

    def saved(self) -> None:
        self.see("#save-status[data-look=saved]")

    def candidates(self) -> None:
        """Wait until the candidates belong to what is shown."""
        self.saved()
        self.see("#candidate-list:not(.stale) [role=radio]")

    def taken(self) -> int:
        """Number of the selected candidate, from 1."""
        return int(self.see("#candidate-list [aria-checked=true] kbd").inner_text())

    def take_another(self) -> int:
        """Press the key of a candidate that is not selected; its number."""
        other = 2 if self.taken() == 1 else 1
        self.press(str(other))
        return other

    def objects(self) -> list[str]:
        return self.page.locator("#object-list .row-name").all_inner_texts()

    def add_label(self, name: str, key: str = "") -> None:
        self.page.click("#add-label")
        dialog = self.page.locator("dialog[open]")
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_label("Key").fill(key)
        dialog.get_by_role("button", name="Add label").click()
        self.page.locator("#label-list .row-name", has_text=name[:40]).first.wait_for()

    def look_ready(self) -> None:
        """Wait until the image is shown and clicks are answered."""
        self.see("#stage[aria-busy=false]")
        self.page.locator("#stage-busy").wait_for(state="hidden", timeout=SAVED_MS)


@pytest.fixture
def folder(tmp_path):
    return draw_pictures(tmp_path / "pictures")


@pytest.fixture
def server(folder, predictor):
    with serving(folder, predictor) as running:
        yield running


@pytest.fixture
def open_page(chromium, server):
    """Open the page in a browser of its own; anything it reports as an error fails the test."""
    contexts, problems = [], []

    def open_page(**options) -> Annotator:
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.extend(_problem(message)))
        page.goto(server.page_url)
        annotator = Annotator(page, server)
        annotator.look_ready()
        return annotator

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def annotator(open_page) -> Annotator:
    return open_page()


def _problem(message) -> list[str]:
    """What the console says, but for answers that a test has made bad itself."""
    is_answer = message.text.startswith("Failed to load resource")
    return [message.text] if message.type == "error" and not is_answer else []
