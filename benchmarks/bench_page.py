"""
How long a person at the page waits: from the button going down to the mask on the screen.

    make bench                                    (or: python benchmarks/bench_page.py)

The real command serves a photo of 640 x 480, a real Chromium shows the page, and the page's own
clock tells when the canvas with the mask changed after a click. "Sign" is the time until the page
shows that it is at work. The baseline is the same click answered without page, server and disk: a
session in this process.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

THREADS = 2
SIZE_WH = (640, 480)
NUM_OBJECTS = 8  # first clicks; each is followed by later ones
LATER = ((0.30, 0.62, True), (0.06, 0.06, False), (0.93, 0.90, False))
FIRST = (0.50, 0.45, True)
MEASURE = """([x, y, button]) => new Promise((resolve) => {
  const layers = Object.fromEntries([...document.querySelectorAll('#stage canvas')]
    .map((canvas) => [canvas.dataset.layer ?? canvas.className, canvas]));
  const content = (name) => {
    const key = Object.keys(layers).find((each) => each.includes(name));
    const canvas = layers[key];
    const small = new OffscreenCanvas(64, 48).getContext('2d');
    small.drawImage(canvas, 0, 0, 64, 48);
    return small.getImageData(0, 0, 64, 48).data.join();
  };
  const before = { active: content('active'), overlay: content('overlay') };
  const found = {};
  let start = 0;
  document.querySelector('#stage').addEventListener('pointerdown', () => {
    start = performance.now();
    const look = () => {
      const now = performance.now() - start;
      if (!found.sign && content('overlay') !== before.overlay) found.sign = now;
      const state = document.querySelector('#save-status').dataset.look;
      found.asked ||= state === 'saving';  // what changed before was only the preview going away
      const answered = found.asked && state === 'saved';
      if (answered && content('active') !== before.active) {
        return resolve({ sign: found.sign ?? now, mask: now });
      }
      if (now > 10000) return resolve(null);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { once: true, capture: true });
  window.readyToMeasure = true;
})"""


def sample_folder(folder: Path) -> Path:
    """A folder with one photo of 640 x 480."""
    from PIL import Image

    photo = Image.open(str(resources.files("latentcut") / "samples" / "chelsea.jpg"))
    photo.resize(SIZE_WH).save(folder / "photo.png")
    return folder


def session_times(photo: Path) -> dict[str, list[float]]:
    """The baseline: milliseconds of first and later clicks of a session."""
    import latentcut

    predictor = latentcut.load(threads=THREADS)
    times: dict[str, list[float]] = {"first": [], "later": []}
    for _ in range(NUM_OBJECTS):
        session = predictor.open(photo)
        for number, (x, y, positive) in enumerate((FIRST, *LATER)):
            started = time.perf_counter()
            session.click(x * (SIZE_WH[0] - 1), y * (SIZE_WH[1] - 1), positive).mask.sum()
            kind = "later" if number else "first"
            times[kind].append(1000 * (time.perf_counter() - started))
    return times


def page_times(page) -> dict[str, list[float]]:
    """Milliseconds until the mask, and until a sign of work, of first and later clicks."""
    times: dict[str, list[float]] = {"first": [], "later": [], "sign": []}
    for index in range(NUM_OBJECTS):
        for number, (x, y, positive) in enumerate((FIRST, *LATER)):
            # never the same place twice: the server remembers its newest answers
            measured = click_on(page, x + 0.007 * index, y, positive)
            times["later" if number else "first"].append(measured["mask"])
            times["sign"].append(measured["sign"])
        page.keyboard.press("Enter")
        page.keyboard.press("Control+z")  # away with it, click by click
        for _ in LATER:
            page.keyboard.press("Control+z")
        page.wait_for_selector("#objects-empty:not([hidden])")
    return times


def click_on(page, x: float, y: float, positive: bool) -> dict[str, float]:
    """One click at a share of the picture, which is fitted into the stage."""
    stage = page.locator("#stage").bounding_box()
    scale = min((stage["width"] - 48) / SIZE_WH[0], (stage["height"] - 48) / SIZE_WH[1])
    left = stage["x"] + (stage["width"] - SIZE_WH[0] * scale) / 2 + x * SIZE_WH[0] * scale
    top = stage["y"] + (stage["height"] - SIZE_WH[1] * scale) / 2 + y * SIZE_WH[1] * scale
    page.mouse.move(left, top)
    page.wait_for_timeout(400)  # as a person rests before a click; the hover preview is done
    handle = page.evaluate_handle(f"(place) => ({{ done: ({MEASURE})(place) }})", [left, top, 0])
    page.mouse.click(left, top, button="left" if positive else "right")
    measured = page.evaluate("(handle) => handle.done", handle)
    page.wait_for_selector("#save-status[data-look=saved]")
    page.wait_for_timeout(300)  # the candidates have come
    return measured


def main() -> None:
    """Measure and print a table."""
    browser_path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser_path is None:
        print("there is no Chromium: install it to measure the page")
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as scratch:
        folder = sample_folder(Path(scratch))
        baseline = session_times(folder / "photo.png")
        command = [sys.executable, "-m", "latentcut", "annotate", str(folder), "--no-browser"]
        command += ["--json", "--port", "0", "--threads", str(THREADS)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = json.loads(server.stdout.readline())["url"]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=browser_path, args=["--no-sandbox"]
                )
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(url)
                page.wait_for_selector("#stage[aria-busy=false]")
                page.locator("#stage-busy").wait_for(state="hidden")
                found = page_times(page)
                browser.close()
        finally:
            server.terminate()
            server.wait()
    report(found, baseline)


def report(found: dict[str, list[float]], baseline: dict[str, list[float]]) -> None:
    """Print medians, and ratios against the session."""
    print(f"640 x 480, {THREADS} threads, {NUM_OBJECTS} objects; medians")
    for kind in ("first", "later"):
        ours, bare = statistics.median(found[kind]), statistics.median(baseline[kind])
        slowest = max(found[kind])
        print(
            f"{kind} click, mask on the screen: {ours:4.0f} ms (slowest {slowest:.0f}); "
            f"{ours / bare:.1f} times a session's {bare:.0f} ms"
        )
    print(f"sign of work: {statistics.median(found['sign']):.0f} ms")


if __name__ == "__main__":
    main()
