"""A report in a real browser: it asks for nothing, and everything in it can be seen."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcut.datasets.dataset import open_dataset
from latentcut.evaluation.bundle_segmenter import BundleSegmenter
from latentcut.evaluation.protocol import STANDARD, evaluate_sample
from latentcut.evaluation.report.report import make_report
from latentcut.evaluation.results import predictor_facts, result_of
from latentcut.evaluation.table import summarise

pytest.importorskip("matplotlib", reason="reports need the extra evaluation")

SHOTS = os.environ.get("LATENTCUT_SCREENSHOTS")  # a folder: keep pictures of the pages
PROTOCOL = replace(STANDARD, max_clicks=4)
# every picture in the page, decoded by the browser: its size, (0, 0) where it cannot be
DECODED = """() => Promise.all([...document.querySelectorAll('image')].map(async (image) => {
    const loaded = new Image();
    loaded.src = image.getAttribute('href');
    await loaded.decode().catch(() => null);
    return [loaded.naturalWidth, loaded.naturalHeight];
}))"""
# width and height of what each view of a case shows, in px of the screen
SEEN = """() => [...document.querySelectorAll('.tile svg')].map((svg) => {
    const box = (svg.querySelector('image') || svg.querySelector('use')).getBoundingClientRect();
    return Math.round(box.width) > 20 && Math.round(box.height) > 20;
})"""


@pytest.fixture(scope="module")
def report(predictor, photo, tmp_path_factory) -> Path:
    """Two predictors and two users on a disc, and on a box in its corner."""
    folder = tmp_path_factory.mktemp("report")
    rows, columns = np.mgrid[:96, :128]
    labels = ((columns - 60) ** 2 + (rows - 40) ** 2 <= 24**2).astype(np.uint8)
    labels[70:90, 90:120] = 2
    for name, pixels in {"images": photo, "masks": labels}.items():
        (folder / "things" / name).mkdir(parents=True)
        Image.fromarray(pixels).save(folder / "things" / name / "disc.png")
    dataset = open_dataset(folder / "things")
    segmenters = {name: BundleSegmenter(predictor, name) for name in ("ours", "again")}
    runs = []
    for name, segmenter in segmenters.items():
        for user in ("centre", "noisy"):
            refs = list(dataset.objects())
            done = [evaluate_sample(segmenter, dataset.sample(r), PROTOCOL, user) for r in refs]
            runs.append(
                {
                    "dataset": "things",
                    "dataset_facts": {"format": "folder"},
                    "predictor": name,
                    "user": user,
                    "seed": 0,
                    "objects": len(done),
                    "table": summarise(done, protocol=PROTOCOL),
                    "rows": [row.to_dict() for row in done],
                }
            )
    facts = [predictor_facts(s, name, "default") for name, s in segmenters.items()]
    path = folder / "report.html"
    make_report(result_of(PROTOCOL, facts, runs), {"things": dataset}, segmenters, path)
    return path


@pytest.fixture
def opened(chromium, report):
    """Open the report; collects what was asked for and what the browser complained about."""
    pages = []

    def open_page(width=1280, scheme="light"):
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(report.as_uri())
        pages.append(page)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"report-{width}-{scheme}.png", full_page=True)
        return page

    yield open_page
    for page in pages:
        page.close()


def test_a_report_asks_for_nothing_but_itself_and_the_browser_does_not_complain(opened, report):
    page = opened()

    asked = [url for url in page.asked if not url.startswith("data:image/jpeg;base64,")]
    assert asked == [report.as_uri()]
    assert page.complaints == []


def test_tables_plots_and_all_pictures_are_there(opened):
    page = opened()

    sizes = page.evaluate(DECODED)

    assert page.locator("#results table").count() == 2  # figures and differences
    assert page.locator("#plots .plots svg").count() == 5
    assert page.locator("#users .plots svg").count() == 2
    assert len(sizes) == 4  # worst and best of two predictors
    assert all(width > 0 and height > 0 for width, height in sizes)
    seen = page.evaluate(SEEN)
    assert len(seen) >= 4 * (2 + 6)
    assert all(seen)


def test_the_truth_is_an_outline_and_the_answer_a_tint_over_the_picture(opened):
    page = opened()
    truth, answer, *_ = page.locator('.case[aria-label="best case: disc:1"] .tile svg').all()

    inside = []
    for view in (truth, answer):
        seen = np.asarray(Image.open(io.BytesIO(view.screenshot())).convert("RGB"), dtype=int)
        height, width = seen.shape[:2]
        near = seen[int(0.3 * height) : int(0.35 * height), int(0.45 * width) : int(0.55 * width)]
        inside.append(near.reshape(-1, 3).mean(0))

    # the disc is (230, 220, 60); 40 % of (42, 134, 255) over it makes it (155, 186, 138)
    assert np.abs(inside[0] - (230, 220, 60)).max() < 12
    assert np.abs(inside[1] - (155, 186, 138)).max() < 12


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_fits_the_screen_in_both_themes(opened, width, scheme):
    page = opened(width, scheme)

    assert page.evaluate("document.documentElement.scrollWidth") == width
    ground, text, plot = page.evaluate(
        """() => [document.body, document.body, document.querySelector('.plots svg text')].map(
            (element, i) => getComputedStyle(element)[['backgroundColor', 'color', 'fill'][i]]
        )"""
    )
    brightness = [sum(map(int, c[4:-1].split(","))) / 3 for c in (ground, text, plot)]
    is_bright = [value > 128 for value in brightness]
    assert is_bright == ([True, False, False] if scheme == "light" else [False, True, True])


def test_every_link_leads_to_a_heading(opened):
    page = opened()

    for link in page.locator("nav a").all():
        link.click()

        target = page.url.rpartition("#")[2]
        heading = page.locator(f"#{target}-title")
        assert heading.inner_text() == link.inner_text()
        assert heading.is_visible()


def test_a_report_can_be_printed(opened):
    page = opened()

    assert page.pdf(format="A4").startswith(b"%PDF-")
