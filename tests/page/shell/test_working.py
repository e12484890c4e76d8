"""What a person does with objects, candidates and images."""

from __future__ import annotations


def test_a_click_makes_an_object_and_shows_six_candidates(annotator):
    annotator.click()

    annotator.candidates()
    assert annotator.page.locator("#candidate-list [role=radio]").count() == 6
    assert annotator.objects() == ["Object 1"]
    assert len(annotator.server.document()["objects"]) == 1


def test_a_click_with_nothing_in_work_makes_another_object(annotator):
    annotator.click()
    annotator.candidates()
    annotator.press("Enter")

    annotator.click(275, 120)

    annotator.candidates()
    assert annotator.objects() == ["Object 2", "Object 1"]  # the newest is in front


def test_a_background_click_with_nothing_in_work_explains_itself(annotator):
    annotator.click(button="right")

    annotator.see("#notes", "Click on the thing first")
    assert annotator.server.door.actions() == []


def test_number_keys_take_candidates(annotator):
    annotator.click()
    annotator.candidates()

    other = annotator.take_another()

    annotator.see(f"#candidate-list [aria-checked=true][data-index='{other - 1}']")
    annotator.saved()
    part = annotator.server.document()["objects"][0]["parts"][-1]
    assert (part["selected"], part["by_user"]) == (other - 1, True)


def test_tab_goes_through_the_candidates_until_escape(annotator):
    annotator.click()
    annotator.candidates()
    before = annotator.taken()

    annotator.press("Tab")

    annotator.see(f"#candidate-list [aria-checked=true][data-index='{before % 6}']")
    annotator.saved()
    annotator.press("Escape", "Tab")  # nothing in work: Tab moves the focus as everywhere
    assert annotator.page.locator("#stage:focus").count() == 0


def test_pointing_at_a_candidate_changes_nothing(annotator):
    annotator.click()
    annotator.candidates()
    revision = annotator.server.document()["revision"]
    other = annotator.page.locator("#candidate-list [role=radio][aria-checked=false]").first

    other.hover()
    annotator.page.mouse.move(5, 5)

    assert annotator.server.document()["revision"] == revision


def test_adding_a_part_lasts_for_one_click(annotator):
    annotator.click()
    annotator.candidates()
    annotator.press("Shift+A")
    assert annotator.page.get_by_label("Add another part").is_checked()

    annotator.click(275, 120)

    annotator.candidates()
    assert annotator.page.get_by_label("Refine, or start a new object").is_checked()
    annotator.click(280, 130)
    annotator.candidates()
    parts = annotator.server.document()["objects"][0]["parts"]
    assert [(part["op"], len(part["clicks"])) for part in parts] == [("new", 1), ("add", 2)]


def test_delete_takes_the_object_and_undo_brings_it_back(annotator):
    annotator.click()
    annotator.candidates()

    annotator.press("Delete")
    annotator.saved()
    assert annotator.objects() == []
    annotator.see("#undo-button[aria-label='Undo deletion']")
    annotator.press("Control+z")

    annotator.see("#object-list .object-row.active")
    assert annotator.objects() == ["Object 1"]


def test_objects_are_renamed_hidden_and_reordered(annotator):
    annotator.server.paint(60, 60)
    annotator.server.paint(200, 60)
    annotator.page.reload()
    annotator.look_ready()
    rows = annotator.page.locator("#object-list .object-row")

    rows.first.locator(".row-main").dblclick()
    annotator.page.keyboard.type("left wing")
    annotator.press("Enter")
    annotator.see("#object-list .row-name", "left wing")
    annotator.press("Alt+ArrowDown")
    rows.first.hover()
    rows.first.locator(".eye-button").click()

    annotator.see("#object-list .object-row:first-child.hidden-object .row-name", "Object 1")
    annotator.saved()
    document = annotator.server.document()
    assert [each["name"] for each in document["objects"]] == ["left wing", ""]


def test_dragging_a_row_changes_what_is_in_front(annotator):
    for x in (40, 120, 200):
        annotator.server.paint(x, 60)
    annotator.page.reload()
    annotator.look_ready()
    rows = annotator.page.locator("#object-list .object-row")

    rows.nth(2).drag_to(rows.first, target_position={"x": 60, "y": 4})

    annotator.see("#object-list .object-row:first-child .row-name", "Object 1")
    annotator.saved()
    assert [each["id"] for each in annotator.server.document()["objects"]][-1] == 1


def test_ctrl_and_click_select_the_object_there(annotator):
    annotator.server.paint(60, 60)
    annotator.page.reload()
    annotator.look_ready()

    annotator.page.keyboard.down("Control")
    annotator.click(60, 60)
    annotator.page.keyboard.up("Control")

    annotator.see("#object-list .object-row.active")
    assert len(annotator.server.document()["objects"]) == 1


def test_a_label_is_for_the_next_object_and_for_the_one_in_work(annotator):
    annotator.add_label("cat", "k")
    annotator.add_label("dog")
    annotator.press("k")

    annotator.click()
    annotator.candidates()
    assert annotator.objects() == ["cat 1"]
    annotator.page.locator("#label-list .row-main", has_text="dog").click()

    annotator.see("#object-list .row-name", "dog 1")
    annotator.saved()
    labels = {
        label["id"]: label["name"] for label in annotator.server.get("/project")["labels"]["labels"]
    }
    assert labels[annotator.server.document()["objects"][0]["label"]] == "dog"


def test_a_brush_stroke_and_an_eraser_stroke_are_saved(annotator):
    annotator.press("b")
    annotator.drag((40, 40), (90, 40))
    annotator.saved()
    painted = annotator.server.document()["objects"][0]["area"]

    annotator.press("e")
    annotator.drag((60, 40), (70, 40))

    annotator.saved()
    annotator.see("#undo-button[aria-label='Undo stroke']")
    assert 0 < annotator.server.document()["objects"][0]["area"] < painted


def test_a_scribble_makes_an_object_of_a_few_clicks_and_is_one_step(annotator):
    annotator.press("s")
    annotator.drag((120, 120), (200, 120))

    annotator.candidates()
    (made,) = annotator.server.document()["objects"]
    clicks = made["parts"][0]["clicks"]
    assert 2 <= len(clicks) <= 3
    assert {click["positive"] for click in clicks} == {True}
    assert made["area"] > 0
    annotator.see("#undo-button[aria-label='Undo scribble']")
    annotator.press("Control+z")
    annotator.see("#undo-button:disabled")
    assert annotator.server.document()["objects"] == []


def test_a_scribble_beside_a_thing_takes_away_from_the_object_in_work(annotator):
    annotator.click()
    annotator.candidates()
    annotator.press("s", "x")

    annotator.drag((20, 20), (60, 20))

    annotator.see("#undo-button[aria-label='Undo scribble']")
    annotator.saved()
    clicks = annotator.server.document()["objects"][0]["parts"][0]["clicks"]
    assert [click["positive"] for click in clicks] == [True] + [False] * (len(clicks) - 1)
    assert len(clicks) > 1


def test_a_scribble_beside_nothing_says_what_to_do(annotator):
    annotator.press("s", "x")

    annotator.drag((20, 20), (60, 20))

    annotator.see("body", "Click on the thing first")
    assert annotator.server.document()["objects"] == []


def test_a_finished_image_is_marked_and_the_next_one_opens(annotator):
    annotator.press("m")

    annotator.see("#image-name", "b.png")
    annotator.see("#film-strip [role=option]", "a.pngdone")
    annotator.see("#progress-text", "1 done")
    annotator.press("ArrowLeft")
    annotator.see("#image-name", "a.png")


def test_a_click_cursor_does_what_a_mouse_does(annotator):
    annotator.press("c", "ArrowRight", "ArrowLeft", "Shift+ArrowUp", "Shift+ArrowDown")

    annotator.press("Enter")

    annotator.candidates()
    click = annotator.server.document()["objects"][0]["parts"][0]["clicks"][0]
    assert (round(click["x"]), round(click["y"]), click["positive"]) == (160, 120, True)
    annotator.press("Escape", "Space")  # away with the cursor, then accept
    assert annotator.page.locator(".object-row.active").count() == 0


def test_an_export_says_where_it_is_and_what_was_left_out(annotator):
    annotator.click()
    annotator.candidates()

    annotator.page.click("#export-button")
    annotator.page.locator("dialog[open] .dialog-foot").get_by_role("button", name="Export").click()

    annotator.see("dialog[open] .report.good", "1 object of 1 image", timeout_ms=30_000)
    annotator.see("dialog[open] code", "latentcut-export/coco")
    assert (annotator.server.folder / "latentcut-export" / "coco").is_dir()


def test_an_imported_mask_is_there_at_once_and_is_one_step(annotator, tmp_path):
    import numpy as np
    from PIL import Image

    mask = np.zeros((240, 320), np.uint8)
    mask[20:60, 20:80] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")

    annotator.page.click("#import-button")
    dialog = annotator.page.locator("dialog[open]")
    dialog.get_by_text("PNG mask").click()
    dialog.get_by_label("File", exact=True).set_input_files(tmp_path / "mask.png")
    dialog.get_by_role("button", name="Import", exact=True).click()

    annotator.see("dialog[open] .report.good", "1 image changed")
    annotator.press("Escape")
    annotator.see("#undo-button[aria-label='Undo import']")
    assert len(annotator.objects()) == 1
