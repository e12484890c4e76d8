from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from latentcut.integrations.sam import NO_IMAGE, ClickPredictor, build_model

SAMPLES = Path(__file__).resolve().parents[2] / "src" / "latentcut" / "samples"
ROUNDS = 200 if os.environ.get("LATENTCUT_SOAK") else 25

# written against segment_anything; only the import is another one
SCRIPT = """
import sys
import cv2
import numpy as np
from latentcut.integrations.sam import SamPredictor, sam_model_registry

sam = sam_model_registry["vit_b"]()
sam.to(device="cpu")
predictor = SamPredictor(sam)
image = cv2.cvtColor(cv2.imread(sys.argv[1]), cv2.COLOR_BGR2RGB)
predictor.set_image(image)
input_point = np.array([[225, 120]])
input_label = np.array([1])
masks, scores, logits = predictor.predict(
    point_coords=input_point, point_labels=input_label, multimask_output=True
)
best = int(np.argmax(scores))
mask_input = logits[best, :, :]
input_point = np.array([[225, 120], [20, 20]])
input_label = np.array([1, 0])
masks, _, _ = predictor.predict(
    point_coords=input_point,
    point_labels=input_label,
    mask_input=mask_input[None, :, :],
    multimask_output=False,
)
assert masks.shape == (1, *image.shape[:2]), masks.shape
assert masks[0, 120, 225] and not masks[0, 20, 20]
input_box = np.array([60, 20, 440, 290])
masks, scores, _ = predictor.predict(box=input_box[None, :], multimask_output=False)
print(masks.dtype, masks.shape, scores.shape)
"""


@pytest.fixture(scope="module")
def sam(predictor, photo):
    shell = ClickPredictor(predictor)
    shell.set_image(photo)
    return shell


def test_a_script_written_for_sam_runs_with_its_import_changed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    ran = subprocess.run(
        [sys.executable, script, SAMPLES / "chelsea.jpg"], capture_output=True, text=True
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "bool (1, 300, 451) (1,)\n"


@settings(max_examples=25)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    count=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_shapes_and_types_hold_for_every_image_and_number_of_points(
    predictor, height, width, count, seed
):
    rng = np.random.default_rng(seed)
    shell = ClickPredictor(predictor)
    shell.set_image(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    points = rng.uniform((0, 0), (width - 1, height - 1), (count, 2))
    labels = np.array([1, *rng.integers(0, 2, count - 1)])

    masks, scores, logits = shell.predict(points, labels)
    one, one_score, one_logits = shell.predict(
        points, labels, mask_input=logits[:1], multimask_output=False
    )

    assert (masks.shape, masks.dtype) == ((6, height, width), np.dtype(bool))
    assert (scores.shape, scores.dtype) == ((6,), np.dtype(np.float32))
    assert (logits.shape, logits.dtype) == ((6, height, width), np.dtype(np.float32))
    assert (one.shape, one_score.shape) == ((1, height, width), (1,))
    assert one_logits.shape == (1, height, width)


def test_logits_of_large_images_are_small_and_can_be_given_back(predictor):
    shell = ClickPredictor(predictor)
    shell.set_image(np.zeros((300, 1200, 3), dtype=np.uint8))
    points, labels = [[600, 150]], [1]

    masks, _, logits = shell.predict(points, labels)
    again = [shell.predict(points, labels, mask_input=logits[i : i + 1])[0] for i in range(6)]

    assert logits.shape == (6, 64, 256)
    assert [m.shape for m in again] == [masks.shape] * 6


def test_the_largest_score_is_the_mask_that_a_single_answer_gives(sam):
    masks, scores, _ = sam.predict([[60, 40]], [1])
    one, score, _ = sam.predict([[60, 40]], [1], multimask_output=False)

    assert np.array_equal(one[0], masks[scores.argmax()])
    assert score[0] == scores.max()


def test_returned_logits_are_positive_exactly_inside_the_masks(sam):
    points, labels = [[60, 40], [62, 40]], [1, 0]  # so close that masks have to be corrected

    masks, _, _ = sam.predict(points, labels)
    logits, _, _ = sam.predict(points, labels, return_logits=True)

    assert logits.dtype == np.float32
    assert np.array_equal(logits > 0, masks)


def test_a_blue_green_red_image_gives_what_its_red_green_blue_form_gives(predictor, photo):
    rgb, bgr = ClickPredictor(predictor), ClickPredictor(predictor)
    rgb.set_image(photo)
    bgr.set_image(photo[:, :, ::-1], image_format="BGR")

    assert np.array_equal(bgr.predict([[60, 40]], [1])[0], rgb.predict([[60, 40]], [1])[0])


def test_padding_points_are_left_out(sam):
    padded, _, _ = sam.predict([[60, 40], [0, 0]], [1, -1])
    plain, _, _ = sam.predict([[60, 40]], [1])

    assert np.array_equal(padded, plain)


def test_a_box_alone_is_a_prompt(sam):
    masks, _, _ = sam.predict(box=[30, 10, 92, 70], multimask_output=False)

    assert masks[0, 40, 60]


def test_without_an_image_the_error_has_the_text_that_callers_match_on(predictor):
    shell = ClickPredictor(predictor)

    with pytest.raises(RuntimeError) as caught:
        shell.predict([[1, 1]], [1])

    assert str(caught.value) == NO_IMAGE


def test_an_image_can_be_forgotten(predictor, photo):
    shell = ClickPredictor(predictor)

    shell.set_image(photo)
    assert (shell.is_image_set, shell.original_size) == (True, (96, 128))
    shell.reset_image()

    assert not shell.is_image_set


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"point_coords": [[1, 1]]},
            "point_labels must be supplied if point_coords is supplied.",
        ),
        ({"point_labels": [1]}, "point_labels were given without point_coords"),
        (
            {"point_coords": [[1, 1]], "point_labels": [1, 0]},
            "point_coords must be (N, 2) and point_labels (N,), given (1, 2) and (2,)",
        ),
        (
            {"point_coords": [[1, 1]], "point_labels": [2]},
            "point_labels must be 1, 0 or -1, given [2]",
        ),
        ({"box": [1, 2, 3]}, "box must hold x0, y0, x1, y1, given (3,)"),
        ({"mask_input": np.zeros((2, 4, 4))}, "mask_input must be (1, h, w), given (2, 4, 4)"),
    ],
)
def test_prompts_that_do_not_fit_are_value_errors(sam, arguments, message):
    with pytest.raises(ValueError) as caught:
        sam.predict(**arguments)

    assert str(caught.value) == message


def test_an_unknown_order_of_colours_is_refused(predictor, photo):
    with pytest.raises(ValueError) as caught:
        ClickPredictor(predictor).set_image(photo, image_format="HSV")

    expected = "image_format must be one of ('RGB', 'BGR'), given 'HSV'"
    assert str(caught.value) == expected


def test_weights_of_sam_are_not_taken_for_ours(tmp_path):
    weights = tmp_path / "sam_vit_b_01ec64.pth"
    weights.write_bytes(b"weights")

    with pytest.raises(FileNotFoundError) as caught:
        build_model(weights)

    assert str(weights) in str(caught.value)


def test_eight_threads_on_eight_images_get_what_one_gets(predictor):
    rng = np.random.default_rng(0)
    shells = []
    for _ in range(8):
        shell = ClickPredictor(predictor)
        shell.set_image(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        shells.append(shell)
    tasks = [
        (shells[n % 8], rng.uniform((0, 0), (63, 47), (3, 2)), np.array([1, 0, 1]))
        for n in range(8 * ROUNDS)
    ]

    serial = [shell.predict(points, labels) for shell, points, labels in tasks]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda t: t[0].predict(t[1], t[2]), tasks))

    for one, other in zip(serial, parallel, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_boxes_that_were_transformed_as_for_sam_are_answered_as_plain_ones(sam, photo):
    boxes = np.array([[30, 10, 100, 80], [50, 20, 90, 60]], np.float32)

    moved = sam.transform.apply_boxes_torch(boxes, photo.shape[:2])
    masks, scores, _ = sam.predict_torch(None, None, boxes=moved, multimask_output=False)

    assert (sam.original_size, sam.input_size) == (photo.shape[:2], photo.shape[:2])
    assert masks.shape == (2, 1, *photo.shape[:2])
    for place, box in enumerate(boxes):
        alone, score, _ = sam.predict(box=box, multimask_output=False)
        np.testing.assert_array_equal(masks[place], alone)
        np.testing.assert_array_equal(scores[place], score)


def test_a_transformed_image_as_a_tensor_is_the_image(predictor, photo):
    plain, batched = ClickPredictor(predictor), ClickPredictor(predictor)
    plain.set_image(photo)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensor = torch.as_tensor(plain.transform.apply_image(photo.copy())).permute(2, 0, 1)[None]

    batched.set_torch_image(plain.transform.apply_image_torch(tensor.float()), photo.shape[:2])

    points = np.array([[60, 40]]), np.array([1])
    for one, other in zip(plain.predict(*points), batched.predict(*points), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match=r"must be \(1, 3, 10, 20\)"):
        batched.set_torch_image(tensor, (10, 20))
