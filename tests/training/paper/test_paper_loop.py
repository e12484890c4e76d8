from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from paper_runs import OF_TIME, changed, log_of, part, tensors

from latentcut.errors import BadConfig
from latentcut.training.checkpoint import read_facts
from latentcut.training.paper.config import PaperConfig, PaperTrainConfig
from latentcut.training.paper.loop import build_paper_model, rate_of, stage_of, train_paper

MakeConfig = Callable[..., PaperConfig]
FIGURES_OF_F = {"step", "stage", "iou_best", "iou_first", "click", "loss"}
FIGURES_OF_G = {"step", "stage", "iou_best", "iou_selected", "loss"}


# ---------------------------------------------------------------- one run


def test_a_run_leaves_a_checkpoint_of_both_networks_and_says_what_it_is(
    whole_run: Path, paper_config: MakeConfig
):
    facts = read_facts(whole_run / "checkpoint.safetensors")

    model = build_paper_model(paper_config())
    assert {n.removeprefix("model.") for n in part(tensors(whole_run), "model.")} == set(
        model.state_dict()
    )
    assert (facts["family"], facts["stage"], facts["step"]) == ("paper", "g", 8)
    assert facts["config"]["model"]["dilations"] == [1, 2]
    assert sorted(path.name for path in whole_run.iterdir()) == [
        "checkpoint.safetensors",
        "log.jsonl",
    ]


def test_the_log_has_a_line_per_step_with_the_figures_of_its_stage(whole_run: Path):
    lines = log_of(whole_run)

    assert [line["step"] for line in lines] == list(range(1, 9))
    assert [line["stage"] for line in lines] == ["f"] * 4 + ["g"] * 4
    assert [set(line) - OF_TIME for line in lines] == [FIGURES_OF_F] * 4 + [FIGURES_OF_G] * 4
    for line in lines:
        numbers = [line[key] for key in set(line) - {"stage"}]
        assert torch.isfinite(torch.tensor(numbers, dtype=torch.float64)).all()
        assert 0 <= line["iou_best"] <= 1
        assert 0 <= line["waiting_share"] <= 1


def test_the_log_counts_two_pairs_for_every_image(whole_run: Path):
    for line in log_of(whole_run):
        speeds = [float(line[key]) for key in ("images_per_second", "pairs_per_second")]
        assert speeds[0] > 0
        assert speeds[1] == pytest.approx(2 * speeds[0], rel=1e-4)


def test_first_f_is_trained_alone_and_then_g_alone(
    paper_config: MakeConfig,
    shapes_root: Path,
    tmp_path: Path,
    stop_after: Callable[[int], None],
    whole_run: Path,
):
    config = paper_config()
    torch.manual_seed(config.train.seed)
    start = {f"model.{k}": v.clone() for k, v in build_paper_model(config).state_dict().items()}
    stop_after(4)

    train_paper(config, shapes_root, None, tmp_path / "run")

    middle, end = tensors(tmp_path / "run"), tensors(whole_run)
    assert len(changed(start, middle, "model.f.")) == len(part(start, "model.f."))
    assert changed(start, middle, "model.g.") == []
    assert changed(middle, end, "model.f.") == []  # running statistics neither
    assert len(changed(middle, end, "model.g.")) == len(part(start, "model.g."))


def test_training_lowers_the_loss_of_f_and_then_of_g(
    paper_config: MakeConfig, shapes_root: Path, tmp_path: Path
):
    config = paper_config(
        "train.f_steps=120",
        "train.g_steps=80",
        "model.width=8",
        "loss.selection=expected_iou",
    )

    train_paper(config, shapes_root, None, tmp_path / "run")

    for stage in ("f", "g"):
        losses = [line["loss"] for line in log_of(tmp_path / "run") if line["stage"] == stage]
        assert sum(losses[-20:]) < 0.8 * sum(losses[:20])


@pytest.mark.parametrize(
    "override",
    [
        "model.selection=pooled",
        "model.output=tanh",
        "model.click_maps=gaussians",
        "train.bf16=true",
        "train.accumulate=2",
        "loss.selection=expected_iou",
    ],
)
def test_the_named_options_train_too(
    paper_config: MakeConfig, shapes_root: Path, tmp_path: Path, override: str
):
    config = paper_config(override, "train.f_steps=1", "train.g_steps=1")

    train_paper(config, shapes_root, None, tmp_path / "run")

    losses = torch.tensor([float(line["loss"]) for line in log_of(tmp_path / "run")])
    assert losses.shape == (2,)
    assert torch.isfinite(losses).all()


def test_whole_images_train_too(paper_config: MakeConfig, shapes_root: Path, tmp_path: Path):
    config = paper_config(
        "data.source=whole", "data.images_per_step=[1]", "train.f_steps=1", "train.g_steps=1"
    )

    train_paper(config, shapes_root, None, tmp_path / "run")

    losses = torch.tensor([float(line["loss"]) for line in log_of(tmp_path / "run")])
    assert losses.shape == (2,)
    assert torch.isfinite(losses).all()


def test_whole_images_make_no_batch(paper_config: MakeConfig, shapes_root: Path, tmp_path: Path):
    config = paper_config("data.source=whole", "data.images_per_step=[2]")

    with pytest.raises(BadConfig) as caught:
        train_paper(config, shapes_root, None, tmp_path / "run")

    assert str(caught.value) == (
        "data.source = 'whole': images of different sizes make no batch, so each process takes "
        "one; data.images_per_step must be [1], the number of processes, given [2]"
    )


def test_fewer_lines_hold_means_of_the_steps_since_the_last_one(
    paper_config: MakeConfig, shapes_root: Path, tmp_path: Path, whole_run: Path
):
    train_paper(paper_config("train.log_every=3"), shapes_root, None, tmp_path / "run")

    lines, every = log_of(tmp_path / "run"), log_of(whole_run)
    assert [(line["step"], line["stage"]) for line in lines] == [
        (1, "f"),
        (3, "f"),
        (4, "f"),  # f is complete
        (6, "g"),
        (8, "g"),  # the end
    ]
    for line, steps in zip(lines, ([0], [1, 2], [3], [4, 5], [6, 7]), strict=True):
        mean = sum(float(every[i]["loss"]) for i in steps) / len(steps)
        assert line["loss"] == pytest.approx(mean, abs=2e-5)


# ---------------------------------------------------------------- schedule


def test_steps_belong_to_f_first_and_then_to_g():
    schedule = PaperTrainConfig(f_steps=3, g_steps=2)

    stages = [stage_of(step, schedule) for step in range(5)]

    assert stages == [("f", 0, 3), ("f", 1, 3), ("f", 2, 3), ("g", 0, 2), ("g", 1, 2)]


def test_the_learning_rate_of_the_paper_is_constant():
    rates = {rate_of(place, 100, PaperTrainConfig()) for place in (0, 1, 50, 99)}

    assert rates == {1e-4}


def test_each_stage_may_warm_up_and_fall_on_a_cosine():
    schedule = PaperTrainConfig(learning_rate=2.0, warmup_steps=10, final_rate=0.1)

    rates = [rate_of(place, 110, schedule) for place in (0, 9, 10, 60, 110)]

    assert rates == pytest.approx([0.2, 2.0, 2.0, 1.1, 0.2])
