"""The tag that answers are drawn with."""

from __future__ import annotations

import pytest

from latentcut.errors import PromptUnusable
from latentcut.integrations.label_studio.tags import OutputTag, output_tag

IMAGE = '<Image name="image" value="$photo"/>'
CLICKS = (
    '<KeyPointLabels name="click" toName="image" smart="true"><Label value="Cat"/></KeyPointLabels>'
)


def view(*tags: str) -> str:
    return f"<View>{IMAGE}{CLICKS}{''.join(tags)}</View>"


def labels(kind: str, name: str) -> str:
    return f'<{kind} name="{name}" toName="image"><Label value="Cat"/><Label value="Dog"/></{kind}>'


@pytest.mark.parametrize(
    ("tags", "kind", "name"),
    [
        (["BrushLabels"], "brushlabels", "BrushLabels"),
        (["RectangleLabels", "BrushLabels"], "brushlabels", "BrushLabels"),
        (["BrushLabels", "BitmaskLabels"], "bitmasklabels", "BitmaskLabels"),
        (["RectangleLabels", "PolygonLabels"], "polygonlabels", "PolygonLabels"),
        (["RectangleLabels"], "rectanglelabels", "RectangleLabels"),
    ],
)
def test_the_tag_that_keeps_most_of_a_mask_is_taken(tags, kind, name):
    config = view(*(labels(tag, tag) for tag in tags))

    found = output_tag(config)

    assert found == OutputTag(kind, name, "image", "photo", ("Cat", "Dog"))


@pytest.mark.parametrize(
    ("labels", "label", "expected"),
    [
        (("Cat", "Dog"), "Dog", ["Dog"]),
        (("Cat", "Dog"), "Cow", []),
        (("Cat", "Dog"), None, []),
        (("Cat",), "Cow", ["Cat"]),
        ((), "Cow", ["Cow"]),
    ],
)
def test_a_region_gets_no_label_that_its_tag_does_not_have(labels, label, expected):
    tag = OutputTag("brushlabels", "tag", "image", "photo", labels)

    chosen = tag.labels_for(label)

    assert chosen == expected


def test_an_alias_stands_for_a_label():
    label = '<Label value="Domestic cat" alias="cat"/>'
    config = view(f'<BrushLabels name="tag" toName="image">{label}</BrushLabels>')

    found = output_tag(config)

    assert found.labels == ("cat",)


NO_TAG = (
    "it has an Image with none of BitmaskLabels, BrushLabels, PolygonLabels, RectangleLabels: "
    "add one of them"
)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><View>&b;</View>'


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("", "it is no XML"),
        ("<View>", "it is no XML"),
        (view(), NO_TAG),
        (view().replace("Image", "Text"), NO_TAG),
        (view('<BrushLabels name="tag" toName="other"/>'), NO_TAG),
        (BOMB, "it declares a document type"),
        (" " * 1_000_001, "it has more than 1,000,000 characters"),
    ],
)
def test_a_configuration_without_a_tag_for_answers_is_refused(config, reason):
    with pytest.raises(PromptUnusable) as caught:
        output_tag(config)

    assert str(caught.value) == f"the labelling configuration cannot be used: {reason}"
