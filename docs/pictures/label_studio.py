"""
Make docs/images/label_studio.png: a smart keypoint in Label Studio's labelling page.

Run:    python docs/pictures/label_studio.py http://localhost:8080 ann@example.com PASSWORD
Needs:  a running Label Studio (tried with 1.23.2) with this user, playwright and Chromium.

Makes a project with a sample photo, connects `latentcut label-studio`, clicks the cat twice and
what is beside it once, and fails unless a brush region comes back each time and is stored.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import APIResponse, Page, sync_playwright

import latentcut

TARGET = Path(__file__).resolve().parents[1] / "images" / "label_studio.png"
PHOTO = Path(latentcut.__file__).parent / "samples" / "chelsea.jpg"
CHROMIUM = "/usr/bin/chromium"
CLICKS = (  # whether on the cat, and where: of the picture's width and height
    (True, 0.52, 0.52),
    (True, 0.2, 0.6),
    (False, 0.8, 0.9),
)
LABEL_OF_CLICKS = "2"  # the key of the label of the smart keypoint
WAIT_MS = 30_000
CONFIG = """<View>
  <Image name="image" value="$image"/>
  <BrushLabels name="tag" toName="image" smart="false">
    <Label value="Cat" background="#e4572e"/></BrushLabels>
  <KeyPointLabels name="click" toName="image" smart="true" smartOnly="true" strokeWidth="5">
    <Label value="Cat" background="#e4572e"/></KeyPointLabels>
  <RectangleLabels name="box" toName="image" smart="true" smartOnly="true">
    <Label value="Cat" background="#e4572e"/></RectangleLabels>
</View>"""


class Studio:
    """Label Studio's API with the cookies of a page that has logged in."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def log_in(self, email: str, password: str) -> None:
        self.page.goto(f"{self.url}/user/login/")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: "login" not in url, timeout=WAIT_MS)

    def post(self, path: str, **what: object) -> dict:
        cookies = {cookie["name"]: cookie["value"] for cookie in self.page.context.cookies()}
        headers = {"X-CSRFToken": cookies["csrftoken"], "Referer": self.url}
        answer: APIResponse = self.page.request.post(self.url + path, headers=headers, **what)
        if not answer.ok:
            raise SystemExit(f"{path}: {answer.status} {answer.text()[:500]}")
        return answer.json() if answer.body() else {}


def start_backend(url: str, key: str) -> tuple[subprocess.Popen, str]:
    """The backend with the key of a user, and its address once it answers."""
    command = [sys.executable, "-u", "-m", "latentcut", "label-studio", "--port", "0"]
    command += ["--label-studio-url", url]
    environment = {**os.environ, "LABEL_STUDIO_API_KEY": key}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    line = process.stdout.readline()
    return process, next(word for word in line.split() if word.startswith("http"))


def label(page: Page, url: str, project: int) -> None:
    """Open the first task, choose the smart keypoint and click."""
    page.goto(f"{url}/projects/{project}/data?labeling=1")
    page.locator("canvas").first.wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(3000)
    page.get_by_text("Auto-Annotation").click()  # without it there are no smart tools
    page.wait_for_timeout(1000)
    page.locator(".lsf-tool_smart").first.click()
    page.wait_for_timeout(500)
    for positive, x, y in CLICKS:
        click(page, positive, x, y)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)


def click(page: Page, positive: bool, x: float, y: float) -> None:
    """One click with its label, which is chosen for each anew; wait for the answer."""
    page.keyboard.press(LABEL_OF_CLICKS)
    page.wait_for_timeout(500)
    box = page.locator(".konvajs-content").first.bounding_box()
    assert box is not None
    with page.expect_response(lambda got: "interactive-annotating" in got.url) as caught:
        if not positive:
            page.keyboard.down("Alt")
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if not positive:
            page.keyboard.up("Alt")
    answer = caught.value.json()
    kinds = [region["type"] for region in answer.get("data", {}).get("result", [])]
    if kinds != ["brushlabels"]:
        raise SystemExit(f"no brush came back: {str(answer)[:500]}")
    page.wait_for_timeout(2000)


def submit(page: Page) -> None:
    """Accept what is suggested and store it; nothing but the brush may be stored."""
    page.get_by_test_id("bottombar-accept-suggestions-button").click()
    page.wait_for_timeout(1000)
    with page.expect_response(lambda got: "/annotations" in got.url) as caught:
        page.get_by_text("Submit", exact=True).click()
    kinds = [region["type"] for region in caught.value.json()["result"]]
    if kinds != ["brushlabels"]:
        raise SystemExit(f"this was stored: {kinds}")


def main() -> None:
    """Drive Label Studio, and take the picture."""
    url, email, password = sys.argv[1:4]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        studio = Studio(page, url)
        studio.log_in(email, password)
        key = studio.post("/api/token/", data={})["token"]  # a user may have one only
        backend, address = start_backend(url, key)
        try:
            project = studio.post("/api/projects/", data={"title": "Cats", "label_config": CONFIG})[
                "id"
            ]
            photo = {"name": PHOTO.name, "mimeType": "image/jpeg", "buffer": PHOTO.read_bytes()}
            studio.post(f"/api/projects/{project}/import", multipart={"file": photo})
            model = {"project": project, "url": address, "title": "latentcut"}
            begun = time.monotonic()
            print(studio.post("/api/ml", data={**model, "is_interactive": True}))
            label(page, url, project)
            print(f"connected and clicked in {time.monotonic() - begun:.1f} s")
            picture = page.screenshot()
            submit(page)
            save(picture)
        finally:
            backend.terminate()
            backend.wait()
            studio.post("/api/token/blacklist/", data={"refresh": key})
            if "LAST_PAGE" in os.environ:  # to see what went wrong
                page.screenshot(path=os.environ["LAST_PAGE"])
        browser.close()


def save(png: bytes) -> None:
    """Write the picture, small."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    few = picture.quantize(256, Image.Quantize.MAXCOVERAGE)  # keeps the tools' rare colours
    picture.quantize(palette=few).save(TARGET, optimize=True)
    print(f"{TARGET.name}: {TARGET.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
