"""axe-core finds nothing in any main state, dark, light and narrow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLACES = (os.environ.get("LATENTCUT_NODE_MODULES"), ROOT / ".venv-dev" / "node" / "node_modules")


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    paths = [Path(place) / "axe-core" / "axe.min.js" for place in PLACES if place]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        pytest.skip("axe-core is not installed: see package.json, and set LATENTCUT_NODE_MODULES")
    return path.read_text(encoding="utf-8")


def violations(annotator, axe: str) -> list[str]:
    """What axe objects to: rule, place, and why."""
    annotator.page.evaluate(axe)  # by the debugger, which the page's own policy does not bind
    found = annotator.page.evaluate("() => axe.run(document)")["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def with_objects(annotator) -> None:
    annotator.add_label("cat", "k")
    annotator.add_label("dog")
    annotator.click()
    annotator.candidates()
    annotator.press("Enter")
    annotator.click(275, 120)
    annotator.candidates()
    annotator.page.mouse.move(5, 5)


def test_a_page_without_objects(annotator, axe):
    assert violations(annotator, axe) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_page_with_objects_and_candidates(open_page, axe, scheme):
    annotator = open_page(color_scheme=scheme)
    with_objects(annotator)

    assert violations(annotator, axe) == []


@pytest.mark.parametrize(
    "button", ["#help-button", "#settings-button", "#export-button", "#import-button", "#add-label"]
)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_dialogs(open_page, axe, button, scheme):
    annotator = open_page(color_scheme=scheme)

    annotator.page.click(button)

    annotator.see("dialog[open]")
    assert violations(annotator, axe) == []


def test_the_brush_and_the_menu_of_an_object(annotator, axe):
    with_objects(annotator)
    annotator.press("b")

    annotator.page.locator("#object-list .more-button").first.click()

    annotator.see("[role=menu]")
    assert violations(annotator, axe) == []


@pytest.mark.parametrize("width", [600, 820, 1024])
def test_narrow_windows_and_their_drawers(open_page, axe, width):
    annotator = open_page(viewport={"width": width, "height": 900}, has_touch=True)
    annotator.click()
    annotator.candidates()
    assert violations(annotator, axe) == []

    annotator.page.click("#toggle-images")

    annotator.page.wait_for_timeout(300)
    assert violations(annotator, axe) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_trouble(open_page, axe, scheme):
    annotator = open_page(color_scheme=scheme)
    annotator.page.context.set_offline(True)
    annotator.click()
    annotator.see("#banner:not([hidden])")

    found = violations(annotator, axe)

    annotator.page.context.set_offline(False)
    annotator.candidates()
    assert found == []


@pytest.mark.parametrize("width", [1280, 820, 600])
def test_controls_are_large_enough_to_hit(open_page, width):
    annotator = open_page(viewport={"width": width, "height": 900})
    annotator.click()
    annotator.candidates()

    small = annotator.page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], select, .segment')]
          .map((each) => [each.getBoundingClientRect(), each])
          .filter(([box]) => box.width > 0 && (box.width < 32 || box.height < 32))
          .filter(([, each]) => !each.closest('.skip-link'))
          .map(([box, each]) => `${each.id || each.className} ${box.width} x ${box.height}`)"""
    )

    assert small == []


def test_what_happens_is_read_out(annotator):
    annotator.add_label("cat")

    annotator.click()

    annotator.candidates()
    text = annotator.page.locator("#announcer").text_content()
    assert text.startswith("Object 1 of label cat, 1 click, ")
    assert "per cent of the image" in text


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_things_that_are_looked_for_and_found(open_page, axe, scheme):
    annotator = open_page(color_scheme=scheme, viewport={"width": 600, "height": 900})
    annotator.press("Shift+F")
    annotator.see("#search-bar", "Looking for things")
    looking = violations(annotator, axe)

    annotator.see("#search-bar button.primary:visible")

    assert looking == violations(annotator, axe) == []
