"""
A batch from prompts to a COCO file, by any engine, resumable.

What is written depends on the images, the prompts, the model and the options, not on who
answered which image when, nor on how often the run was ended and begun again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from latentcut import __version__
from latentcut.annotation.records import Label
from latentcut.batch.answering import ImageTask, JsonObject, Options
from latentcut.batch.journal import Journal
from latentcut.batch.prompts import ImagePrompts, Problem, PromptSet
from latentcut.core.files import write_atomically
from latentcut.core.images import write_image
from latentcut.core.masks import mask_from_coco_rle
from latentcut.engines.engine import Engine, Lost
from latentcut.formats.coco import coco_files
from latentcut.formats.names import Stems, UniqueNames, safe_name
from latentcut.formats.records import (
    AnnotatedImage,
    AnnotatedObject,
    AnnotationSet,
    Job,
    Note,
    Notes,
)
from latentcut.formats.runs import runs_of_rle

JOURNAL_SUFFIX = ".journal"
Progress = Callable[[int, int], None]  # images done, images in all


@dataclass(frozen=True)
class Batch:
    """
    What is to be done.

    Attributes:
        folder: The image folder.
        prompts: The images and what is meant in them.
        output: The COCO file to write; the journal lies beside it.
        fingerprint: Of the model.
        options: Of the answers.
        masks: Folder for one PNG per object; None: not wanted.
    """

    folder: Path
    prompts: PromptSet
    output: Path
    fingerprint: str
    options: Options = field(default_factory=Options)
    masks: Path | None = None

    @property
    def journal_path(self) -> Path:
        """Where finished images are kept."""
        return self.output.with_name(self.output.name + JOURNAL_SUFFIX)

    @property
    def header(self) -> JsonObject:
        """What all finished images have in common."""
        facts = {"latentcut": __version__, "bundle": self.fingerprint}
        return {"journal": 1, **facts, **asdict(self.options)}


@dataclass(frozen=True)
class BatchReport:
    """
    What a batch did.

    Attributes:
        output: The COCO file.
        num_images: Images in it.
        num_objects: Objects in it.
        num_kept: Images that earlier runs had finished.
        problems: What was left out, in the order of the prompts.
        notes: What else is worth knowing.
    """

    output: Path
    num_images: int
    num_objects: int
    num_kept: int
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]

    def as_json(self) -> JsonObject:
        """All of it as plain values."""
        return {
            "output": str(self.output),
            "num_images": self.num_images,
            "num_objects": self.num_objects,
            "num_kept": self.num_kept,
            "problems": [
                {"image": p.image, "object": p.object_name, "reason": p.reason}
                for p in self.problems
            ],
            "report": [{"what": note.sentence, "where": list(note.places)} for note in self.notes],
        }


def run_batch(
    batch: Batch, engine: Engine[ImageTask, JsonObject], progress: Progress | None = None
) -> BatchReport:
    """
    Answer what is not answered yet, then write the output.

    Args:
        batch: What is to be done.
        engine: Who does it; its workers are ``Answering``.
        progress: Told after every image, and once of those that were finished already.

    Raises:
        FileMissing, OutputExists: See ``Journal``.
        WorkerDied, ClusterUnusable: See ``engines``. What is done is kept.
        OSError: The disk is full, for instance. What is done is kept.
    """
    asked = batch.prompts.images
    keys = [key_of(batch.folder, image) for image in asked]
    mask_files = None if batch.masks is None else MaskFiles(batch.masks, asked)
    failed: dict[int, Problem] = {}
    with Journal(batch.journal_path, batch.header) as journal:
        missing = [place for place, key in enumerate(keys) if key not in journal]
        if mask_files is not None:
            for place in sorted({*range(len(asked))} - {*missing}):
                mask_files.write(place, journal.row(keys[place]), only_missing=True)
        done = num_kept = len(asked) - len(missing)
        if progress and done:
            progress(done, len(asked))
        folder = batch.folder.absolute()
        tasks = (ImageTask(folder, asked[place]) for place in missing)
        for number, row in engine.run(tasks):
            place = missing[number]
            reason = why_failed(row)
            if reason is not None:
                failed[place] = Problem(asked[place].path, None, reason)
            elif not isinstance(row, Lost):
                if mask_files is not None:
                    mask_files.write(place, row)
                journal.append(keys[place], row)
            done += 1
            if progress:
                progress(done, len(asked))
        return written(batch, journal, keys, failed, num_kept)


def key_of(folder: Path, asked: ImagePrompts) -> str:
    """Names an image with its prompts: another file or another prompt makes another key."""
    paths = [asked.path, *(p.previous for p in asked.prompts if isinstance(p.previous, str))]
    prompts = [prompt.as_json() for prompt in asked.prompts]
    facts = {"files": [[path, *stamp(folder, path)] for path in paths], "prompts": prompts}
    return hashlib.sha256(json.dumps(facts).encode("ascii")).hexdigest()[:32]


def stamp(folder: Path, path: str) -> tuple[int, int]:
    """Size and time of a file; zeros where there is none, which whoever opens it will say."""
    try:
        status = (folder / path).stat()
    except (OSError, ValueError):
        return 0, 0
    return status.st_size, status.st_mtime_ns


def why_failed(row: JsonObject | Lost) -> str | None:
    """Why an image has no row; None: it has."""
    if isinstance(row, Lost):
        how = "" if row.exit_code is None else f", the last with exit code {row.exit_code}"
        return (
            f"{row.deaths} workers ended while they had it{how}, perhaps because memory ran out: "
            "the same command tries it again; fewer --workers need less"
        )
    reason: str | None = row.get("problem")
    return reason


class MaskFiles:
    """
    One PNG per object: FOLDER/image/object.png.

    Args:
        folder: Made when the first is written.
        asked: All images, whose names decide which files are told apart by a number.
    """

    def __init__(self, folder: Path, asked: Sequence[ImagePrompts]) -> None:
        stems = Stems()
        self.folders = [folder / stems.of(image.path) for image in asked]

    def write(self, place: int, row: JsonObject, only_missing: bool = False) -> None:
        """Write the masks of an image."""
        names = UniqueNames()
        for entry in row["objects"]:
            path = self.folders[place] / f"{names.of(safe_name(entry['name']))}.png"
            if not (only_missing and path.exists()):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_image(path, mask_from_coco_rle(entry["rle"]))


def written(
    batch: Batch, journal: Journal, keys: Sequence[str], failed: dict[int, Problem], num_kept: int
) -> BatchReport:
    """Write the output from the journal, and say what it holds."""
    asked, notes = batch.prompts.images, Notes()
    there = [place for place, key in enumerate(keys) if key in journal]
    problems = list(batch.prompts.problems)

    def read_images() -> Iterator[AnnotatedImage]:
        for place in there:
            yield annotated(asked[place], journal.row(keys[place]))

    for place, image in enumerate(asked):
        if place in failed:
            problems.append(failed[place])
        elif keys[place] in journal:
            left_out = journal.row(keys[place])["problems"]
            problems += [Problem(image.path, one["object"], one["reason"]) for one in left_out]
    info = {"description": f"latentcut {__version__}", "version": "1.0"}
    info["bundle"] = batch.fingerprint
    labels = batch.prompts.labels or labels_of(asked)
    annotations = AnnotationSet(batch.folder, labels, read_images, len(there), {"info": info})
    job = Job(annotations, notes=notes, to_images=way_to(batch.folder, batch.output.parent))
    (file,) = coco_files(job)
    write_atomically(batch.output, file.data)
    return BatchReport(
        batch.output, len(there), notes.num_objects, num_kept, tuple(problems), notes.all()
    )


def annotated(asked: ImagePrompts, row: JsonObject) -> AnnotatedImage:
    """A finished image as formats take it."""
    size_hw = row["height"], row["width"]
    objects = tuple(
        AnnotatedObject(
            size_hw=size_hw,
            read_runs=partial(runs_of_rle, entry["rle"], size_hw[0] * size_hw[1]),
            id=entry["id"],
            label=entry["label"],
            name=entry["name"],
            position=position,
            attributes=entry["facts"],
        )
        for position, entry in enumerate(row["objects"])
    )
    height, width = size_hw
    return AnnotatedImage(path=asked.path, width=width, height=height, objects=objects, id=asked.id)


def labels_of(asked: Sequence[ImagePrompts]) -> tuple[Label, ...]:
    """The labels of prompts, as they come up."""
    names = dict.fromkeys(p.label for image in asked for p in image.prompts if p.label is not None)
    return tuple(Label(id=number, name=name) for number, name in enumerate(names, start=1))


def way_to(folder: Path, start: Path) -> str:
    """How to get from a folder to another, with forward slashes."""
    try:
        return os.path.relpath(folder.resolve(), start.resolve()).replace(os.sep, "/")
    except ValueError:  # another drive of Windows
        return folder.resolve().as_posix()
