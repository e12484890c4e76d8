from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcut.core.images import read_image
from latentcut.errors import BadConfig
from latentcut.training.paper.config import PaperDataConfig
from latentcut.training.paper.whole_images import WholeImages, shrink_labels
from latentcut.training.weighted_sets import is_held_out

ANY = 64  # a size that has no meaning


def data(sets: tuple[str, ...] = ("shapes",), **changes: object) -> PaperDataConfig:
    return PaperDataConfig(
        sets=dict.fromkeys(sets, 1.0),
        crop_sizes=(64,),
        crop_shares=(1.0,),
        images_per_step=(1,),
        **({"pairs_per_image": 3, "held_out_every": 0} | changes),
    )


@pytest.fixture
def source(shapes_root: Path) -> WholeImages:
    return WholeImages(shapes_root, data())


@pytest.fixture
def one_image(tmp_path: Path) -> Callable[[np.ndarray, dict[str, int]], Path]:
    """A root with the set ``one``: one picture that shows its label map in grey."""

    def make(labels: np.ndarray, meta: dict[str, int]) -> Path:
        folder = tmp_path / "one"
        for name in ("images", "masks"):
            (folder / name).mkdir(parents=True)
        grey = np.repeat((labels * 50).astype(np.uint8)[:, :, None], 3, axis=2)
        Image.fromarray(grey).save(folder / "images" / "a.png")
        Image.fromarray(labels).save(folder / "masks" / "a.png")
        (folder / "META.json").write_text(json.dumps(meta))
        return tmp_path

    return make


def drawn(source: WholeImages, count: int = 20):
    return [source(ANY, np.random.default_rng(seed)) for seed in range(count)]


# ---------------------------------------------------------------- what is drawn


def test_an_image_is_taken_whole_as_it_is_or_mirrored(source: WholeImages):
    stored = [read_image(entry.image_path) for entry in source.pictures.entries[0]]
    known = {image.tobytes() for image in stored}
    mirrored = {np.ascontiguousarray(image[:, ::-1]).tobytes() for image in stored}

    found = [np.ascontiguousarray(crop.image).tobytes() for crop in drawn(source, 40)]

    assert set(found) <= known | mirrored
    assert 8 <= sum(image in mirrored for image in found) <= 32  # half of them


def test_every_pair_has_an_object_of_the_picture_and_clicks_that_fit_it(source: WholeImages):
    for crop in drawn(source):
        assert crop.image.shape == (96, 128, 3)
        assert crop.targets.shape == (3, 96, 128)
        assert len(crop.clicks) == 3
        for target, clicks in zip(crop.targets, crop.clicks, strict=True):
            # objects are bright (from 120) on noise below 90
            assert crop.image[target].mean() > 100 > crop.image[~crop.targets.any(0)].mean() + 30
            assert any(click.positive for click in clicks)
            assert [bool(target[c.pixel_xy[::-1]]) for c in clicks] == [c.positive for c in clicks]


def test_both_objects_of_a_picture_get_pairs(source: WholeImages):
    kinds = {len({target.tobytes() for target in crop.targets}) for crop in drawn(source)}

    assert kinds == {1, 2}


def test_the_same_generator_state_gives_the_same_crop_whatever_the_size(source: WholeImages):
    first, second = source(64, np.random.default_rng(5)), source(512, np.random.default_rng(5))

    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.targets, second.targets)
    assert np.array_equal(first.ignore, second.ignore)
    assert first.clicks == second.clicks


def test_held_out_images_are_never_drawn(shapes_root: Path):
    source = WholeImages(shapes_root, data(held_out_every=4))
    held_out = {e.image_id for e in source.pictures.sets[0].images if is_held_out(e.image_id, 4)}

    offered = {e.image_id for e in source.pictures.entries[0]}

    assert held_out
    assert offered.isdisjoint(held_out)
    assert offered | held_out == {e.image_id for e in source.pictures.sets[0].images}


# ---------------------------------------------------------------- sizes


def test_sides_are_padded_to_multiples_of_16_px_that_do_not_count(shapes_root: Path):
    source = WholeImages(shapes_root, data(longest_side=100))  # 128 x 96 becomes 100 x 75

    for crop in drawn(source, 6):
        assert crop.image.shape == (80, 112, 3)
        assert crop.targets.shape == (3, 80, 112)
        counts = np.zeros((80, 112), dtype=bool)
        counts[:75, :100] = True
        assert np.array_equal(crop.ignore, ~counts)
        assert not crop.targets[:, ~counts].any()
        assert np.array_equal(crop.image[75:], np.repeat(crop.image[74:75], 5, axis=0))
        assert np.array_equal(crop.image[:, 100:], np.repeat(crop.image[:, 99:100], 12, axis=1))
        for target, clicks in zip(crop.targets, crop.clicks, strict=True):
            assert [bool(target[c.pixel_xy[::-1]]) for c in clicks] == [c.positive for c in clicks]
            assert max(c.x for c in clicks) < 100


def test_an_image_that_is_short_enough_is_not_enlarged(shapes_root: Path):
    source = WholeImages(shapes_root, data(longest_side=1000))

    assert source(ANY, np.random.default_rng(0)).image.shape == (96, 128, 3)


def test_a_smaller_label_map_takes_the_label_at_the_centre_of_each_pixel():
    labels = np.arange(24, dtype=np.uint8).reshape(4, 6)

    small = shrink_labels(labels, (2, 3))
    odd = shrink_labels(labels, (1, 2))

    assert small.tolist() == [[7, 9, 11], [19, 21, 23]]  # rows 1 and 3, columns 1, 3, 5
    assert odd.tolist() == [[13, 16]]  # row 2, columns 1 and 4


def test_a_label_map_of_the_same_size_stays_as_it_is():
    labels = np.arange(12).reshape(3, 4)

    assert shrink_labels(labels, (3, 4)).tolist() == labels.tolist()


# ---------------------------------------------------------------- what counts


def labels_of(*boxes: tuple[int, slice, slice]) -> np.ndarray:
    labels = np.zeros((48, 64), dtype=np.uint8)
    for value, rows, columns in boxes:
        labels[rows, columns] = value
    return labels


def test_pixels_to_ignore_are_marked_and_are_no_object(one_image):
    labels = labels_of((1, slice(8, 30), slice(8, 30)), (4, slice(8, 30), slice(40, 60)))
    source = WholeImages(one_image(labels, {"ignore_value": 4}), data(("one",)))

    for crop in drawn(source, 8):
        grey = crop.image[:, :, 0]
        assert np.array_equal(crop.ignore, grey == 200)
        assert np.array_equal(crop.targets, np.stack([grey == 50] * 3))


def test_without_an_ignore_value_every_pixel_counts(one_image):
    labels = labels_of((1, slice(8, 30), slice(8, 30)), (4, slice(8, 30), slice(40, 60)))
    source = WholeImages(one_image(labels, {}), data(("one",)))

    crops = drawn(source, 8)

    assert [crop.ignore.any() for crop in crops] == [False] * 8
    values = {int(crop.image[target][0, 0]) for crop in crops for target in crop.targets}
    assert values == {50, 200}


def test_objects_of_less_than_60_px_are_no_targets(one_image):
    labels = labels_of((1, slice(0, 6), slice(0, 10)), (2, slice(20, 21), slice(0, 59)))
    source = WholeImages(one_image(labels, {}), data(("one",)))

    values = {int(crop.image[t][0, 0]) for crop in drawn(source) for t in crop.targets}

    assert values == {50}  # 60 px, the other one has 59


# ---------------------------------------------------------------- what is refused


def test_an_unknown_set_is_named_with_the_known_ones(shapes_root: Path):
    with pytest.raises(BadConfig) as caught:
        WholeImages(shapes_root, data(("shape",)))

    assert str(caught.value) == (
        f"data.sets names 'shape', not in {shapes_root}; did you mean 'shapes'? known: shapes"
    )


def test_no_set_at_all_is_refused(shapes_root: Path):
    with pytest.raises(BadConfig) as caught:
        WholeImages(shapes_root, data(()))

    assert str(caught.value) == "data.sets is empty; known: shapes"


def test_a_set_without_any_object_ends_in_an_error_and_not_in_an_endless_search(one_image):
    empty = one_image(np.zeros((40, 50), dtype=np.uint8), {})

    with pytest.raises(BadConfig) as caught:
        WholeImages(empty, data(("one",)))(0, np.random.default_rng(0))

    assert str(caught.value).startswith("1000 images drawn in a row from one in ")
    assert str(caught.value).endswith(f"latentcut data check {empty / 'one'}")
