"""Actions under preferences: what follows them, and what is noted so that history stays."""

import numpy as np

from latentcut.annotation.actions import apply_action, predict_part
from latentcut.annotation.kinds import ACTION
from latentcut.core.preferences import Look, Preferences

ON_DISC = {"x": 60, "y": 40, "positive": True}
# a weight of the share of the others that are smaller, which outdoes any score
LARGER = Preferences(weights=(0.0, 0.0, 1e4, 0.0, 0.0), num_learned=5)
SMALLER = Preferences(weights=(0.0, 0.0, -1e4, 0.0, 0.0), num_learned=5)


def do(bench, preferences, **action):
    """Apply an action under preferences, and keep what it makes."""
    bench.preferences = lambda label: preferences
    outcome = apply_action(ACTION.validate_python(action), bench)
    bench.objects = tuple(record for record in outcome.changes.values() if record is not None)
    return outcome


def test_a_first_click_takes_the_candidate_that_the_preferences_put_first(bench):
    small = do(bench, SMALLER, kind="click", clicks=[ON_DISC]).prediction
    large = do(bench, LARGER, kind="click", clicks=[ON_DISC]).prediction

    areas = [int(mask.sum()) for mask in large.candidates]
    assert areas[small.selected] == min(areas)
    assert areas[large.selected] == max(areas) == bench.objects[0].area
    assert bench.objects[0].parts[0].score == float(large.scores[large.selected])


def test_preferences_are_those_of_the_label_of_the_new_object(bench):
    asked = []
    bench.label_ids = frozenset({7})
    bench.preferences = lambda label: asked.append(label) or LARGER

    for label in (7, None):
        apply_action(
            ACTION.validate_python({"kind": "click", "label": label, "clicks": [ON_DISC]}), bench
        )

    assert asked == [7, None]


def test_what_an_object_began_with_is_handed_on_with_scores_of_g_alone(bench, predictor, encoded):
    outcome = do(bench, LARGER, kind="click", clicks=[ON_DISC])

    alone = predictor.open(encoded.image).click(60, 40)
    assert outcome.look == Look.of(alone)


def test_only_the_click_that_makes_an_object_shows_how_it_began(bench):
    do(bench, LARGER, kind="click", clicks=[ON_DISC])

    later = do(bench, LARGER, kind="click", object=1, clicks=[{"x": 3, "y": 90, "positive": False}])
    boxed = do(bench, LARGER, kind="box", box=[30, 10, 90, 70])
    chosen = do(bench, LARGER, kind="choose", object=2, index=3)

    assert [later.look, boxed.look, chosen.look] == [None, None, None]


def test_boxes_and_later_clicks_are_answered_by_g_alone(bench, predictor, encoded):
    box = (30.0, 10.0, 90.0, 70.0)

    boxed = do(bench, SMALLER, kind="box", box=list(box)).prediction
    do(bench, SMALLER, kind="click", clicks=[ON_DISC])
    later = do(bench, SMALLER, kind="click", object=2, clicks=[ON_DISC]).prediction

    alone = predictor.predict(encoded, [], box=box)
    assert (boxed.scores.tolist(), boxed.selected) == (alone.scores.tolist(), alone.selected)
    assert later.selected == int(np.argmax(later.expected_iou))
    assert bench.objects[0].parts[0].preference is None


def test_candidates_of_an_old_part_come_back_as_they_were_whatever_was_learned_since(bench):
    then = do(bench, LARGER, kind="click", clicks=[ON_DISC]).prediction
    bench.preferences = lambda label: SMALLER

    again = predict_part(bench.objects[0], bench)

    assert again.scores.tolist() == then.scores.tolist()
    assert again.selected == then.selected == bench.objects[0].parts[0].selected
    assert bench.objects[0].parts[0].preference == LARGER.weights


def test_choosing_keeps_the_scores_of_the_time_of_the_click(bench):
    then = do(bench, LARGER, kind="click", clicks=[ON_DISC]).prediction
    other = (then.selected + 1) % then.num_masks

    chosen = do(bench, SMALLER, kind="choose", object=1, index=other)

    part = bench.objects[0].parts[0]
    assert (part.selected, part.by_user, part.preference) == (other, True, LARGER.weights)
    assert part.score == float(then.scores[other])
    assert chosen.prediction.scores.tolist() == then.scores.tolist()


def test_weights_of_another_program_are_left_out_of_account(bench, predictor, encoded):
    do(bench, LARGER, kind="click", clicks=[ON_DISC])
    record = bench.objects[0]
    foreign = record.parts[0].model_copy(update={"preference": (1.0, 2.0)})

    again = predict_part(record.model_copy(update={"parts": (foreign,)}), bench)

    alone = predictor.open(encoded.image).click(60, 40)
    assert again.scores.tolist() == alone.scores.tolist()
