"""SQUARE whole project out and in again, through the functions that page and command line call."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from format_samples import (
    FRAME,
    NASTY_NAMES,
    SQUARE,
    add_objects,
    write_photos,
)
from PIL import Image

from latentcut.annotation.records import Label
from latentcut.errors import BadConfig, FileMissing
from latentcut.formats.exporting import EXPORT_FOLDER, WRITERS, export_project, write_zip
from latentcut.formats.folder import listed_files
from latentcut.formats.importing import READERS, import_file
from latentcut.formats.project import annotation_set
from latentcut.formats.records import ExportOptions
from latentcut.store.project import ProjectStore


def hashes_of(folder):
    """Of every file but those of the project and of exports."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not {".latentcut", EXPORT_FOLDER} & set(path.parts)
    }


@pytest.mark.parametrize("format_name", WRITERS)
def test_every_format_is_written_and_told(filled, photos, format_name):
    steps = []

    report = export_project(
        filled, photos, format_name, progress=lambda done, total: steps.append((done, total))
    )

    assert report.folder == photos / "latentcut-export" / format_name
    assert (report.num_images, report.num_objects) == (2, 3)
    assert steps == [(1, 2), (2, 2)]
    assert set(report.files) == set(listed_files(report.folder))
    assert all((report.folder / path).is_file() for path in report.files)
    assert report.lines[0] == "images that are without objects and not done are left out: 1"
    facts = report.as_json()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["files"] == list(report.files)


def test_a_file_name_leads_from_the_export_to_the_image(filled, photos):
    report = export_project(filled, photos, "coco")

    document = json.loads((report.folder / "annotations.json").read_bytes())
    names = [image["file_name"] for image in document["images"]]
    assert names == ["../../a.jpg", "../../b.png"]
    assert all((report.folder / name).resolve().is_file() for name in names)
    assert [image["id"] for image in document["images"]] == [1, 2]


def test_exports_do_not_change_from_one_time_to_the_next(filled, photos):
    first = listed_files(export_project(filled, photos, "coco").folder)

    second = listed_files(export_project(filled, photos, "coco").folder)

    assert second == first


def test_only_what_is_done_is_written_on_demand(filled, photos):
    report = export_project(filled, photos, "png", options=ExportOptions(only_done=True))

    assert report.files == ("masks/b.png", "objects.json")
    assert report.lines == ["images that are not done are left out: 2"]


def test_an_image_that_is_done_and_empty_is_background(store, photos):
    store.commit(3, 0, "done", {}, {}, done=True)

    report = export_project(store, photos, "yolo")

    assert report.files == ("data.yaml", "labels/sub/c.txt")
    assert (report.folder / "labels" / "sub" / "c.txt").read_bytes() == b""


def test_a_missing_image_keeps_its_annotations(filled, photos):
    (photos / "a.jpg").unlink()
    filled.set_image_size(1, 50, 40)
    filled.sync_images(["b.png", "sub/c.jpg"])

    report = export_project(filled, photos, "coco")

    assert report.num_objects == 3
    assert (
        "images are no longer in the folder; their objects are exported (1): a.jpg" in report.lines
    )


def test_an_image_of_unknown_size_is_left_out(filled, photos):
    (photos / "a.jpg").write_bytes(b"no image")

    report = export_project(filled, photos, "coco")

    assert report.num_objects == 1
    assert (
        "images that cannot be read and have no known size are left out (1): a.jpg" in report.lines
    )


def test_masks_of_an_image_that_was_replaced_are_left_out(filled, photos):
    write_photos(photos, (30, 30), names=("a.jpg",))

    report = export_project(filled, photos, "coco")

    assert report.num_objects == 1
    assert report.lines[1] == (
        "masks have another size than their image and are left out (2): "
        "a.jpg object 1, a.jpg object 2"
    )


def test_an_unknown_format_is_told_which_there_are(store, photos):
    with pytest.raises(BadConfig) as caught:
        export_project(store, photos, "coko")

    assert str(caught.value) == (
        "there is no format 'coko': did you mean 'coco'? "
        "known: coco, cutouts, labelme, png, voc, yolo"
    )


def test_an_export_can_be_packed(filled, photos):
    report = export_project(filled, photos, "png")
    (report.folder / "mine.txt").write_bytes(b"mine")
    target, again = io.BytesIO(), io.BytesIO()

    write_zip(report.folder, target)
    write_zip(report.folder, again)

    names = zipfile.ZipFile(target).namelist()
    assert names == [*report.files, "latentcut-export.json"]
    assert target.getvalue() == again.getvalue()
    with pytest.raises(FileMissing):
        write_zip(photos, io.BytesIO())


def test_neither_exports_nor_imports_change_the_image_folder(filled, photos):
    before = hashes_of(photos)

    for format_name in WRITERS:
        options = ExportOptions(
            copy_images=format_name in ("yolo", "voc"), embed_images=format_name == "labelme"
        )
        report = export_project(filled, photos, format_name, options=options)
        for path in report.files:
            is_ours = path.endswith((".json", ".png")) and format_name in READERS
            if is_ours and path != "objects.json":
                import_file(filled, photos, None, path, (report.folder / path).read_bytes())

    assert hashes_of(photos) == before


def test_names_are_data_all_the_way(photos, tmp_path):
    on_disk = [name for name in NASTY_NAMES if not set(name) & set("/\0")]
    on_disk = [name for name in on_disk if len(name.encode()) < 240 and name not in (".", "..")][
        ::3
    ]
    for name in on_disk:
        Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(photos / f"{name}.png", "PNG")
    paths = [f"{name}.png" for name in on_disk]
    before = hashes_of(photos)
    with ProjectStore.open(photos) as store:
        store.sync_images(paths)
        labels = store.set_labels([Label(id=0, name=name) for name in NASTY_NAMES], 0).labels
        for row, label in zip(store.images(), labels, strict=False):
            add_objects(store, row.id, [SQUARE, FRAME], [label.id, None], [label.name, label.name])

        for format_name in WRITERS:
            report = export_project(store, photos, format_name)
            written = [p for p in report.folder.rglob("*") if p.is_file()]

            assert report.num_objects == 2 * len(paths)
            assert len(written) == len(report.files) + 1
            assert all(line.isprintable() for line in report.lines)
        data = (photos / EXPORT_FOLDER / "coco" / "annotations.json").read_bytes()
        again = import_file(store, photos, None, "annotations.json", data)

        assert again.num_objects == 2 * len(paths)
        assert store.labels().labels == labels
        for row in store.images():
            objects = store.document(row.id).objects
            assert [(o.label, o.name) for o in objects[2:]] == [
                (o.label, o.name) for o in objects[:2]
            ]
    assert hashes_of(photos) == before
    outside = {p.name for p in tmp_path.iterdir()}
    assert outside == {"photos"}


def test_large_masks_are_read_one_image_at_a_time(store, photos):
    add_objects(store, 1, [SQUARE])
    annotations = annotation_set(store, photos)
    store.undo(1, 1)
    add_objects(store, 1, [FRAME])

    (image,) = annotations.read_images()

    np.testing.assert_array_equal([o.mask() for o in image.objects], [FRAME])
