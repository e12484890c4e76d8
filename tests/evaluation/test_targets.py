"""Parts and wholes, on maps drawn as digits."""

from __future__ import annotations

import numpy as np

from latentcut.datasets.dataset import LabelMap
from latentcut.datasets.folder import FolderDataset
from latentcut.evaluation.targets import nested, targets_of


def label_map(name, *lines, ignore_value=None):
    labels = np.array([[int(digit) for digit in line] for line in lines], dtype=np.uint8)
    return LabelMap(name, labels, ignore_value)


def test_a_region_inside_a_larger_one_of_another_map_is_a_part_of_it():
    parts = label_map("p", "110000", "120000", "000003")
    whole = label_map("w", "111100", "111100", "000000")

    assert nested([parts, whole]) == ({"p:1", "p:2"}, {"w:1"})


def test_regions_of_one_map_are_never_parts_of_each_other():
    assert nested([label_map("a", "1122", "1122")]) == (set(), set())


def test_the_same_thing_drawn_twice_is_neither_part_nor_whole():
    first = label_map("a", "1111100000")
    second = label_map("b", "1111110000")  # 5 of 6 px: more than four fifths

    assert nested([first, second]) == (set(), set())


def test_a_region_that_sticks_out_by_more_than_a_tenth_is_no_part():
    sticks_out = label_map("a", "0011111111111000000000")
    whole = label_map("b", "1111111111100000000000")

    assert nested([sticks_out, whole]) == (set(), set())


def test_a_region_between_two_others_is_both():
    maps = [label_map("s", "10000000"), label_map("m", "11000000"), label_map("l", "11111111")]

    assert nested(maps) == ({"s:1", "m:1"}, {"m:1", "l:1"})


def test_ignored_pixels_are_no_whole():
    part = label_map("a", "11000000")
    ignored = label_map("b", "99999999", ignore_value=9)

    assert nested([part, ignored]) == (set(), set())


def test_users_of_parts_and_wholes_mean_their_objects_in_the_order_of_the_set(make_dataset):
    small, large = np.zeros((2, 8, 8), dtype=np.uint8)
    small[:2, :2], small[4:6, 4:6], large[:, :4] = 5, 6, 1
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    folder = make_dataset({"a.png": picture}, {"a__1.png": small, "a__2.png": large})
    dataset = FolderDataset(folder)

    meant = {
        user: [ref.name for ref in targets_of(dataset, user)]
        for user in ("parts", "wholes", "centre")
    }

    assert meant == {
        "parts": ["a__1:5"],
        "wholes": ["a__2:1"],
        "centre": ["a__1:5", "a__1:6", "a__2:1"],
    }
