from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from latentcut.nets.paper.context import (
    PAPER_DILATIONS,
    AdaptiveNorm,
    Context,
    FirstLayer,
    receptive_field,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


# ---------------------------------------------------------------- adaptive normalisation


@pytest.mark.parametrize("training", [True, False])
def test_adaptive_normalisation_starts_as_the_identity(training):
    norm = AdaptiveNorm(3).train(training)
    x = torch.randn(2, 3, 4, 5) * 7 + 2

    y = norm(x)

    assert y.tolist() == x.tolist()


def test_adaptive_normalisation_weighs_the_input_and_its_normalised_form():
    norm = AdaptiveNorm(1).train()
    norm.w0.data.fill_(2.0)
    norm.w1.data.fill_(3.0)
    x = torch.tensor([-1.0, 1.0]).reshape(1, 1, 1, 2) + 5.0  # mean 5, variance 1

    y = norm(x)

    assert y.flatten().tolist() == pytest.approx([2 * 4 - 3, 2 * 6 + 3], abs=1e-4)


def test_both_weights_of_an_adaptive_normalisation_are_learned_scalars():
    norm = AdaptiveNorm(2).train()

    (norm(torch.randn(1, 2, 3, 3)) ** 2).sum().backward()

    assert (norm.w0.shape, norm.w1.shape) == ((), ())
    assert norm.w0.grad.item() != 0
    assert norm.w1.grad.item() != 0


# ---------------------------------------------------------------- trunk


def test_the_trunk_starts_as_the_identity_on_positive_values():
    context = Context(4).eval()
    x = torch.rand(1, 4, 9, 11)

    y = context(x)

    assert y.tolist() == x.tolist()


def test_each_of_ten_leaky_relus_keeps_a_fifth_of_what_is_negative():
    context = Context(1).eval()

    y = context(torch.full((1, 1, 3, 3), -1.0))

    assert len(context.convs) == 9
    assert y.flatten().tolist() == pytest.approx([-(0.2**10)] * 9, rel=1e-5)


def test_the_convolutions_have_the_dilations_of_the_paper_and_no_bias():
    context = Context(2)

    found = [(conv.kernel_size, conv.dilation, conv.padding, conv.bias) for conv in context.convs]

    expected = [((3, 3), (d, d), (d, d), None) for d in (1, 2, 4, 8, 16, 32, 64, 128, 1)]
    assert found == expected


def test_one_output_pixel_of_the_paper_sees_a_square_of_513_px():
    context = Context(1, PAPER_DILATIONS).eval()
    for conv in context.convs:
        conv.weight.data.fill_(1.0)  # nothing cancels
    side, middle = 517, 258
    x = torch.ones(1, 1, side, side, requires_grad=True)

    context(x)[0, 0, middle, middle].backward()

    seen = torch.zeros(side, side, dtype=torch.bool)
    seen[middle - 256 : middle + 257, middle - 256 : middle + 257] = True
    assert torch.equal(x.grad[0, 0] > 0, seen)
    assert receptive_field(PAPER_DILATIONS) == 513


def test_the_receptive_field_grows_by_twice_each_dilation():
    fields = [receptive_field(d) for d in ((), (1,), (1, 2), (1, 2, 4, 8, 16, 32, 1))]

    assert fields == [1, 3, 7, 129]


# ---------------------------------------------------------------- first layer


def test_the_folded_first_layer_is_one_1x1_convolution_of_everything_joined():
    first = FirstLayer((5, 7, 2), num_maps=4, width=6)
    image, maps = torch.rand(2, 3, 16, 24), torch.rand(2, 4, 16, 24)
    taps = [torch.rand(2, 5, 16, 24), torch.rand(2, 7, 8, 12), torch.rand(2, 2, 3, 5)]

    folded = first.of_image(image, taps) + first.of_maps(maps)

    resized = [F.interpolate(tap, (16, 24), mode="bilinear") for tap in taps]
    joined = torch.cat([image, maps, *resized], dim=1)
    assert joined.shape[1] == 3 + 4 + 5 + 7 + 2
    torch.testing.assert_close(folded, F.conv2d(joined, first.conv.weight), rtol=0, atol=1e-5)


def test_features_finer_than_the_trunk_are_folded_likewise():
    first = FirstLayer((3,), num_maps=4, width=2)
    image, tap = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 16, 16)

    folded = first.of_image(image, [tap])

    joined = torch.cat([image, F.interpolate(tap, (4, 4), mode="bilinear")], dim=1)
    weight = torch.cat([first.conv.weight[:, :3], first.conv.weight[:, 7:]], dim=1)
    torch.testing.assert_close(folded, F.conv2d(joined, weight), rtol=0, atol=1e-5)


def test_a_feature_map_too_many_is_an_error_and_not_left_out():
    first = FirstLayer((3,), num_maps=4, width=2)
    tap = torch.rand(1, 3, 4, 4)

    with pytest.raises(ValueError) as caught:
        first.of_image(torch.rand(1, 3, 4, 4), [tap, tap])

    assert str(caught.value) == "zip() argument 2 is shorter than argument 1"
