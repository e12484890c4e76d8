"""Keys: remapped, kept, in three habits, and never two meanings for one."""

from __future__ import annotations

import pytest


def set_key(annotator, command: str, key: str) -> None:
    """Ask for another key in the list of keys, and press it."""
    annotator.press("?")
    annotator.page.click(f"dialog[open] [data-command={command}]")
    annotator.press(key)


def stored_keys(annotator) -> dict:
    annotator.page.wait_for_timeout(900)  # settings are saved when nothing has changed for a while
    return annotator.server.get("/project")["settings"]["keys"]


def test_a_remapped_key_works_at_once_and_after_a_reload(annotator):
    set_key(annotator, "hatching", "j")
    annotator.see("dialog[open] [data-command=hatching] kbd", "J")
    assert stored_keys(annotator) == {"hatching": ["J"]}

    annotator.page.reload()
    annotator.look_ready()
    annotator.press("j")

    annotator.see("#toolbar [aria-label^='Hatching'][aria-pressed=true]")
    annotator.press("Shift+H")
    annotator.see("#toolbar [aria-label^='Hatching'][aria-pressed=true]")


def test_a_key_in_use_is_only_taken_when_that_is_said(annotator):
    set_key(annotator, "hatching", "b")
    annotator.see("dialog[open] .problem", "B is used by: Brush.")

    annotator.page.get_by_role("button", name="Use it here instead").click()

    annotator.see("dialog[open] [data-command=hatching] kbd", "B")
    assert annotator.see("dialog[open] [data-command=tool_brush]").inner_text() == "none"
    assert stored_keys(annotator) == {"hatching": ["B"], "tool_brush": []}


def test_a_key_of_a_label_is_not_given_to_a_command(annotator):
    annotator.add_label("cat", "k")

    set_key(annotator, "hatching", "k")

    annotator.see("dialog[open] .problem", "K is used by: label cat.")
    assert annotator.page.get_by_role("button", name="Use it here instead").count() == 0


def test_a_label_does_not_get_a_key_that_does_something(annotator):
    annotator.page.click("#add-label")
    dialog = annotator.page.locator("dialog[open]")
    dialog.get_by_label("Name").fill("dog")
    dialog.get_by_label("Key").fill("d")

    dialog.get_by_role("button", name="Add label").click()

    expected = (
        "The key D is used by: Next image. Take another one, or change that in the list of keys."
    )
    assert annotator.see("dialog[open] .problem").inner_text() == expected
    assert annotator.server.get("/project")["labels"]["labels"] == []


@pytest.mark.parametrize(
    ("preset", "key", "tool"),
    [
        pytest.param("photo", "m", "box", id="photo editor: marquee"),
        pytest.param("photo", "h", "pan", id="photo editor: hand"),
        pytest.param("labelme", "Control+j", "click", id="labelme: edit"),
    ],
)
def test_presets_bring_the_keys_of_other_programs(annotator, preset, key, tool):
    annotator.press("b", "?")
    annotator.page.locator("dialog[open] select").select_option(preset)
    annotator.press("Escape")

    annotator.press(key)

    assert annotator.page.locator(f"#toolbar input[value={tool}]").is_checked()


def test_keys_are_letters_while_something_is_typed(annotator):
    annotator.page.click("#strip-search")

    annotator.page.keyboard.type("bm")

    assert annotator.page.input_value("#strip-search") == "bm"
    assert annotator.page.locator("#toolbar input[value=click]").is_checked()
    assert annotator.server.door.actions() == []


def test_enter_after_a_pressed_button_accepts_and_does_not_press_it_again(annotator):
    annotator.click()
    annotator.candidates()
    annotator.page.click("#toolbar [aria-label^='Outlines only']")

    annotator.press("Enter")

    assert annotator.page.locator(".object-row.active").count() == 0
    annotator.see("#toolbar [aria-label^='Outlines only'][aria-pressed=true]")


def test_brackets_change_the_brush_and_x_the_sign(annotator):
    annotator.press("x")
    assert annotator.page.locator("#toolbar input[value=negative]").is_checked()
    annotator.press("x", "b")
    output = annotator.see("#toolbar .slider output")
    before = int(output.inner_text().split()[0])

    annotator.press("]", "]", "[")

    assert int(output.inner_text().split()[0]) > before


def test_arrow_keys_change_the_image_after_a_tool_was_taken_with_the_mouse(annotator):
    annotator.page.locator("#toolbar .segment").nth(1).click()
    annotator.see("#stage:focus")

    annotator.press("ArrowRight")

    annotator.see("#image-name", "b.png")
    assert annotator.page.locator("#toolbar input[value=box]").is_checked()


def test_the_focus_returns_to_the_picture_from_a_dialog_that_a_mouse_opened(annotator):
    annotator.page.click("#export-button")
    annotator.see("dialog[open]")

    annotator.press("Escape")

    annotator.see("#stage:focus")
