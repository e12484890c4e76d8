"""
DAVIS, 2016 or 2017: ``JPEGImages/<resolution>/<sequence>/<frame>.jpg`` and ``Annotations/...``.

The interactive segmentation benchmark is 345 frames of DAVIS 2016, all that moves in a frame
being one object; the list of its frames is given as a text file.
"""

from __future__ import annotations

from pathlib import Path

from latentcut.datasets.dataset import (
    DEFAULT_OPTIONS,
    Annotated,
    LabelMap,
    MapDataset,
    ReaderOptions,
)
from latentcut.datasets.files import need_folder, read_list, read_mask_file, visible_files
from latentcut.datasets.pairs import EACH_OR_ONE, flat_labels, joined
from latentcut.errors import DatasetBroken

RESOLUTION = "480p"
HAS = (
    "DAVIS has JPEGImages/480p/ and Annotations/480p/, or another resolution; "
    "download: https://davischallenge.org"
)


class DavisDataset(MapDataset):
    """
    Frames of videos.

    Args:
        path: Holds JPEGImages/ and Annotations/.
        options: ``image_list`` names frames (``bear/00005``, ``bear_00005`` or the lines of
            DAVIS's own lists) or whole sequences; ``resolution`` is a folder name (``480p``
            unless there is only one); ``objects`` is ``one`` (all of a frame, as in the
            benchmark) or ``each`` (the values of DAVIS 2017).

    Raises:
        FileMissing: A folder or the list does not exist.
        DatasetBroken: A frame has no picture, or the list names something else.
    """

    format = "davis"

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        self.path = Path(path)
        self.name = self.path.name
        more = options.known(resolution="", objects="one")
        if more["objects"] not in EACH_OR_ONE:
            raise DatasetBroken(f"objects={more['objects']} is unknown: give each or one")
        self.joined = more["objects"] == "one"
        folder = need_folder(self.path / "Annotations", HAS)
        self.resolution = more["resolution"] or only_folder(folder)
        self.masks = need_folder(folder / self.resolution, HAS)
        self.pictures = need_folder(self.path / "JPEGImages" / self.resolution, HAS)
        self.images = self._match(options)

    def _match(self, options: ReaderOptions) -> tuple[Annotated, ...]:
        masks = visible_files(self.masks, "*/*.png")
        found = {f"{p.parent.name}/{p.stem}": p for p in masks}
        if not found:
            raise DatasetBroken(f"{self.masks} holds no frames: expected SEQUENCE/00000.png")
        images = []
        for image_id in self._ids(list(found), options):
            picture = self.pictures / f"{image_id}.jpg"
            if picture.is_file():
                images.append(Annotated(image_id, picture, (found[image_id],)))
            else:
                options.complain(f"{picture} is missing; {found[image_id]} is its mask")
        if not images:
            raise DatasetBroken(f"{self.pictures} holds no picture of any frame")
        return tuple(images)

    def _ids(self, known: list[str], options: ReaderOptions) -> list[str]:
        if options.image_list is None:
            return known
        frames: dict[str, list[str]] = {}
        for image_id in known:
            sequence, _, _ = image_id.partition("/")
            frames.setdefault(sequence, []).append(image_id)
            frames[image_id] = frames[image_id.replace("/", "_")] = [image_id]
        found = dict[str, None]()
        for line in read_list(options.image_list):
            # DAVIS's own lists: /JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png
            first = Path(line.split()[0])
            name = "/".join([*first.parts[-2:-1], first.stem])
            chosen = frames.get(name) or frames.get(first.stem)
            if chosen is None:
                options.complain(f"{options.image_list} names {line}, which is not in {self.masks}")
            found |= dict.fromkeys(chosen or ())
        return list(found)

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """The one map of a frame. Raises DatasetBroken."""
        labels = flat_labels(read_mask_file(entry.mask_paths[0]))
        return [LabelMap(entry.image_id, joined(labels, None) if self.joined else labels, None)]


def only_folder(folder: Path) -> str:
    """480p, or the one resolution that is there."""
    names = sorted(p.name for p in folder.iterdir() if p.is_dir())
    return names[0] if len(names) == 1 else RESOLUTION
