"""
Pascal VOC segmentation: JPEGImages/, SegmentationObject/ and ImageSets/Segmentation/.

Masks are palette pictures: index 0 = background, 1..N = one object each, 255 = the border
around objects and what was not labelled; it does not count.
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
from latentcut.datasets.files import listed_pairs, need_file, need_folder, read_label_map

VOID = 255
HAS = (
    "Pascal VOC has JPEGImages/, SegmentationObject/ and ImageSets/Segmentation/; "
    "download: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"
)


class VocDataset(MapDataset):
    """
    Pascal VOC, or what is laid out like it.

    Args:
        path: The folder of one year (VOC2012), or the VOCdevkit that holds it.
        options: ``image_list`` takes the place of ``ImageSets/Segmentation/<split>.txt``.

    Raises:
        FileMissing: A folder or list does not exist.
        DatasetBroken: A picture or mask of the list is not there.
    """

    format = "voc"

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        options.known()
        self.path = year_folder(Path(path))
        self.name = self.path.name
        masks = need_folder(self.path / "SegmentationObject", HAS)
        pictures = need_folder(self.path / "JPEGImages", HAS)
        usual = self.path / "ImageSets" / "Segmentation" / f"{options.split}.txt"
        names = options.image_list or need_file(usual, HAS)
        self.images = listed_pairs(names, pictures, masks, ".png", options)

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """The one map of a picture. Raises DatasetBroken."""
        return [LabelMap(entry.image_id, read_label_map(entry.mask_paths[0]), VOID)]


def year_folder(path: Path) -> Path:
    """VOC2012 inside a VOCdevkit, or the path itself."""
    for inner in (path / "VOCdevkit", path):
        years = sorted(p for p in inner.glob("VOC20*") if (p / "SegmentationObject").is_dir())
        if years:
            return years[-1]
    return path
