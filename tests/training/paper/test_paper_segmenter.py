from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from latentcut import Click
from latentcut.errors import BadConfig, CheckpointBroken, FileMissing
from latentcut.training.checkpoint import save_checkpoint
from latentcut.training.config import config_to_dict
from latentcut.training.paper import segmenter as segmenter_module
from latentcut.training.paper.config import PaperConfig
from latentcut.training.paper.loop import build_paper_model, build_stage
from latentcut.training.paper.segmenter import PaperSegmenter, load_segmenter

MakeConfig = Callable[..., PaperConfig]


def constant_segmenter(
    config: PaperConfig,
    probs: tuple[float, ...],
    scores: tuple[float, ...] = (0.0, 0.0, 0.0),
    selection: str = "g",
) -> PaperSegmenter:
    """Three masks of one value each, and fixed scores of g."""
    model = build_paper_model(config).eval()
    logits = [math.log(p / (1 - p)) if p else -50.0 for p in probs]
    for network, biases in ((model.f, logits), (model.g, scores)):
        network.last.weight.data.zero_()
        network.last.bias.data.copy_(torch.tensor(biases))
    return PaperSegmenter(model, config, selection=selection)


def pointing_segmenter(config: PaperConfig) -> PaperSegmenter:
    """Mask 0 is in exactly where S_p is 1, mask 1 where S_n is 1, mask 2 nowhere."""
    model = build_paper_model(config).eval()
    model.f.first.conv.weight.data.zero_()
    for sign in (0, 1):
        model.f.first.conv.weight.data[sign, 3 + sign] = 1.0  # after the image's channels
    model.f.last.weight.data.zero_()
    model.f.last.weight.data[0, 0] = model.f.last.weight.data[1, 1] = 10.0
    model.f.last.bias.data.fill_(-4.0)
    return PaperSegmenter(model, config, selection="first")


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 127, dtype=np.uint8)


@pytest.fixture
def checkpoint(paper_config: MakeConfig, tmp_path: Path) -> Path:
    """Random f and g of the tiny config, as a run leaves them."""
    config = paper_config()
    torch.manual_seed(3)
    model = build_paper_model(config)
    path = tmp_path / "checkpoint.safetensors"
    facts = {"family": "paper", "step": 8, "stage": "g", "config": config_to_dict(config)}
    save_checkpoint(path, model, {}, build_stage(model, "g", config.train), facts)
    return path


# ---------------------------------------------------------------- loading


def test_a_checkpoint_becomes_a_segmenter_with_its_weights(
    checkpoint: Path, paper_config: MakeConfig
):
    segmenter = load_segmenter(checkpoint)

    torch.manual_seed(3)
    expected = build_paper_model(paper_config()).state_dict()
    found = segmenter.model.state_dict()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    assert [m for m in segmenter.model.modules() if m.training] == []


def test_a_segmenter_says_what_it_is(checkpoint: Path):
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()

    default, named = load_segmenter(checkpoint), load_segmenter(checkpoint, "small", "first")

    assert (default.name, default.fingerprint) == ("paper", f"{digest}-g")
    assert (named.name, named.fingerprint) == ("small", f"{digest}-first")
    assert named.facts == {
        "kind": "paper family",
        "features": "none",
        "num_masks": 3,
        "stride": 4,
        "g": "context",
        "longest_side": 0,
        "selection": "first",
    }


def test_a_practical_checkpoint_is_refused(tmp_path: Path):
    path = tmp_path / "checkpoint.safetensors"
    model = torch.nn.Linear(1, 1)
    save_checkpoint(path, model, {}, torch.optim.SGD(model.parameters()), {"step": 1, "config": {}})

    with pytest.raises(BadConfig) as caught:
        load_segmenter(path)

    assert str(caught.value) == (
        f"{path} is a checkpoint of the practical family; "
        "make a bundle of it (latentcut bundle) and evaluate that"
    )


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(FileMissing) as caught:
        load_segmenter(tmp_path / "no.safetensors")

    assert str(caught.value) == (
        f"{tmp_path / 'no.safetensors'} does not exist or is not a checkpoint (.safetensors)"
    )


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path):
    path = tmp_path / "file.safetensors"
    path.write_bytes(b"nothing")

    with pytest.raises(CheckpointBroken) as caught:
        load_segmenter(path)

    # what follows is the library's own sentence
    assert str(caught.value).startswith(f"{path} is no readable checkpoint: ")


def test_another_selection_is_refused(checkpoint: Path):
    with pytest.raises(BadConfig) as caught:
        load_segmenter(checkpoint, selection="best")

    assert str(caught.value) == (
        "selection must be one of ('g', 'first', 'confident'), given 'best'"
    )


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("selection", ["g", "first", "confident"])
@pytest.mark.parametrize("size_hw", [(50, 70), (7, 9), (96, 32)])
def test_an_answer_has_m_masks_of_the_image_and_a_score_for_each(
    checkpoint: Path, size_hw: tuple[int, int], selection: str
):
    conversation = load_segmenter(checkpoint, selection=selection).start(grey(*size_hw))

    answer = conversation.answer([Click(3, 4), Click(5, 6, positive=False)])

    assert (answer.candidates.shape, answer.candidates.dtype) == ((3, *size_hw), bool)
    assert (answer.scores.shape, answer.scores.dtype) == ((3,), np.float32)
    assert answer.selected == int(answer.scores.argmax())
    assert answer.expected_iou is None
    assert answer.seconds > 0
    assert np.array_equal(answer.mask, answer.candidates[answer.selected])


def test_the_same_clicks_give_the_same_answer_whatever_came_before(checkpoint: Path):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    clicks = [Click(10, 12), Click(40, 30, positive=False)]
    segmenter = load_segmenter(checkpoint)
    conversation = segmenter.start(image)

    first, both = conversation.answer(clicks[:1]), conversation.answer(clicks)

    assert np.array_equal(segmenter.start(image).answer(clicks).scores, both.scores)
    assert np.array_equal(conversation.answer(clicks[:1]).scores, first.scores)
    assert not np.array_equal(first.scores, both.scores)


def test_the_arithmetic_of_training_is_that_of_an_answer(paper_config: MakeConfig):
    torch.manual_seed(0)
    exact = build_paper_model(paper_config()).eval()
    conversations = [
        PaperSegmenter(exact, paper_config(f"train.bf16={on}")).start(grey(32, 32))
        for on in ("false", "true")
    ]

    scores = [c.answer([Click(9, 9)]).scores for c in conversations]

    assert not np.array_equal(scores[0], scores[1])
    assert scores[1] == pytest.approx(scores[0], abs=0.05)


# ---------------------------------------------------------------- which mask is shown


def test_g_shows_the_mask_with_its_largest_probability(paper_config: MakeConfig):
    segmenter = constant_segmenter(paper_config(), (0.4, 0.6, 0.9), (0.0, math.log(3), 0.0))

    answer = segmenter.start(grey(32, 32)).answer([Click(0, 0)])

    assert answer.selected == 1
    assert answer.scores.tolist() == pytest.approx([0.2, 0.6, 0.2])
    assert [c.all() for c in answer.candidates] == [False, True, True]
    assert [c.any() for c in answer.candidates] == [False, True, True]


def test_the_first_mask_is_shown_whatever_g_says(paper_config: MakeConfig):
    segmenter = constant_segmenter(paper_config(), (0.6, 0.9, 0.9), (0.0, 9.0, 0.0), "first")

    answer = segmenter.start(grey(32, 32)).answer([Click(0, 0)])

    assert answer.selected == 0
    assert answer.scores.tolist() == [1.0, 0.0, 0.0]


def test_confident_shows_the_mask_with_the_largest_mean_probability_inside(
    paper_config: MakeConfig,
):
    segmenter = constant_segmenter(paper_config(), (0.6, 0.9, 0.0), (9.0, 0.0, 0.0), "confident")

    answer = segmenter.start(grey(32, 32)).answer([Click(0, 0)])

    cells = 8 * 8  # sum of squares over sum + 1
    assert answer.selected == 1
    assert answer.scores.tolist() == pytest.approx(
        [cells * p * p / (cells * p + 1) for p in (0.6, 0.9, 0.0)], abs=1e-5
    )


def test_masks_of_a_tanh_model_are_cut_at_a_half_too(paper_config: MakeConfig):
    segmenter = constant_segmenter(paper_config("model.output=tanh"), (0.5, 0.5, 0.5))
    biases = torch.atanh(torch.tensor([0.45, 0.55, -0.5]))
    segmenter.model.f.last.bias.data.copy_(biases)

    answer = segmenter.start(grey(32, 32)).answer([Click(0, 0)])

    assert [bool(c.all()) for c in answer.candidates] == [False, True, False]


# ---------------------------------------------------------------- image frame and network frame


def network_clicks(
    monkeypatch: pytest.MonkeyPatch,
    config: PaperConfig,
    size_hw: tuple[int, int],
    clicks: list[Click],
) -> tuple[list[Click], tuple[int, int]]:
    """Clicks and size as the network is told them."""
    told = []
    draw = segmenter_module.paper_maps
    monkeypatch.setattr(
        segmenter_module,
        "paper_maps",
        lambda moved, size, *more: (told.append((moved, size)), draw(moved, size, *more))[1],
    )
    constant_segmenter(config, (0.5, 0.5, 0.5)).start(grey(*size_hw)).answer(clicks)
    ((moved, size),) = told
    return moved, size


@pytest.mark.parametrize(
    ("longest", "size_hw", "expected"),
    [
        (0, (96, 128), (96, 128)),
        (0, (50, 70), (48, 64)),  # 3.1 and 4.4 times 16
        (0, (3, 300), (16, 304)),  # never less than 16; 18.75 times
        (64, (96, 128), (48, 64)),
        (64, (128, 128), (64, 64)),
        (64, (30, 45), (32, 48)),  # never enlarged beyond the nearest multiple; 1.9 and 2.8 times
    ],
)
def test_an_image_is_reduced_to_the_longest_side_and_rounded_to_16_px(
    monkeypatch: pytest.MonkeyPatch,
    paper_config: MakeConfig,
    longest: int,
    size_hw: tuple[int, int],
    expected: tuple[int, int],
):
    config = paper_config(f"evaluation.longest_side={longest}")

    _, size = network_clicks(monkeypatch, config, size_hw, [Click(0, 0)])

    assert size == expected


def test_clicks_move_to_the_network_frame_by_the_rule_of_pixel_centres(
    monkeypatch: pytest.MonkeyPatch, paper_config: MakeConfig
):
    config = paper_config("evaluation.longest_side=64")
    clicks = [Click(50, 20), Click(127, 95, positive=False), Click(0, 0)]

    moved, size = network_clicks(monkeypatch, config, (96, 128), clicks)

    assert size == (48, 64)  # half
    assert moved == [
        Click(24.75, 9.75),  # (50 + 0.5) / 2 - 0.5
        Click(63.0, 47.0, positive=False),  # 63.25 and 47.25 lie outside
        Click(0.0, 0.0),  # -0.25 lies outside
    ]


@pytest.mark.parametrize("longest", [0, 64])
@pytest.mark.parametrize("xy", [(0, 0), (127, 95), (60, 10), (5, 90)])
def test_a_mask_lies_where_its_click_was_in_the_image(
    paper_config: MakeConfig, longest: int, xy: tuple[int, int]
):
    config = paper_config(f"evaluation.longest_side={longest}")
    x, y = xy
    conversation = pointing_segmenter(config).start(grey(96, 128))

    positive = conversation.answer([Click(x, y)]).candidates
    negative = conversation.answer([Click(x, y, positive=False)]).candidates

    rows, columns = np.nonzero(positive[0])
    cell = 4 * (1 if longest == 0 else 2)  # in pixels of the image
    assert positive[0][y, x]
    assert np.hypot(rows - y, columns - x).max() < 2 * cell
    assert len(rows) <= (2 * cell) ** 2
    assert not positive[1:].any()
    assert np.array_equal(negative[1], positive[0])
    assert not negative[[0, 2]].any()
