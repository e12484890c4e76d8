"""
labelme: one JSON file per image.

An object is written as polygons through the centres of its border pixels where labelme, which
draws with Pillow, turns them back into the same pixels; this is tried for every object. Where
it does not, and where there is a hole, the object is a mask shape, which loses nothing.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from latentcut.core.masks import has_holes, mask_to_polygons_centres
from latentcut.errors import BadMask, LatentcutError
from latentcut.formats.json_input import Source, cut_name, kind_of
from latentcut.formats.names import Stems, json_bytes
from latentcut.formats.pictures import copy_of, path_in, png_of
from latentcut.formats.png_input import read_indices
from latentcut.formats.records import (
    AnnotatedImage,
    AnnotatedObject,
    AnnotationSet,
    ExportedFile,
    Job,
    Notes,
    Outlook,
    images_as_set,
)
from latentcut.formats.runs import (
    Runs,
    checked_size_hw,
    no_runs,
    rle_of_runs,
    runs_of_crop,
    runs_of_rle,
    union,
)

FOLDER = "annotations"
VERSION = "7.1.0"  # of labelme, whose format this is
OURS = "latentcut"  # key of what only we know, in the first shape of an object
READ_BY_LABELME = ("PNG", "JPEG")

BoolArray = NDArray[np.bool_]
JsonObject = dict[str, Any]
SHAPE_KEYS = {"label", "points", "group_id", "description", "shape_type", "mask", OURS}
MAX_POLYGONS = 50  # parts of one object; with more of them nobody edits vertices
# points of each type; labelme's other types are lines and points, which cover no area
NUM_POINTS = {"polygon": None, "rectangle": 2, "circle": 2, "oriented_rectangle": 4, "mask": 2}


def labelme_files(job: Job) -> Iterator[ExportedFile]:
    """One JSON file per image, in the folder annotations; paths of images are relative to it."""
    stems = Stems()
    for image in job.annotations.read_images():
        path = f"{FOLDER}/{job.stem_of(image, stems)}.json"
        shapes = []
        groups = [o.extra["group_id"] for o in image.objects if o.extra.get("group_id")]
        for number, (record, outlook) in enumerate(job.objects(image), max(groups, default=0) + 1):
            shapes += _shapes(job, image, record, outlook, number)
        document: JsonObject = {"version": VERSION, "flags": {}, "shapes": shapes}
        document["imagePath"] = job.way_to(image, path)
        document["imageData"] = _embedded(job, image) if job.options.embed_images else None
        document |= {"imageHeight": image.height, "imageWidth": image.width}
        others = {key: value for key, value in image.extra.items() if key not in document}
        yield ExportedFile(path, json_bytes(document | others, indent=1))


def _shapes(
    job: Job, image: AnnotatedImage, record: AnnotatedObject, outlook: Outlook, number: int
) -> list[JsonObject]:
    """The shapes of one object; several have its number as their group."""
    mask, (x0, y0) = outlook.crop()
    forms: list[JsonObject] = []
    if not job.options.mask_shapes:
        forms = _polygons(mask, (x0, y0), image.size_hw)
        if not forms:
            job.notes.add(
                "objects that polygons cannot show exactly are mask shapes", image.place(record)
            )
    if not forms:
        bottom, right = y0 + mask.shape[0] - 1.0, x0 + mask.shape[1] - 1.0
        encoded = base64.b64encode(png_of(mask)).decode("ascii")
        corners = [[float(x0), float(y0)], [right, bottom]]
        forms = [{"points": corners, "shape_type": "mask", "mask": encoded}]
    group_id = record.extra.get("group_id") if len(forms) == 1 else number
    ours = {"position": record.position, **record.attributes}
    if record.id:
        ours["id"] = record.id
    if record.label is None:
        ours["label"] = None  # the one below is only a stand-in
    common = {"label": job.class_of(image, record), "group_id": group_id}
    common |= {"description": record.name, "flags": {}} | record.extra.get("shape", {})
    shapes = [{"mask": None, **form, **common} for form in forms]
    shapes[0][OURS] = ours
    return shapes


def _polygons(
    mask: BoolArray, corner_xy: tuple[int, int], size_hw: tuple[int, int]
) -> list[JsonObject]:
    """Polygons that are drawn as exactly this mask, if there are such and not too many."""
    outlines = [ring + np.array(corner_xy) for ring in mask_to_polygons_centres(mask)]
    if len(outlines) > MAX_POLYGONS or has_holes(mask):
        return []
    drawn = union(runs_of_shape("polygon", outline, size_hw) for outline in outlines)
    if not np.array_equal(drawn, runs_of_crop(mask, size_hw, corner_xy)):
        return []
    return [{"points": outline.tolist(), "shape_type": "polygon"} for outline in outlines]


def _embedded(job: Job, image: AnnotatedImage) -> str | None:
    try:
        path = path_in(job.annotations.folder, image.path)
        data, _, _ = copy_of(path, READ_BY_LABELME, "PNG")
    except LatentcutError:
        job.notes.add("images that cannot be read are not in their files", image.path)
        return None
    return base64.b64encode(data).decode("ascii")


def runs_of_shape(kind: str, points_xy: NDArray[np.float64], size_hw: tuple[int, int]) -> Runs:
    """
    Pixels that labelme fills for a shape.

    Args:
        kind: "polygon", "oriented_rectangle", "rectangle" (two corners) or "circle" (centre and
            a point on it).

        points_xy: (N, 2), float64, order (x, y), in pixels from the centre of the top-left
            pixel. They may lie outside of the image.

        size_hw: Height and width of the image, in pixels.

    Source:
        Pillow draws the shape with its outline; it cuts coordinates to whole numbers.
    """
    height, width = size_hw
    if kind == "circle":
        centre, radius = points_xy[0], math.dist(points_xy[0], points_xy[1])
        points_xy = np.stack([centre - radius, centre + radius])
    elif kind == "rectangle":
        points_xy = np.stack([points_xy.min(axis=0), points_xy.max(axis=0)])
    low = np.trunc(points_xy.min(axis=0)).clip(0).astype(int)
    high = np.minimum(np.trunc(points_xy.max(axis=0)) + 1, (width, height)).astype(int)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    if right <= left or bottom <= top:
        return no_runs()
    # not moved into a smaller canvas: where slanted lines end up depends on where they lie
    canvas = Image.new("L", (right, bottom))
    draw, points = ImageDraw.Draw(canvas), [(x, y) for x, y in points_xy.tolist()]
    if kind == "circle":
        draw.ellipse(points, outline=1, fill=1)
    elif kind == "rectangle":
        draw.rectangle(points, outline=1, fill=1)
    else:
        draw.polygon(points, outline=1, fill=1)
    drawn = np.asarray(canvas.crop((left, top, right, bottom))) > 0
    return runs_of_crop(drawn, size_hw, (left, top))


def read_labelme(name: str, data: bytes, notes: Notes) -> AnnotationSet:
    """
    Read a labelme file; every shape is checked before this returns.

    Shapes with one label and one group become one object. Lines and points cover no area and
    are left out.

    Args:
        name: Of the file, for messages.
        data: Its bytes.
        notes: Takes what is left out.

    Returns:
        One image, as `imagePath` names it. Keys that nobody here knows are kept as `extra`.

    Raises:
        BadAnnotationFile: It breaks the rules of the format or a limit.
    """
    source = Source(name, data)
    document = source.json_object()
    height = source.number(document.get("imageHeight"), "imageHeight")
    width = source.number(document.get("imageWidth"), "imageWidth")
    try:
        size_hw = checked_size_hw([height, width])
    except BadMask as error:
        source.refuse(str(error))
    groups: dict[object, list[tuple[JsonObject, Runs]]] = {}
    for index, shape in enumerate(source.objects(document, "shapes", "a labelme file")):
        what = f"shapes[{index}]"
        kind = source.text(shape.get("shape_type", "polygon"), f"{what}.shape_type")
        if kind not in NUM_POINTS:
            notes.add("shapes that cover no area are left out", f"{what} ({kind})")
            continue
        runs = _read_shape(source, shape, kind, what, size_hw)
        label = source.text(shape.get("label"), f"{what}.label")
        group = shape.get("group_id")
        if group is not None and type(group) is not int:
            source.refuse(f"{what}.group_id must be a whole number, found {kind_of(group)}")
        groups.setdefault(index if group is None else (label, group), []).append((shape, runs))
    objects = [
        _read_object(source, members, position, size_hw)
        for position, members in enumerate(groups.values())
    ]
    known = {"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
    image = AnnotatedImage(
        path=source.text(document.get("imagePath"), "imagePath").replace("\\", "/"),
        width=width,
        height=height,
        objects=tuple(objects),
        extra={key: value for key, value in document.items() if key not in known},
    )
    return images_as_set([image])


def _read_shape(
    source: Source, shape: JsonObject, kind: str, what: str, size_hw: tuple[int, int]
) -> Runs:
    points = shape.get("points")
    if not isinstance(points, list):
        source.refuse(f"{what}.points must be a list, found {kind_of(points)}")
    num_points = NUM_POINTS[kind]
    if len(points) < 3 if num_points is None else len(points) != num_points:
        wanted = "at least 3" if num_points is None else str(num_points)
        source.refuse(f"{what} is a {kind} of {len(points)} points, but must have {wanted}")
    pairs = [source.coordinates(point, f"{what}.points") for point in points]
    if any(len(pair) != 2 for pair in pairs):
        source.refuse(f"{what}.points must hold pairs [x, y]")
    points_xy = np.array(pairs)
    if kind == "mask":
        return _read_mask_shape(source, shape.get("mask"), points_xy, what, size_hw)
    # Pillow follows the outline, and looks at every edge in every row
    extent = np.minimum(points_xy.max(axis=0) - points_xy.min(axis=0), size_hw[::-1])
    steps = np.abs(points_xy - np.roll(points_xy, -1, axis=0)).sum()
    canvas_px = size_hw[0] * size_hw[1]
    source.spend(float(steps + len(points_xy) * extent[1] / 10 + canvas_px / 1000))
    return runs_of_shape(kind, points_xy, size_hw)


def _read_mask_shape(
    source: Source,
    encoded: Any,
    points_xy: NDArray[np.float64],
    what: str,
    size_hw: tuple[int, int],
) -> Runs:
    """A PNG whose corners are given, both included."""
    try:
        data = base64.b64decode(source.text(encoded, f"{what}.mask"), validate=True)
    except (binascii.Error, ValueError):
        source.refuse(f"{what}.mask is no base64 text")
    mask = read_indices(source, data, f"{what}.mask", max_size_hw=size_hw) != 0
    mask = mask.any(axis=2) if mask.ndim == 3 else mask
    (x0, y0), (x1, y1) = np.trunc(points_xy).astype(int).tolist()
    has_whole_corners = bool((points_xy == np.trunc(points_xy)).all())
    if has_whole_corners and mask.shape != (y1 - y0 + 1, x1 - x0 + 1):
        source.refuse(
            f"{what}.mask is {mask.shape[1]} x {mask.shape[0]} px, but its points say "
            f"{x1 - x0 + 1} x {y1 - y0 + 1}"
        )
    if x0 < 0 or y0 < 0 or x0 + mask.shape[1] > size_hw[1] or y0 + mask.shape[0] > size_hw[0]:
        source.refuse(f"{what}.mask does not lie inside the image")
    return runs_of_crop(mask, size_hw, (x0, y0))


def _read_object(
    source: Source,
    members: list[tuple[JsonObject, Runs]],
    position: int,
    size_hw: tuple[int, int],
) -> AnnotatedObject:
    first = members[0][0]
    ours = first.get(OURS) if isinstance(first.get(OURS), dict) else {}
    assert ours is not None
    label = cut_name(source.text(first["label"], "label"))
    is_unlabelled = not label or ("label" in ours and ours["label"] is None)
    description = first.get("description")
    extra: JsonObject = {
        "shape": {key: value for key, value in first.items() if key not in SHAPE_KEYS}
    }
    if len(members) == 1 and first.get("group_id") is not None:
        extra["group_id"] = first["group_id"]
    runs = union(runs for _, runs in members)
    return AnnotatedObject(
        size_hw=size_hw,
        read_runs=partial(runs_of_rle, rle_of_runs(runs, size_hw)),
        label=None if is_unlabelled else label,
        name=cut_name(source.text(description or "", "description")),
        position=position,
        attributes={k: v for k, v in ours.items() if k not in ("id", "label", "position")},
        extra=extra,
    )
