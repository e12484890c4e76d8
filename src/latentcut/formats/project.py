"""Between a project and the formats: its annotations out of the store, and records into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from latentcut.annotation.records import NUM_COLOURS, Label, ObjectRecord, Part, mask_id_of
from latentcut.errors import LatentcutError, RevisionConflict
from latentcut.formats.pictures import path_in, upright_size_hw
from latentcut.formats.records import AnnotatedImage, AnnotatedObject, AnnotationSet, Notes
from latentcut.formats.runs import Runs, no_runs, runs_of_rle
from latentcut.store.project import ProjectStore
from latentcut.store.rows import Document, ImageRow

MAX_TRIES = 5  # of a commit, while somebody else changes the same image
KEPT_OF_PARTS = ("op", "clicks", "box", "selected", "by_user", "score", "expected_iou")

JsonObject = dict[str, Any]


def annotation_set(
    store: ProjectStore, folder: Path, only_done: bool = False, notes: Notes | None = None
) -> AnnotationSet:
    """
    The annotations of a project, read one image at a time.

    An image without objects is background only if a person said that it is done; otherwise
    nobody has looked at it yet, and it is left out.

    Args:
        store: The project.
        folder: The image folder.
        only_done: Only images that are marked done.
        notes: Takes what is left out.
    """
    notes = notes or Notes()
    labels = store.labels().labels
    rows = [row for row in store.images() if row.done or (row.num_objects and not only_done)]
    num_left_out = len(store.images()) - len(rows)
    if num_left_out:
        reason = "not done" if only_done else "without objects and not done"
        notes.add(f"images that are {reason} are left out: {num_left_out}")
    kept = []
    for row in rows:
        size_hw = _size_hw(folder, row)
        if size_hw is None:
            notes.add("images that cannot be read and have no known size are left out", row.path)
            continue
        if row.missing:
            notes.add("images are no longer in the folder; their objects are exported", row.path)
        kept.append((row, size_hw))
    names = {label.id: label.name for label in labels}

    def read_images() -> Iterator[AnnotatedImage]:
        for row, size_hw in kept:
            yield _annotated(store, store.document(row.id), size_hw, names, notes)

    return AnnotationSet(folder, labels, read_images, len(kept))


def _size_hw(folder: Path, row: ImageRow) -> tuple[int, int] | None:
    """Size of the upright image: as remembered, or of the file; None where neither is had."""
    if row.width is not None and row.height is not None:
        return row.height, row.width
    try:
        return upright_size_hw(path_in(folder, row.path))
    except LatentcutError:
        return None


def _annotated(
    store: ProjectStore,
    document: Document,
    size_hw: tuple[int, int],
    names: Mapping[int, str],
    notes: Notes,
) -> AnnotatedImage:
    def read_runs(record: ObjectRecord) -> Runs:
        rle = store.mask(record.mask)
        if tuple(rle["size"]) != size_hw:  # the image was replaced by another one
            place = f"{document.image.path} object {record.id}"
            notes.add("masks have another size than their image and are left out", place)
            return no_runs()
        return runs_of_rle(rle, max_pixels=size_hw[0] * size_hw[1])

    objects = [
        AnnotatedObject(
            size_hw=size_hw,
            read_runs=partial(read_runs, record),
            id=record.id,
            label=None if record.label is None else names.get(record.label),
            name=record.name,
            position=position,
            attributes=_attributes(record),
        )
        for position, record in enumerate(document.objects)
    ]
    height, width = size_hw
    return AnnotatedImage(
        path=document.image.path,
        width=width,
        height=height,
        objects=tuple(objects),
        id=document.image.id,
    )


def _attributes(record: ObjectRecord) -> JsonObject:
    """How an object came to be: its parts with clicks and scores, and how often it was painted."""
    parts = []
    for part in record.parts:
        facts = part.model_dump(mode="json", include=set(KEPT_OF_PARTS))
        facts["from_mask"] = part.previous is not None
        parts.append(facts)
    return {"parts": parts, "num_strokes": len(record.strokes)}


def import_into(
    store: ProjectStore,
    folder: Path,
    images: Iterable[tuple[int, AnnotatedImage]],
    label_names: Sequence[str],
    notes: Notes,
) -> dict[int, tuple[int, int]]:
    """
    Add objects to images of a project: one action that can be undone per image.

    Images of another size than the file says are noted and left as they are, so are empty
    objects. Labels that the project does not have are added to it.

    Args:
        store: The project.
        folder: The image folder.
        images: Number of an image of the project, and what to add to it.
        label_names: Order in which new labels are added.
        notes: Takes what is left out.

    Returns:
        For every image that was changed its revision, and how many objects it got.

    Raises:
        NotInProject: There is no such image.
        RevisionConflict: Somebody else keeps changing an image or the labels.
    """
    fitting = [(i, image) for i, image in images if _fits(store, folder, i, image, notes)]
    used = {record.label for _, image in fitting for record in image.objects}
    label_ids = _label_ids(store, [name for name in label_names if name in used])
    changed: dict[int, tuple[int, int]] = {}
    for image_id, image in fitting:
        records, masks = [], {}
        ids = iter(store.new_object_ids(image_id, len(image.objects)))
        for record in image.objects:
            outlook = record.outlook()
            if outlook.box_xyxy is None:
                notes.add("empty objects are left out", image.place(record))
                continue
            rle = outlook.rle
            mask_id = mask_id_of(rle)
            masks[mask_id] = rle
            new = ObjectRecord(
                id=next(ids),
                label=None if record.label is None else label_ids[record.label],
                name=record.name,
                parts=(_part(record, mask_id),),
                mask=mask_id,
                area=outlook.area,
                box_xyxy=outlook.box_xyxy,
            )
            records.append(new)
        if records:
            document = _commit(store, image_id, records, masks)
            changed[image_id] = document.revision, len(records)
    return changed


def _fits(
    store: ProjectStore, folder: Path, image_id: int, image: AnnotatedImage, notes: Notes
) -> bool:
    """Whether an image of the project has the size that the file says."""
    row = store.image(image_id)
    size_hw = _size_hw(folder, row)
    if size_hw is None:
        notes.add("images that cannot be read are left as they are", row.path)
    elif size_hw != image.size_hw:
        given, found = f"{image.width} x {image.height}", f"{size_hw[1]} x {size_hw[0]}"
        notes.add(
            "images of another size than the file says are left as they are",
            f"{row.path} ({found} px, not {given})",
        )
    else:
        store.set_image_size(image_id, image.width, image.height)
    return size_hw == image.size_hw


def _label_ids(store: ProjectStore, wanted: Sequence[str]) -> dict[str, int]:
    """Ids of all labels by name, after adding those that are wanted and not there."""
    for tries_left in reversed(range(MAX_TRIES)):
        found = store.labels()
        names = {label.name for label in found.labels}
        new = [name for name in dict.fromkeys(wanted) if name not in names]
        if not new:
            break
        first = len(found.labels)
        added = [
            Label(id=0, name=name, colour=number % NUM_COLOURS)
            for number, name in enumerate(new, start=first)
        ]
        try:
            found = store.set_labels([*found.labels, *added], found.revision)
        except RevisionConflict:
            if not tries_left:
                raise
        else:
            break
    return {label.name: label.id for label in found.labels}


def _part(record: AnnotatedObject, mask_id: str) -> Part:
    """
    The part of an imported object: its mask, and the clicks that made it where we know them.

    Clicks are known for an object of one part without strokes. Which candidate was taken means
    something only if the network started from clicks alone: its candidates can be had again.
    """
    parts = record.attributes.get("parts")
    plain = Part(mask=mask_id)
    is_painted = record.attributes.get("num_strokes") != 0
    if is_painted or not isinstance(parts, list) or len(parts) != 1:
        return plain
    if not isinstance(parts[0], dict):
        return plain
    facts = {key: parts[0][key] for key in KEPT_OF_PARTS if key in parts[0]}
    if parts[0].get("from_mask") is not False:
        facts |= {"selected": None, "by_user": False}
    try:
        return Part.model_validate(facts | {"mask": mask_id, "op": "new"})
    except ValidationError:
        return plain


def _commit(
    store: ProjectStore, image_id: int, records: list[ObjectRecord], masks: Mapping[str, Any]
) -> Document:
    """Add objects in front of those that are there."""
    for tries_left in reversed(range(MAX_TRIES)):
        document = store.document(image_id)
        first = 1 + max((record.position for record in document.objects), default=-1)
        changes = {
            record.id: record.model_copy(update={"position": first + number})
            for number, record in enumerate(records)
        }
        try:
            return store.commit(image_id, document.revision, "import", changes, masks)
        except RevisionConflict:
            if not tries_left:
                raise
    raise AssertionError("the last try raises or returns")
