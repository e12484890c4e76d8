"""Finding all things on the page: progress, what was found, adding it in one step."""

from __future__ import annotations

import re

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


def find(annotator) -> None:
    """Look for things until they are shown."""
    annotator.press("Shift+F")
    annotator.see("#search-bar button.primary:visible")


def number_of(annotator) -> int:
    """How many things the button says it would add."""
    text = annotator.see("#search-bar button.primary:visible").inner_text()
    return int(re.fullmatch(r"Add (\d+) things?", text)[1])


def gone(annotator) -> None:
    annotator.page.locator("#search-bar").wait_for(state="hidden")


def test_what_was_found_is_added_in_one_step_and_undone_in_one(annotator):
    find(annotator)
    number = number_of(annotator)
    assert annotator.objects() == []

    annotator.press("Enter")
    annotator.see("#notes", f"{number} thing")
    annotator.saved()

    gone(annotator)
    assert len(annotator.objects()) == number > 1
    (action,) = annotator.server.door.actions()
    assert action["kind"] == "found"
    assert "found things" in annotator.page.get_attribute("#undo-button", "title")
    annotator.press("Control+z")
    rows = annotator.page.locator(".object-row")
    expect(rows).to_have_count(0)
    annotator.press("Control+y")
    expect(rows).to_have_count(number)
    annotator.page.click("#object-list .row-main >> nth=0")
    annotator.candidates()


def test_the_slider_says_how_many_of_the_surest_are_taken(annotator):
    find(annotator)
    slider = annotator.page.get_by_label("How many of the surest things to add")
    slider.focus()
    annotator.press("Home")
    assert number_of(annotator) == 1

    annotator.press("ArrowRight")
    annotator.page.click("#search-bar button.primary")
    annotator.saved()

    assert len(annotator.objects()) == 2


def test_a_search_is_stopped_and_its_things_discarded_without_a_trace(annotator):
    annotator.page.click("#find-things")
    annotator.see("#search-bar", "Looking for things")
    assert annotator.page.get_attribute("#find-things", "aria-pressed") == "true"
    annotator.page.click("#search-bar >> text=Stop")
    annotator.see("#search-bar button.primary:visible, #notes .note")

    if annotator.page.locator("#search-bar").is_visible():
        annotator.press("Escape")
    gone(annotator)

    assert annotator.server.door.actions() == []
    assert annotator.server.document()["revision"] == 0


def test_a_click_goes_before_what_was_found_and_leaves_it_there(annotator):
    find(annotator)
    number = number_of(annotator)

    annotator.click()
    annotator.candidates()
    annotator.press("Enter")
    assert number_of(annotator) == number
    annotator.press("Enter")
    gone(annotator)
    annotator.saved()

    assert [action["kind"] for action in annotator.server.door.actions()] == ["click", "found"]
    assert len(annotator.objects()) == number + 1


def test_another_image_ends_the_search(annotator):
    annotator.press("Shift+F")
    annotator.see("#search-bar", "Looking for things")

    annotator.press("d")
    gone(annotator)
    annotator.look_ready()
    before = len(annotator.server.door.requests)
    annotator.page.wait_for_timeout(700)

    assert len(annotator.server.door.requests) <= before + 1  # the search is told to be forgotten
    assert annotator.page.locator("#search-bar").is_hidden()


def test_a_search_waits_for_a_busy_server_and_nothing_is_added_twice(annotator):
    annotator.server.door.busy = 2
    find(annotator)
    number = number_of(annotator)

    annotator.server.door.forget = 1  # saved, and the answer is lost
    annotator.press("Enter")
    gone(annotator)
    annotator.saved()

    assert len(annotator.server.document()["objects"]) == number
    assert annotator.server.document()["revision"] == 1


def test_things_that_are_objects_already_are_not_found_again(annotator):
    find(annotator)
    annotator.page.get_by_label("How many of the surest things to add").press("End")
    annotator.press("Enter")
    gone(annotator)
    annotator.saved()

    annotator.press("Shift+F")

    annotator.see("#notes", "Nothing was found that is not an object already.")


def test_a_search_that_the_server_lost_says_so(annotator):
    annotator.press("Shift+F")
    annotator.see("#search-bar", "Looking for things")
    annotator.server.app.state.workplace.searches._kept.clear()

    annotator.see("#notes", "The search ended: there is no such search, or no longer")
    gone(annotator)
