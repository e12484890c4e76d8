"""Actions on the objects of an image: what each one changes."""

import numpy as np
import pytest
from pydantic import ValidationError

from latentcut.annotation.actions import Outcome, apply_action, predict_part
from latentcut.annotation.compose import finish
from latentcut.annotation.kinds import ACTION
from latentcut.annotation.records import ClickRecord, ObjectRecord, Part, Stroke
from latentcut.core.scribbles import scribble_clicks
from latentcut.errors import BadAction, ClickOutsideImage, NoSuchCandidate, NotInProject

ON_DISC = {"x": 60, "y": 40, "positive": True}
BESIDE = {"x": 3, "y": 90, "positive": False}


class Desk:
    """One image in work: applies actions one after the other and keeps the records."""

    def __init__(self, bench):
        self.bench = bench

    def do(self, **action) -> Outcome:
        outcome = apply_action(ACTION.validate_python(action), self.bench)
        kept = {record.id: record for record in self.bench.objects} | outcome.changes
        left = [record for record in kept.values() if record is not None]
        self.bench.objects = tuple(sorted(left, key=lambda record: record.position))
        return outcome

    def put(self, mask, **fields) -> ObjectRecord:
        """An imported object."""
        record = self.bench.new_object(None)
        part = Part(mask=self.bench.book.add(mask))
        record = finish(record.model_copy(update={"parts": (part,)} | fields), self.bench.book)
        self.bench.objects = (*self.bench.objects, record)
        return record

    def mask(self, object_id: int) -> np.ndarray:
        return self.bench.book.mask(self.bench.object(object_id).mask)


@pytest.fixture
def desk(bench):
    return Desk(bench)


def box_mask(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((96, 128), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_first_click_makes_an_object_with_the_selected_mask(desk, predictor, encoded):
    outcome = desk.do(kind="click", label=7, clicks=[ON_DISC])

    record = desk.bench.object(1)
    expected = predictor.open(encoded.image).click(60, 40)
    np.testing.assert_array_equal(desk.mask(1), expected.mask)
    assert (outcome.object_id, record.label, record.position) == (1, 7, 0)
    assert record.parts[0].selected == expected.selected
    assert record.area == int(expected.mask.sum())


def test_later_clicks_answer_as_a_session_does(desk, predictor, encoded):
    session = predictor.open(encoded.image)
    session.click(60, 40)
    expected = session.click(3, 90, positive=False)

    desk.do(kind="click", clicks=[ON_DISC])
    desk.do(kind="click", object=1, clicks=[BESIDE])

    np.testing.assert_array_equal(desk.mask(1), expected.mask)
    assert len(desk.bench.object(1).parts[0].clicks) == 2


def test_clicks_sent_together_are_answered_at_once(desk):
    outcome = desk.do(kind="click", clicks=[ON_DISC, BESIDE])

    assert len(outcome.prediction.clicks) == 2
    assert len(desk.bench.object(1).parts) == 1


def test_a_new_part_is_added_and_the_next_click_refines_that_part_only(desk):
    start = box_mask(0, 0, 10, 128)
    record = desk.put(start)

    desk.do(kind="click", object=record.id, clicks=[ON_DISC], mode="add")
    after_add = desk.mask(record.id)
    desk.do(kind="click", object=record.id, clicks=[BESIDE])

    parts = desk.bench.object(record.id).parts
    assert [part.op for part in parts] == ["new", "add"]
    assert [len(part.clicks) for part in parts] == [0, 2]
    assert bool(after_add[40, 60])
    assert bool(desk.mask(record.id)[start].all())  # the first part is as it was


def test_subtract_takes_what_is_clicked_out_of_the_object(desk):
    record = desk.put(box_mask(0, 0, 96, 128))

    desk.do(kind="click", object=record.id, clicks=[ON_DISC], mode="subtract")

    assert not desk.mask(record.id)[40, 60]
    assert bool(desk.mask(record.id)[90, 3])


def test_an_imported_mask_is_the_start_of_the_next_prediction(desk, predictor, encoded):
    start = box_mask(16, 36, 64, 84)
    record = desk.put(start)

    desk.do(kind="click", object=record.id, clicks=[BESIDE])

    expected = predictor.open(encoded.image, previous_mask=start).click(3, 90, positive=False)
    np.testing.assert_array_equal(desk.mask(record.id), expected.mask)


def test_an_empty_mask_is_no_start(desk, predictor, encoded):
    record = desk.put(box_mask(0, 0, 0, 0))

    desk.do(kind="click", object=record.id, clicks=[ON_DISC])

    expected = predictor.open(encoded.image).click(60, 40)
    np.testing.assert_array_equal(desk.mask(record.id), expected.mask)


def test_a_chosen_candidate_replaces_the_mask_and_says_who_chose(desk):
    first = desk.do(kind="click", clicks=[ON_DISC]).prediction
    other = (first.selected + 1) % first.num_masks

    desk.do(kind="choose", object=1, index=other)

    part = desk.bench.object(1).parts[0]
    np.testing.assert_array_equal(desk.mask(1), first.candidate(other))
    assert (part.selected, part.by_user) == (other, True)


def test_the_candidates_of_a_stored_object_come_back_to_the_last_bit(desk):
    desk.do(kind="click", clicks=[ON_DISC])
    answered = desk.do(kind="click", object=1, clicks=[BESIDE]).prediction

    again = predict_part(desk.bench.object(1), desk.bench)

    np.testing.assert_array_equal(again.candidates, answered.candidates)
    np.testing.assert_array_equal(again.scores, answered.scores)


def test_an_imported_object_has_no_candidates(desk):
    record = desk.put(box_mask(0, 0, 4, 4))

    with pytest.raises(BadAction) as caught:
        desk.do(kind="choose", object=record.id, index=0)

    assert str(caught.value) == (
        "object 1 has no candidates: its newest part was imported or painted; "
        "click on it to get some"
    )
    assert predict_part(record, desk.bench) is None


def test_a_brush_without_an_object_makes_one_and_an_eraser_does_not(desk):
    desk.do(kind="stroke", tool="brush", radius_px=4, points=[[10, 10], [20, 10]])

    with pytest.raises(BadAction) as caught:
        desk.do(kind="stroke", tool="eraser", radius_px=4, points=[[10, 10]])

    assert bool(desk.mask(1)[10, 15])
    assert str(caught.value) == "an eraser stroke needs an object: select one first"


def test_strokes_survive_later_clicks(desk):
    desk.do(kind="click", clicks=[ON_DISC])
    desk.do(kind="stroke", object=1, tool="brush", radius_px=3, points=[[120, 5]])
    desk.do(kind="stroke", object=1, tool="eraser", radius_px=3, points=[[60, 40]])

    desk.do(kind="click", object=1, clicks=[BESIDE])

    assert bool(desk.mask(1)[5, 120])
    assert not desk.mask(1)[40, 60]


def test_a_stroke_drawn_on_the_result_is_what_drawing_all_again_gives(desk):
    desk.do(kind="click", clicks=[ON_DISC])
    for tool, x in (("brush", 100), ("eraser", 98), ("brush", 99)):
        desk.do(kind="stroke", object=1, tool=tool, radius_px=5, points=[[x, 8], [60, 44]])

    record = desk.bench.object(1)

    assert record == finish(record, desk.bench.book)


def test_labels_and_names_change_nothing_else(desk):
    before = desk.put(box_mask(0, 0, 4, 4))

    desk.do(kind="label", object=1, label=8)
    desk.do(kind="rename", object=1, name="<b>left</b> wheel")

    expected = before.model_copy(update={"label": 8, "name": "<b>left</b> wheel"})
    assert desk.bench.object(1) == expected


def test_a_label_that_the_project_lacks_is_refused(desk):
    desk.put(box_mask(0, 0, 4, 4))

    with pytest.raises(NotInProject) as caught:
        desk.do(kind="label", object=1, label=99)

    assert str(caught.value) == "there is no label 99 in this project"


def test_delete_removes_the_object(desk):
    desk.put(box_mask(0, 0, 4, 4))

    desk.do(kind="delete", object=1)

    assert desk.bench.objects == ()


def test_reorder_changes_only_objects_that_move(desk):
    for _ in range(3):
        desk.put(box_mask(0, 0, 4, 4))

    outcome = desk.do(kind="reorder", objects=[2, 1, 3])

    assert sorted(outcome.changes) == [1, 2]
    assert [record.id for record in desk.bench.objects] == [2, 1, 3]


def test_reorder_must_name_every_object_once(desk):
    desk.put(box_mask(0, 0, 4, 4))

    with pytest.raises(BadAction) as caught:
        desk.do(kind="reorder", objects=[1, 1])

    assert str(caught.value) == (
        "the new order names the objects [1, 1], but the image has [1]: name each of them once"
    )


def test_split_makes_an_object_of_every_piece_but_the_largest(desk):
    large, small = box_mask(0, 0, 20, 20), box_mask(50, 50, 60, 60)
    desk.put(large | small, label=7)

    desk.do(kind="split", object=1)

    first, second = desk.bench.objects
    np.testing.assert_array_equal(desk.mask(first.id), large)
    np.testing.assert_array_equal(desk.mask(second.id), small)
    assert (first.id, second.label, second.position) == (1, 7, 1)


def test_one_piece_cannot_be_split(desk):
    desk.put(box_mask(0, 0, 4, 4))

    with pytest.raises(BadAction) as caught:
        desk.do(kind="split", object=1)

    assert str(caught.value) == "object 1 is in one piece: there is nothing to split off"


def test_done_is_a_mark_of_the_image(desk):
    outcome = desk.do(kind="done", done=True)

    assert (outcome.changes, outcome.done) == ({}, True)


def test_what_fails_changes_nothing(desk):
    desk.do(kind="click", clicks=[ON_DISC])
    before = desk.bench.objects

    with pytest.raises(ClickOutsideImage):
        desk.do(kind="click", object=1, clicks=[{"x": 128, "y": 0}])
    with pytest.raises(NoSuchCandidate):
        desk.do(kind="choose", object=1, index=6)
    with pytest.raises(NotInProject):
        desk.do(kind="rename", object=2, name="x")

    assert desk.bench.objects == before


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"kind": "paint"}, id="unknown kind"),
        pytest.param({"kind": "click", "clicks": []}, id="no click"),
        pytest.param({"kind": "click", "clicks": [{"x": float("nan"), "y": 0}]}, id="NaN"),
        pytest.param({"kind": "click", "clicks": [ON_DISC], "colour": 3}, id="unknown key"),
        pytest.param({"kind": "rename", "object": 1, "name": "x" * 201}, id="long name"),
        pytest.param(
            {"kind": "stroke", "tool": "brush", "radius_px": 0, "points": [[0, 0]]},
            id="no radius",
        ),
    ],
)
def test_an_action_of_the_wrong_form_is_refused(action):
    with pytest.raises(ValueError):
        ACTION.validate_python(action)


def test_records_survive_json():
    part = Part(op="add", clicks=({"x": 0.5, "y": 2.0},), previous="0" * 32, mask="1" * 32)
    stroke = Stroke(tool="eraser", radius_px=2.5, points=((0.0, 1.5),))
    record = ObjectRecord(
        id=3,
        name="é",
        parts=(part,),
        strokes=(stroke,),
        mask="2" * 32,
        area=5,
        box_xyxy=(0, 1, 2, 3),
    )

    assert ObjectRecord.model_validate_json(record.model_dump_json()) == record


def test_a_scribble_becomes_a_few_clicks_of_the_newest_part(desk):
    desk.do(kind="click", clicks=[ON_DISC])

    desk.do(kind="scribble", object=1, points=[[50, 40], [70, 40]], positive=False)

    (part,) = desk.bench.object(1).parts
    clicks = scribble_clicks([[50, 40], [70, 40]], False, (96, 128))
    added = tuple(ClickRecord(x=click.x, y=click.y, positive=False) for click in clicks)
    assert len(added) > 1
    assert part.clicks == (ClickRecord(**ON_DISC), *added)


def test_a_scribble_on_nothing_makes_a_new_object_with_its_label(desk):
    outcome = desk.do(kind="scribble", label=7, points=[[50, 40], [900, 40]])

    record = desk.bench.object(1)
    assert (outcome.kind, outcome.object_id, record.label) == ("scribble", 1, 7)
    assert record.area > 0
    assert all(click.positive and click.x <= 127 for click in record.parts[0].clicks)


def test_a_scribble_has_as_few_and_as_many_points_as_a_stroke(desk):
    for points in ([], [[1, 1]] * 20_001):
        with pytest.raises(ValidationError):
            desk.do(kind="scribble", points=points)
