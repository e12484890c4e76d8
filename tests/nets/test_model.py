from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from latentcut.core.guidance import NUM_GUIDANCE
from latentcut.errors import CheckpointBroken
from latentcut.nets.decoder import click_similarity
from latentcut.nets.encoder import MobileNetV2, SameConv
from latentcut.nets.model import ClickModel, repeat_features
from latentcut.nets.pretrained import load_backbone
from latentcut.nets.scorer import mask_scalars, pool


@pytest.fixture(scope="module")
def model() -> ClickModel:
    torch.manual_seed(0)
    return ClickModel().eval()


def decode_inputs(num_pairs: int, size: int, num_clicks: int = 2):
    guidance = torch.rand(num_pairs, NUM_GUIDANCE, size // 4, size // 4)
    index = torch.randint(0, (size // 8) ** 2, (num_pairs, num_clicks))
    sign = torch.tensor([1.0, -1.0]).repeat(num_pairs, 1)[:, :num_clicks]
    return guidance, index, sign


def test_the_practical_model_is_small_enough_for_a_twelve_megabyte_bundle(model):
    num_parameters = sum(p.numel() for p in model.parameters())

    assert num_parameters * 4 < 12_000_000


def test_features_have_the_documented_strides(model):
    features = model.encode(torch.rand(1, 3, 64, 96) * 255)

    assert [tuple(f.shape) for f in features] == [
        (1, 80, 8, 12),
        (1, 32, 8, 12),
        (1, 48, 16, 24),
        (1, 16, 32, 48),
    ]


def test_embeddings_have_unit_length(model):
    features = model.encode(torch.rand(1, 3, 64, 64) * 255)

    lengths = features.embedding.norm(dim=1)

    torch.testing.assert_close(lengths, torch.ones_like(lengths), atol=1e-3, rtol=0)


def test_decoding_gives_logits_at_half_size_and_a_score_per_candidate(model):
    features = repeat_features(model.encode(torch.rand(2, 3, 64, 64) * 255), 3)

    answer = model.decode(features, *decode_inputs(6, 64))

    assert answer.decoded.logits.shape == (6, 6, 32, 32)
    assert answer.scores.shape == (6, 6)


def test_the_loss_of_g_never_changes_f(model):
    features = model.encode(torch.rand(1, 3, 64, 64) * 255)
    answer = model.decode(features, *decode_inputs(1, 64))

    answer.scores.sum().backward()

    assert all(p.grad is None for p in model.decoder.parameters())
    assert all(p.grad is None for p in model.encoder.parameters())
    assert any(p.grad is not None for p in model.scorer.parameters())


def test_the_refinement_starts_as_no_correction():
    fresh = ClickModel()

    assert fresh.decoder.to_correction.weight.abs().sum().item() == 0.0


def test_similarity_is_largest_and_mean_cosine_to_the_clicks_of_each_sign():
    # three cells with embeddings e0 = (1, 0), e1 = (0, 1), e2 = (0.6, 0.8)
    embedding = torch.tensor([[[[1.0, 0.0, 0.6]], [[0.0, 1.0, 0.8]]]])
    index, sign = torch.tensor([[0, 1, 2]]), torch.tensor([[1.0, 1.0, -1.0]])

    maps = click_similarity(embedding, index, sign)

    expected = torch.tensor(
        [
            [
                [[1.0, 1.0, 0.8]],  # best of the clicks on cells 0 and 1
                [[0.5, 0.5, 0.7]],  # their mean: (0.6 + 0.8) / 2 at cell 2
                [[0.6, 0.8, 1.0]],  # the negative click on cell 2
                [[0.6, 0.8, 1.0]],
            ]
        ]
    )
    torch.testing.assert_close(maps, expected)


def test_similarity_is_zero_for_a_sign_without_clicks_and_padding_counts_for_none():
    embedding = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])
    index, sign = torch.tensor([[0, 0]]), torch.tensor([[-1.0, 0.0]])

    maps = click_similarity(embedding, index, sign)

    assert maps[0, :, 0].tolist() == [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]


def test_same_padding_adds_to_the_bottom_and_right_only_at_stride_two():
    conv = SameConv(1, 1, 3, stride=2, padding=0, bias=False)
    conv.weight.data = torch.zeros(1, 1, 3, 3)
    conv.weight.data[0, 0, 0, 0] = 1.0  # reads the top-left pixel of its window
    image = torch.arange(16.0).view(1, 1, 4, 4)

    output = conv(image)

    assert output.tolist() == [[[[0.0, 2.0], [8.0, 10.0]]]]


def test_pool_weighs_every_channel_by_the_candidate():
    maps = torch.tensor([[[[1.0, 3.0]]]])  # one channel, two pixels
    weights = torch.tensor([[[[0.0, 1.0]]]])

    pooled = pool(maps, weights)

    assert pooled.item() == 1.5  # 3 * 1 / (1 + 1): the 1 keeps empty masks finite


def test_mask_scalars_of_equal_candidates_overlap_fully_and_obey_the_discs():
    probs = torch.ones(1, 2, 8, 8)
    guidance = torch.zeros(1, NUM_GUIDANCE, 8, 8)
    guidance[0, 2, 0, 0] = guidance[0, 5, 7, 7] = 1.0

    scalars = mask_scalars(probs, guidance)

    assert scalars.shape == (1, 2, 10)
    assert scalars[0, 0, 0].item() == 1.0  # area
    assert scalars[0, 0, 4].item() == pytest.approx(64 / 65)  # IoU with the other, + 1 below
    assert scalars[0, 0, 6:8].tolist() == [1.0, 1.0]  # holds the positive and the negative disc


def test_backbone_weights_load_in_order_of_execution(tmp_path: Path):
    source, target = MobileNetV2(), MobileNetV2()
    convs = [m for m in source.modules() if isinstance(m, SameConv)]
    tensors = {}
    for number, conv in enumerate(convs):
        tensors[f"features.{number:02d}.weight"] = conv.weight.detach().half()
        tensors[f"features.{number:02d}.bias"] = conv.bias.detach()
    save_file(tensors, tmp_path / "backbone.safetensors")

    load_backbone(target, tmp_path / "backbone.safetensors")

    assert len(convs) == 51
    torch.testing.assert_close(target.stem.weight, source.stem.weight.half().float())
    torch.testing.assert_close(
        target.stages[6][0].convs[2].weight, source.stages[6][0].convs[2].weight.half().float()
    )


def test_a_backbone_of_another_shape_is_refused(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    save_file({"features.00.weight": torch.zeros(8, 3, 3, 3)}, path)

    with pytest.raises(CheckpointBroken) as caught:
        load_backbone(MobileNetV2(), path)

    assert str(caught.value) == (
        f"{path}: features.00.weight should have shape (32, 3, 3, 3), found (8, 3, 3, 3); "
        "the file must hold a MobileNetV2 1.0 with folded batch normalisation"
    )
