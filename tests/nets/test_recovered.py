"""Weights read back from the graphs of a bundle."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from latentcut.core.bundle import default_bundle_path, read_bundle
from latentcut.core.guidance import NUM_GUIDANCE
from latentcut.errors import BundleBroken
from latentcut.nets.decoder import MoreBlocks
from latentcut.nets.export import export_graphs, largest_difference
from latentcut.nets.model import ClickModel
from latentcut.nets.recovered import (
    graph_weights,
    measure_norms,
    module_name,
    norms_after_convolutions,
    recover_weights,
)
from latentcut.training.config import config_from_dict
from latentcut.training.loop import build_model

SMALL = {"trunk": 16, "head": 8, "detail": 8, "embedding": 8, "dilations": (1, 2)}
GROWN = {"semantics": 12, "context_blocks": 1, "changes": True, "more": MoreBlocks(1, (2,), 1, 1)}


def inputs(number: int = 4, size: int = 64) -> tuple[Tensor, ...]:
    image = torch.rand(number, 3, size, size) * 255
    guidance = torch.rand(number, NUM_GUIDANCE, size // 4, size // 4)
    return (
        image,
        guidance,
        torch.zeros(number, 1, dtype=torch.int64),
        torch.ones(number, 1),
    )


torch.manual_seed(0)
VALUES = inputs()


def used_model() -> ClickModel:
    """A small model whose weights and statistics are no defaults."""
    torch.manual_seed(0)
    model = ClickModel(**SMALL, **GROWN)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    model.train()
    with torch.no_grad():
        for _ in range(60):
            model(*VALUES)
    return model.eval()


@pytest.mark.parametrize(
    ("node", "module"),
    [
        ("/encoder/merge/merge.0/Conv", "encoder.merge.0"),
        ("/decoder/trunk/trunk.3/step/step.0/Conv", "decoder.trunk.3.step.0"),
        ("/scorer/mix/MatMul", "scorer.mix"),
    ],
)
def test_a_node_bears_the_name_of_its_module(node, module):
    assert module_name(node) == module


def test_a_model_with_recovered_weights_answers_as_the_bundle_does():
    graphs = export_graphs(used_model())
    torch.manual_seed(1)
    other = ClickModel(**SMALL, **GROWN).eval()

    folded = recover_weights(*graphs, other)

    assert folded == [name for name, _ in norms_after_convolutions(other)]
    assert largest_difference(other, *graphs) <= 1e-4


def test_measured_norms_leave_every_answer_as_it_is():
    graphs = export_graphs(used_model())
    model = ClickModel(**SMALL, **GROWN)
    folded = recover_weights(*graphs, model)

    measure_norms(model, folded, lambda: model(*inputs()) and None)

    assert largest_difference(model, *graphs) <= 1e-4
    rows = model.encoder.merge[0].weight.flatten(1).norm(dim=1)
    torch.testing.assert_close(rows, torch.ones_like(rows))


def test_a_step_of_training_then_sees_the_network_that_made_the_bundle():
    model = used_model()
    recovered, unmeasured = ClickModel(**SMALL, **GROWN), ClickModel(**SMALL, **GROWN)
    folded = recover_weights(*export_graphs(model), recovered)
    recover_weights(*export_graphs(model), unmeasured)
    measure_norms(recovered, folded, lambda: recovered(*VALUES) and None)

    logits, others = (m.train()(*VALUES).decoded.logits for m in (recovered, unmeasured))

    expected = model.train()(*VALUES).decoded.logits
    error = (logits - expected).abs().mean()
    assert error < 0.05 * expected.std()
    assert error < 0.2 * (others - expected).abs().mean()  # why they are measured


def test_parts_that_a_bundle_lacks_stay_as_they_are():
    torch.manual_seed(0)
    small = ClickModel(**SMALL).eval()
    grown = ClickModel(**SMALL, **GROWN).eval()
    before = {k: v.clone() for k, v in grown.state_dict().items()}

    recover_weights(*export_graphs(small), grown, ("encoder.context", "scorer.", "decoder.", "enc"))

    after = grown.state_dict()
    for name, expected in (
        ("decoder.head_more.0.out.weight", before),
        ("encoder.to_trunk.weight", small.state_dict()),
    ):
        assert torch.equal(after[name], expected[name])


def test_a_part_that_is_missing_is_named():
    graphs = export_graphs(ClickModel(**SMALL).eval())

    with pytest.raises(BundleBroken) as caught:
        recover_weights(*graphs, ClickModel(**SMALL, **GROWN))

    assert str(caught.value).startswith("the bundle has no encoder.context.0.place.weight, which")


def test_another_width_is_named():
    graphs = export_graphs(ClickModel(**SMALL).eval())

    with pytest.raises(BundleBroken) as caught:
        recover_weights(*graphs, ClickModel(**(SMALL | {"head": 16})))

    assert "has shape (16, 32, 1, 1) in the model" in str(caught.value)


def test_the_bundle_inside_the_package_can_be_trained_on():
    bundle = read_bundle(default_bundle_path())
    config = config_from_dict(bundle.info.provenance["config"])
    model = build_model(config.model).eval()

    recover_weights(bundle.encoder, bundle.decoder, model)

    assert largest_difference(model, bundle.encoder, bundle.decoder) <= 1e-4
    assert set(graph_weights(bundle.encoder, bundle.decoder)) <= {
        *model.state_dict(),
        *(f"{name.rpartition('.')[0]}.0.bias" for name, _ in norms_after_convolutions(model)),
    }
