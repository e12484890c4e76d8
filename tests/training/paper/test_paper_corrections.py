"""Corrective clicks on the errors of models whose masks are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from paper_stubs import batch_of, constant_model, upper_half

from latentcut import Click
from latentcut.nets.paper.model import LatentDiversity
from latentcut.training.batches import Batch
from latentcut.training.paper.config import PaperConfig
from latentcut.training.paper.objective import add_corrective_clicks, repeat

MakeConfig = Callable[..., PaperConfig]
CORRECTED = ("model.stride=1", "clicks.corrective_shares=[0.0, 1.0]")


def corrected(
    model: LatentDiversity, batch: Batch, config: PaperConfig, *, with_g: bool = False
) -> list[tuple[Click, ...]]:
    encoded = repeat(model.encode(batch.images.float()), len(batch.clicks) // len(batch.images))
    return add_corrective_clicks(model, encoded, batch, config, with_g=with_g)


def test_a_corrective_click_lies_on_what_the_mask_got_wrong(paper_config: MakeConfig):
    batch = batch_of([upper_half()], [(Click(0, 0),)])
    config = paper_config(*CORRECTED)

    too_much = corrected(constant_model((0.8,)), batch, config)
    too_little = corrected(constant_model((0.2,)), batch, config)

    ((start, negative),), ((_, positive),) = too_much, too_little
    assert start == Click(0, 0)
    assert (negative.positive, negative.y >= 2) == (False, True)
    assert (positive.positive, positive.y < 2) == (True, True)


@pytest.mark.parametrize(
    ("shares", "added"), [("[1.0]", 0), ("[0.0, 1.0]", 1), ("[0.0, 0.0, 0.0, 1.0]", 3)]
)
def test_as_many_clicks_are_added_as_the_shares_say(
    paper_config: MakeConfig, shares: str, added: int
):
    batch = batch_of([upper_half()] * 3, [(Click(0, 0),)] * 3)
    config = paper_config("model.stride=1", f"clicks.corrective_shares={shares}")

    clicks = corrected(constant_model((0.8, 0.2)), batch, config)

    assert [len(pair) for pair in clicks] == [1 + added] * 3
    assert batch.clicks == [(Click(0, 0),)] * 3  # the batch keeps its own


def test_shares_are_met_over_many_pairs(paper_config: MakeConfig):
    batch = batch_of([upper_half()] * 400, [(Click(0, 0),)] * 400)
    config = paper_config("model.stride=1", "clicks.corrective_shares=[0.5, 0.25, 0.25]")

    lengths = [len(pair) for pair in corrected(constant_model((0.8,)), batch, config)]

    found = [lengths.count(n) / 400 for n in (1, 2, 3)]
    assert found == pytest.approx([0.5, 0.25, 0.25], abs=0.08)


def test_no_pair_gets_more_than_twenty_clicks(paper_config: MakeConfig):
    full = tuple(Click(x, y) for y in range(2) for x in range(4)) * 2 + (Click(0, 0),) * 3  # 19
    batch = batch_of([upper_half()] * 2, [full, (*full, Click(1, 1))])
    config = paper_config("model.stride=1", "clicks.corrective_shares=[0.0, 0.0, 0.0, 1.0]")

    clicks = corrected(constant_model((0.8,)), batch, config)

    assert [len(pair) for pair in clicks] == [20, 20]


def test_pixels_that_do_not_count_are_not_corrected(paper_config: MakeConfig):
    batch = batch_of([upper_half()], [(Click(0, 0),)])
    batch.ignore[0, 2:] = True

    clicks = corrected(constant_model((0.8,)), batch, paper_config(*CORRECTED))

    assert clicks == [(Click(0, 0),)]


def test_each_image_has_pixels_of_its_own_that_do_not_count(paper_config: MakeConfig):
    batch = batch_of([upper_half()] * 4, [(Click(0, 0),)] * 4, images=2)
    batch.ignore[1, 2:] = True

    clicks = corrected(constant_model((0.8,)), batch, paper_config(*CORRECTED))

    assert [len(pair) for pair in clicks] == [2, 2, 1, 1]


def test_clicks_depend_on_the_step_and_the_pair_alone(paper_config: MakeConfig):
    config = paper_config(
        "model.stride=1",
        "clicks.corrective_shares=[0.5, 0.5]",
        "clicks.corrective_centre_share=0",
    )

    def clicks_of(index: int, pairs: slice) -> list[tuple[Click, ...]]:
        whole = batch_of([upper_half()] * 16, [(Click(0, 0),)] * 16, index=index)
        ids = whole.pair_ids[pairs]
        part = dataclasses.replace(
            whole, targets=whole.targets[pairs], clicks=whole.clicks[pairs], pair_ids=ids
        )
        return corrected(constant_model((0.8,)), part, config)

    whole = clicks_of(0, slice(0, 16))

    assert clicks_of(0, slice(8, 16)) == whole[8:]
    assert clicks_of(1, slice(0, 16)) != whole
    assert whole[:8] != whole[8:]


def test_at_a_stride_a_corrective_click_lies_in_the_middle_of_a_cell(paper_config: MakeConfig):
    target = torch.zeros(16, 16, dtype=torch.bool)
    target[:, :12] = True  # one column of cells is wrong: 12 to 15
    batch = batch_of([target], [(Click(0, 0),)])
    config = paper_config("clicks.corrective_shares=[0.0, 1.0]")

    ((_, click),) = corrected(constant_model((0.8,), stride=4), batch, config)

    assert (click.x, click.y % 4, click.positive) == (13.5, 1.5, False)


def test_without_g_the_first_mask_is_corrected_as_often_as_the_best(paper_config: MakeConfig):
    # the first mask is empty, the best one too large
    batch = batch_of([upper_half()] * 100, [(Click(0, 0),)] * 100)

    clicks = corrected(constant_model((0.2, 0.8)), batch, paper_config(*CORRECTED))

    share = sum(pair[1].positive for pair in clicks) / 100
    assert share == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(("scores", "positive"), [((2.0, 0.0), True), ((0.0, 2.0), False)])
def test_with_g_the_mask_of_its_choice_is_corrected(
    paper_config: MakeConfig, scores: tuple[float, ...], positive: bool
):
    batch = batch_of([upper_half()] * 10, [(Click(0, 0),)] * 10)
    model = constant_model((0.2, 0.8), scores)

    clicks = corrected(model, batch, paper_config(*CORRECTED), with_g=True)

    assert [pair[1].positive for pair in clicks] == [positive] * 10
