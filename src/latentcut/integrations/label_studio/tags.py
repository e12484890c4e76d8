"""Which tag of a project's labelling configuration the answers belong to."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from latentcut.errors import PromptUnusable

MAX_CONFIG_CHARACTERS = 1_000_000
PART = "the labelling configuration"
KINDS = {  # the first that is there answers; what it is called in a result
    "BitmaskLabels": "bitmasklabels",
    "BrushLabels": "brushlabels",
    "PolygonLabels": "polygonlabels",
    "RectangleLabels": "rectanglelabels",
}


@dataclass(frozen=True)
class OutputTag:
    """
    A tag that answers are drawn with.

    Attributes:
        kind: Type of its regions: ``brushlabels``, ``bitmasklabels``, ``polygonlabels`` or
            ``rectanglelabels``.
        name: Of the tag; results call it ``from_name``.
        to_name: Of the image tag.
        key: Of the image in a task's data: ``image`` for ``value="$image"``.
        labels: What its regions may be called; empty: anything, they come with the task.
    """

    kind: str
    name: str
    to_name: str
    key: str
    labels: tuple[str, ...]

    def labels_for(self, label: str | None) -> list[str]:
        """The labels of a region whose click or box was called so; its only one where not."""
        if label is not None and (label in self.labels or not self.labels):
            return [label]
        return list(self.labels) if len(self.labels) == 1 else []


def output_tag(config: str) -> OutputTag:
    """
    The tag of a configuration that answers are drawn with.

    Of several kinds the one that keeps most of a mask is taken. Boxes that are marked
    ``smart="true"`` are for asking, and answer only where there is nothing else.

    Args:
        config: The XML of the project.

    Raises:
        PromptUnusable: It is no XML, or has no such tag for an image.
    """
    root = _parsed(config)
    images = {
        image.get("name", ""): image.get("value", "")[1:]
        for image in root.iter("Image")
        if image.get("value", "").startswith("$")
    }
    tags = [tag for kind in KINDS for tag in root.iter(kind) if tag.get("toName") in images]
    if not tags:
        kinds = ", ".join(KINDS)
        raise PromptUnusable(PART, f"it has an Image with none of {kinds}: add one of them")
    tag = tags[0]
    to_name = tag.get("toName", "")
    # a label may have an alias, which results hold in the place of its value
    labels = tuple(label.get("alias") or label.get("value") or "" for label in tag.iter("Label"))
    return OutputTag(KINDS[tag.tag], tag.get("name", ""), to_name, images[to_name], labels)


def _parsed(config: str) -> ET.Element:
    if len(config) > MAX_CONFIG_CHARACTERS:
        raise PromptUnusable(PART, f"it has more than {MAX_CONFIG_CHARACTERS:,} characters")
    if "<!" in config.replace("<!--", ""):  # entities that grow; configurations need none
        raise PromptUnusable(PART, "it declares a document type")
    try:
        return ET.fromstring(config)
    except ET.ParseError as error:
        raise PromptUnusable(PART, "it is no XML") from error
