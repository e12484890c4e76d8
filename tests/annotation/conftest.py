"""The bench that actions are applied to: one image, no objects yet, labels 7 and 8."""

from __future__ import annotations

import itertools

import pytest

from latentcut.annotation.actions import Workbench
from latentcut.annotation.compose import MaskBook


@pytest.fixture
def bench(predictor, encoded):
    ids = itertools.count(1)
    return Workbench(
        objects=(),
        book=MaskBook(encoded.size_hw, read={}.__getitem__),
        new_object_ids=lambda number: [next(ids) for _ in range(number)],
        label_ids=frozenset({7, 8}),
        predictor=predictor,
        encoded=lambda: encoded,
    )
