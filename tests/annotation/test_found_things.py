"""Objects made of what a search has found: all in one step, just as if each was clicked."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from latentcut.annotation.actions import apply_action, needs_model, predict_part
from latentcut.annotation.kinds import ACTION
from latentcut.core.everything import EverythingOptions
from latentcut.core.masks import coco_rle
from latentcut.errors import (
    BadAction,
    BadMask,
    ClickOutsideImage,
    MaskSizeMismatch,
    NoSuchCandidate,
    NotInProject,
)

ALL = EverythingOptions(points_per_side=3, min_score=0, min_stability=0, min_area=0, max_area=1)


@pytest.fixture(scope="module")
def things(predictor, encoded):
    """What the search found, as the page sends it."""
    found = predictor.find_all(encoded, ALL)
    assert len(found) >= 2
    return [
        {
            "mask": thing.rle,
            "click": {"x": thing.click.x, "y": thing.click.y},
            "candidate": thing.candidate,
            "expected_iou": thing.score,
        }
        for thing in found
    ]


def do(bench, **action):
    return apply_action(ACTION.validate_python({"kind": "found", **action}), bench)


def box_of(rows: slice, columns: slice, **more):
    mask = np.zeros((96, 128), dtype=bool)
    mask[rows, columns] = True
    thing = {"mask": coco_rle(mask), "click": {"x": 10, "y": 10}, "candidate": 0}
    return {**thing, "expected_iou": 0.5, **more}


def test_every_thing_becomes_an_object_with_its_mask_and_label(bench, things):
    outcome = do(bench, label=7, things=things)

    records = list(outcome.changes.values())
    assert not needs_model(ACTION.validate_python({"kind": "found", "things": things}))
    assert {record.mask for record in records} == set(bench.book.new)
    assert len(records) == len(things)
    assert {record.label for record in records} == {7}
    wanted = {thing["mask"]["counts"] for thing in things}
    assert {bench.book.new[record.mask]["counts"] for record in records} == wanted
    assert outcome.object_id is None


def test_smaller_things_lie_in_front_and_all_in_front_of_what_was_there(bench):
    whole, part = box_of(slice(0, 60), slice(0, 60)), box_of(slice(5, 20), slice(5, 20))
    bench.objects = tuple(do(bench, things=[part]).changes.values())

    made = list(do(bench, things=[part, whole]).changes.values())

    assert [(record.area, record.position) for record in made] == [(3600, 1), (225, 2)]
    assert [record.id for record in made] == [2, 3]


def test_an_object_that_was_found_has_the_candidates_of_its_click(bench, things):
    bench.objects = tuple(do(bench, things=things).changes.values())

    for record in bench.objects:
        prediction = predict_part(record, bench)
        mask = prediction.candidate(record.parts[0].selected)
        np.testing.assert_array_equal(mask, bench.book.mask(record.mask))


def test_a_found_object_is_refined_like_any_other(bench, things):
    bench.objects = tuple(do(bench, things=things).changes.values())
    record = bench.objects[0]
    beside = {"x": 3, "y": 90, "positive": False}

    action = {"kind": "click", "object": record.id, "clicks": [beside]}
    changed = apply_action(ACTION.validate_python(action), bench).changes[record.id]

    assert len(changed.parts[0].clicks) == 2
    assert changed.parts[0].previous == record.mask
    assert not bench.book.mask(changed.mask)[90, 3]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"click": {"x": 500, "y": 10}}, ClickOutsideImage),
        ({"candidate": 99}, NoSuchCandidate),
        ({"mask": {"size": (3, 4), "counts": "<"}}, MaskSizeMismatch),
        ({"mask": {"size": (96, 128), "counts": "<"}}, BadMask),
        ({"mask": coco_rle(np.zeros((96, 128), dtype=bool))}, BadAction),
    ],
)
def test_one_bad_thing_and_none_is_taken(bench, change, error):
    good = box_of(slice(0, 60), slice(0, 60))

    with pytest.raises(error):
        do(bench, things=[good, {**good, **change}])

    with pytest.raises(NotInProject):
        do(bench, label=99, things=[good])
    assert bench.objects == ()


@pytest.mark.parametrize("number", [0, 201])
def test_a_step_takes_one_thing_to_two_hundred(number):
    thing = box_of(slice(0, 60), slice(0, 60))

    with pytest.raises(ValidationError):
        ACTION.validate_python({"kind": "found", "things": [thing] * number})
