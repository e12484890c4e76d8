"""
Prompts as a COCO file holds them: what its annotations say about where objects are.

Of an annotation the most exact is taken: what we wrote into its attributes, else its key points
with its segmentation as a mask to start from, else its key points with its box.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import ValidationError

from latentcut.annotation.records import Label
from latentcut.batch.prompt_json import ShownEntry, first_reason
from latentcut.batch.prompts import Gathering, Prompt, PromptSet
from latentcut.core.clicks import Click, Clicks
from latentcut.core.masks import CocoRle
from latentcut.errors import BadAnnotationFile
from latentcut.formats.coco import OURS
from latentcut.formats.coco_polygons import runs_of_polygon, work_px
from latentcut.formats.json_input import Source
from latentcut.formats.runs import checked_size_hw, rle_of_runs, runs_of_rle, union

HOW_SHOWN = ("clicks", "box", "scribbles")

JsonObject = dict[str, Any]


def prompts_of_coco(source: Source, document: JsonObject, gathering: Gathering) -> PromptSet:
    """
    Prompts of a COCO file.

    Args:
        source: The file, for messages and limits.
        document: Its content.
        gathering: Takes what it says.

    Raises:
        BadAnnotationFile: A list is missing or holds something else than objects.
    """
    labels, names = _labels(source, document)
    images: dict[Any, tuple[str, JsonObject]] = {}
    for entry in source.objects(document, "images", "a COCO file"):
        file_name = entry.get("file_name")
        if not isinstance(file_name, str) or not isinstance(entry.get("id"), int | str):
            gathering.refuse(str(file_name or "images"), None, "it needs an id and a file_name")
            continue
        path = gathering.image(file_name, entry["id"] if type(entry["id"]) is int else 0)
        if path is not None:
            images[entry["id"]] = path, entry
    for number, entry in enumerate(source.objects(document, "annotations", "a COCO file")):
        key = entry.get("image_id")
        if not isinstance(key, int | str) or key not in images:
            gathering.refuse("", None, f"annotations[{number}]: its image is not in the file")
            continue
        path, image = images[key]
        ours = _ours(entry)
        name = gathering.name(path, str(ours.get("name") or ""))  # names of the page may repeat
        try:
            facts = _shown(source, entry, ours, image)
        except ValidationError as error:
            gathering.refuse(path, name, f"attributes.{OURS}.{first_reason(error)}")
        except BadAnnotationFile as error:  # its place is known already
            gathering.refuse(path, name, str(error).partition(" cannot be imported: ")[2])
        except ValueError as error:  # BadMask as well
            gathering.refuse(path, name, str(error))
        else:
            has_id = type(entry.get("id")) is int
            label = names.get(_hashable(entry.get("category_id")))
            prompt = Prompt(name, label, entry["id"] if has_id else 0, **facts)
            gathering.prompt(path, prompt)
    return gathering.all(labels)


def _labels(source: Source, document: JsonObject) -> tuple[tuple[Label, ...], dict[Any, str]]:
    labels, names = dict[str, Label](), dict[Any, str]()
    if "categories" not in document:
        return (), names
    for number, entry in enumerate(source.objects(document, "categories", "a COCO file"), start=1):
        name, key = entry.get("name"), _hashable(entry.get("id"))
        if isinstance(name, str) and name and key is not None:
            names[key] = name[:200]
            labels.setdefault(
                name[:200], Label(id=key if type(key) is int else number, name=name[:200])
            )
    return tuple(labels.values()), names


def _hashable(key: Any) -> int | str | None:
    return key if isinstance(key, int | str) else None


def _ours(entry: JsonObject) -> JsonObject:
    """What we wrote into an annotation; of the page's objects made in one round, its clicks."""
    attributes = entry.get("attributes")
    ours = attributes.get(OURS) if isinstance(attributes, dict) else None
    if not isinstance(ours, dict):
        return {}
    parts = ours.get("parts")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict):
        return {"name": ours.get("name"), **{key: parts[0].get(key) for key in HOW_SHOWN}}
    return ours


def _shown(source: Source, entry: JsonObject, ours: JsonObject, image: JsonObject) -> JsonObject:
    """
    Arguments of a prompt.

    Raises:
        ValidationError, BadMask, BadAnnotationFile, ValueError: They cannot be understood.
    """
    given = {key: ours[key] for key in HOW_SHOWN if ours.get(key)}
    if given:
        return ShownEntry.model_validate(given).facts()
    clicks = _key_points(entry)
    previous = _segmentation(source, entry, image)
    if previous is not None:
        return {"clicks": clicks, "previous": previous}
    box = entry.get("bbox")
    if not box:
        return {"clicks": clicks}
    numbers = source.coordinates(box, "bbox")
    if len(numbers) != 4:
        raise ValueError("bbox must be x, y, width and height")
    x, y, width, height = (float(value) for value in numbers)
    # COCO counts from the corner of the first pixel, clicks from its centre
    return {"clicks": clicks, "box_xyxy": (x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5)}


def _key_points(entry: JsonObject) -> Clicks:
    """Key points that are there: x, y and how visible, 0 for not at all."""
    values = entry.get("keypoints") or []
    if not isinstance(values, list) or len(values) % 3:
        raise ValueError("keypoints must be a list of x, y and visibility")
    if not all(type(value) in (int, float) for value in values):
        raise ValueError("keypoints must hold numbers")
    triples = zip(values[0::3], values[1::3], values[2::3], strict=True)
    return tuple(Click(float(x), float(y)) for x, y, seen in triples if seen > 0)


def _segmentation(source: Source, entry: JsonObject, image: JsonObject) -> CocoRle | None:
    """The mask of an annotation in one form; None where it has none."""
    segmentation = entry.get("segmentation")
    if not segmentation:
        return None
    if isinstance(segmentation, dict):
        runs = runs_of_rle(segmentation)
        height, width = segmentation["size"]
        return rle_of_runs(runs, (height, width))
    size_hw = checked_size_hw([image.get("height"), image.get("width")])
    rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
    masks = []
    for ring in rings:
        numbers = source.coordinates(ring, "segmentation")
        if len(numbers) < 6 or len(numbers) % 2:
            raise ValueError("an outline needs three points or more, each with x and y")
        points_xy = np.reshape(numbers, (-1, 2))
        source.spend(work_px(points_xy, size_hw[1]))
        masks.append(runs_of_polygon(points_xy, size_hw))
    return rle_of_runs(union(masks), size_hw)
