"""The plugin in a real napari window, driven by mouse and keyboard."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import latentcut
from latentcut.core.images import read_image
from latentcut.integrations.napari.desk import Desk
from latentcut.integrations.napari.samples import cat, coffee
from latentcut.integrations.napari.widget import NO_IMAGE, NO_PLANE, NOTHING_TO_COMMIT


@pytest.fixture(scope="module")
def predictor():
    return latentcut.load()


@pytest.fixture(scope="module")
def photo():
    ((pixels, _, _),) = cat()
    return np.array(pixels)


def test_a_click_shows_what_the_predictor_says_to_that_click(open_desktop, predictor, photo):
    desktop = open_desktop(photo)

    desktop.click(160, 235)

    ((row, column),) = desktop.viewer.layers["point_prompts"].data
    expected = predictor.open(photo).click(column, row)
    assert np.array_equal(desktop.current, expected.mask)
    assert desktop.current[160, 235]


def test_t_makes_the_next_click_negative_and_the_answer_goes_on_from_the_last(
    open_desktop, predictor, photo
):
    desktop = open_desktop(photo)
    desktop.click(160, 235)

    desktop.key("T")
    desktop.click(140, 410)

    points = desktop.viewer.layers["point_prompts"]
    session = predictor.open(photo)
    for (row, column), sign in zip(points.data, points.features["label"], strict=True):
        expected = session.click(column, row, positive=sign == "positive")
    assert list(points.features["label"]) == ["positive", "negative"]
    assert [str(symbol) for symbol in points.symbol] == ["disc", "cross"]
    assert np.array_equal(desktop.current, expected.mask)


def test_tab_takes_the_next_candidate_and_c_commits_it(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.click(160, 235)
    before = desktop.widget.answer.prediction

    desktop.key("Tab")
    after = desktop.widget.answer.prediction
    desktop.key("C")

    assert after.selected == (before.selected + 1) % before.num_masks
    assert np.array_equal(desktop.committed == 1, after.mask)
    assert not desktop.current.any()
    assert len(desktop.viewer.layers["point_prompts"].data) == 0
    assert desktop.status == "Object 1 is committed."


def test_committed_objects_are_numbered_in_turn_and_the_newer_is_in_front(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.click(160, 235)
    desktop.key("C")

    desktop.click(118, 152)
    second = desktop.current.copy()
    desktop.key("C")

    assert np.array_equal(desktop.committed == 2, second)
    assert np.unique(desktop.committed).tolist() in ([0, 1, 2], [0, 2])


def test_shift_c_takes_prompts_away_and_keeps_what_is_committed(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.click(160, 235)
    desktop.key("C")
    committed = desktop.committed.copy()
    desktop.click(118, 152)

    desktop.key("C", shift=True)

    assert len(desktop.viewer.layers["point_prompts"].data) == 0
    assert not desktop.current.any()
    assert np.array_equal(desktop.committed, committed)


def test_a_thumbnail_that_is_clicked_is_the_candidate_that_is_shown(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.click(160, 235)

    desktop.widget.panel.candidates.buttons[5].click()
    desktop.settle()

    prediction = desktop.widget.answer.prediction
    assert prediction.selected == 5
    assert np.array_equal(desktop.current, prediction.candidate(5))


def test_a_box_drawn_with_the_mouse_is_answered_as_the_predictor_does(
    open_desktop, predictor, photo
):
    desktop = open_desktop(photo)
    shapes = desktop.viewer.layers["prompts"]
    desktop.viewer.layers.selection.active = shapes
    shapes.mode = "add_rectangle"

    desktop.drag((70, 110), (150, 190))

    (y0, x0), (y1, x1) = shapes.data[0].min(axis=0), shapes.data[0].max(axis=0)
    expected = predictor.open(photo).box(x0, y0, x1, y1)
    assert np.array_equal(desktop.current, expected.mask)


def test_a_path_drawn_with_the_mouse_is_a_scribble_of_its_sign(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.click(160, 235)
    desktop.key("T")
    shapes = desktop.viewer.layers["prompts"]
    desktop.viewer.layers.selection.active = shapes
    shapes.mode = "add_path"

    desktop.drag((140, 405), (200, 420), (230, 440))

    first, scribble = desktop.widget.answer.question.prompts.strokes
    assert [click.positive for click in first] == [True]
    assert {click.positive for click in scribble} == {False}
    assert not any(desktop.current[y, x] for x, y in (click.pixel_xy for click in scribble))


def test_undo_shows_the_answer_from_before_the_newest_click(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.click(160, 235)
    first = desktop.current.copy()
    desktop.click(215, 70)

    desktop.widget.panel.undo.click()
    desktop.settle()

    assert len(desktop.viewer.layers["point_prompts"].data) == 1
    assert np.array_equal(desktop.current, first)


def test_the_window_is_alive_while_the_model_thinks(open_desktop, photo):
    from qtpy.QtCore import QTimer

    class Waits(Desk):
        """Answers only when the window has done something in the meantime."""

        window_was_alive = threading.Event()

        def answer(self, question):
            assert self.window_was_alive.wait(60)
            return super().answer(question)

    desktop = open_desktop(photo)
    desktop.widget.desk = Waits()
    QTimer.singleShot(100, Waits.window_was_alive.set)

    desktop.click(160, 235)

    assert desktop.current[160, 235]


def test_an_object_that_is_picked_can_be_corrected_and_keeps_its_number(
    open_desktop, predictor, photo
):
    desktop = open_desktop(photo)
    start = np.zeros(photo.shape[:2], bool)
    start[60:220, 60:380] = True
    desktop.committed[start] = 7
    desktop.viewer.layers["committed_objects"].selected_label = 7

    desktop.widget.panel.edit.click()
    desktop.click(215, 70)
    desktop.key("C")

    expected = predictor.open(photo, previous_mask=start)
    ((record,),) = [
        facts["attributes"]["parts"][0]["clicks"]
        for facts in desktop.viewer.layers["committed_objects"]
        .metadata["latentcut"]["objects"]
        .values()
    ]
    mask = expected.click(record["x"], record["y"]).mask
    assert np.array_equal(desktop.committed == 7, mask)
    assert np.unique(desktop.committed).tolist() == [0, 7]


def test_painted_corrections_of_the_current_object_are_committed_too(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.click(160, 235)
    desktop.viewer.layers["current_object"].data_setitem((np.array([2, 2]), np.array([3, 4])), 1)

    desktop.key("C")

    assert desktop.committed[2, 3:5].tolist() == [1, 1]


def test_prompts_count_in_their_own_slice_of_a_stack(open_desktop, photo):
    grey = photo.mean(axis=2).astype(np.uint8)
    desktop = open_desktop(np.stack([grey, grey[::-1], grey]), rgb=False)
    desktop.viewer.dims.set_point(0, 2)
    desktop.settle()
    desktop.click(160, 235)
    desktop.widget.panel.number.setValue(9)
    desktop.key("C")

    desktop.viewer.dims.set_point(0, 0)
    desktop.click(160, 235)
    desktop.key("C")

    assert desktop.committed.shape == (3, *grey.shape)
    assert [int((plane == 9).sum()) > 0 for plane in desktop.committed] == [True, False, True]
    assert np.unique(desktop.committed).tolist() == [0, 9]


def test_a_stack_can_be_looked_at_from_the_side(open_desktop, predictor):
    ((pixels, _, _),) = coffee()
    grey = np.asarray(pixels).mean(axis=2).astype(np.uint8)
    stack = np.repeat(grey[:, None, :], 4, axis=1)  # (row, slice, column)
    desktop = open_desktop(stack, rgb=False)
    desktop.viewer.dims.order = (1, 0, 2)
    desktop.viewer.dims.set_point(1, 3)
    desktop.viewer.reset_view()
    desktop.settle()

    desktop.click(155, 285)

    ((row, place, column),) = desktop.viewer.layers["point_prompts"].data
    expected = predictor.open(read_image(grey)).click(column, row).mask
    assert place == 3
    assert np.array_equal(desktop.current[:, 3, :], expected)
    assert not desktop.current[:, :3, :].any()


def test_sixteen_bit_grey_is_answered_as_its_eight_bit_picture(open_desktop, predictor, photo):
    grey = photo.mean(axis=2)
    dim = (grey * 9 + 400).astype(np.uint16)
    dim[0, 0] = 65535  # a hot pixel
    desktop = open_desktop(dim)

    desktop.click(160, 235)

    ((row, column),) = desktop.viewer.layers["point_prompts"].data
    eight = predictor.open(grey.astype(np.uint8)).click(column, row).mask
    both, either = desktop.current & eight, desktop.current | eight
    assert both.sum() / either.sum() > 0.9


def test_a_picture_with_a_scale_gets_layers_that_lie_on_it(open_desktop, predictor, photo):
    desktop = open_desktop(photo, scale=(0.25, 0.5), translate=(10, 20))

    desktop.click(160 * 0.25 + 10, 235 * 0.5 + 20)

    ((row, column),) = desktop.viewer.layers["point_prompts"].data
    assert (abs(row - 160) < 4, abs(column - 235) < 4) == (True, True)
    assert np.array_equal(desktop.current, predictor.open(photo).click(column, row).mask)
    assert desktop.viewer.layers["current_object"].scale.tolist() == [0.25, 0.5]


def test_a_multiscale_picture_is_answered_at_its_finest_level(open_desktop, photo):
    desktop = open_desktop([photo, photo[::2, ::2], photo[::4, ::4]], multiscale=True)

    desktop.click(160, 235)

    assert desktop.current.shape == photo.shape[:2]
    assert desktop.current[160, 235]


def test_everything_is_found_on_a_layer_of_its_own(open_desktop, photo):
    strip = photo[100:150]  # few places to try
    desktop = open_desktop(strip)

    desktop.widget.panel.everything.click()
    desktop.settle()

    found = desktop.viewer.layers["found_objects"].data
    assert found.shape == strip.shape[:2]
    assert desktop.status.startswith(f"{found.max()} things are on the new layer")
    assert not desktop.committed.any()


def test_a_search_can_be_stopped(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.widget.panel.everything.click()

    desktop.widget.panel.everything.click()
    desktop.settle()

    assert desktop.status == "The search was stopped."
    assert "found_objects" not in desktop.viewer.layers


def test_a_click_ends_a_search_and_is_answered(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.widget.panel.everything.click()

    desktop.click(160, 235)

    assert desktop.current[160, 235]
    assert "found_objects" not in desktop.viewer.layers


def test_what_cannot_be_done_is_said(open_desktop, photo):
    desktop = open_desktop()

    empty = desktop.status
    desktop.viewer.add_image(photo)
    desktop.settle()
    desktop.key("C")
    nothing = desktop.status
    desktop.viewer.dims.ndisplay = 3
    desktop.widget.segment()

    assert (empty, nothing, desktop.status) == (NO_IMAGE, NOTHING_TO_COMMIT, NO_PLANE)


def test_a_click_beside_the_picture_is_refused_in_words(open_desktop, photo):
    desktop = open_desktop(photo)

    desktop.viewer.layers["point_prompts"].add([-40, 10])
    desktop.settle()

    assert desktop.status == (
        "click (x=10, y=-40) is outside the image, which is 451 px wide and 300 px high: "
        "x must be 0 to 450 and y 0 to 299"
    )


def test_layers_that_were_deleted_come_back(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.viewer.layers.remove("point_prompts")
    desktop.viewer.layers.remove("current_object")

    desktop.widget.panel.segment.click()
    desktop.click(160, 235)

    assert desktop.current[160, 235]


def test_work_goes_on_with_another_picture_when_the_first_is_closed(open_desktop, photo):
    desktop = open_desktop(photo)
    desktop.viewer.add_image(photo[:200], name="other")
    desktop.viewer.layers.remove("picture")
    desktop.settle()

    desktop.viewer.layers["point_prompts [1]"].add([100, 100])
    desktop.settle()

    assert desktop.widget.panel.image.currentText() == "other"
    assert desktop.viewer.layers["current_object [1]"].data[100, 100] == 1


def test_a_dock_that_is_closed_gives_the_keys_back_and_its_layers_are_taken_up_again(
    open_desktop, photo
):
    desktop = open_desktop(photo)
    desktop.click(160, 235)
    shown = desktop.current.copy()
    desktop.close()
    desktop.canvas.setFocus()

    desktop.key("C")
    after_key = desktop.current.copy()
    again = open_desktop()
    again.key("C")

    assert np.array_equal(after_key, shown)
    assert np.array_equal(again.committed == 1, shown)
    assert len(desktop.viewer.layers) == 5
