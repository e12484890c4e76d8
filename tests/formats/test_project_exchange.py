"""A whole project out and in again, through the functions that page and command line call."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from format_samples import (
    NASTY_NAMES,
    RING,
    add_objects,
    as_bytes,
    disc,
    set_labels,
    write_photos,
)
from PIL import Image

from latentcut.annotation.records import ClickRecord, Label
from latentcut.core.masks import mask_from_coco_rle
from latentcut.errors import BadAnnotationFile, BadConfig, FileMissing, NotInProject
from latentcut.formats.exporting import EXPORT_FOLDER, WRITERS, export_project, write_zip
from latentcut.formats.folder import listed_files
from latentcut.formats.importing import READERS, import_file
from latentcut.formats.project import annotation_set
from latentcut.formats.records import ExportOptions
from latentcut.store.project import ProjectStore

A, B, C = (np.zeros((40, 50), dtype=bool) for _ in range(3))
A[5:15, 5:20] = True
B[20:30, 10:40] = True
B[22:25, 12:15] = False  # a hole
C[0:3, 0:3] = C[35:40, 45:50] = True  # two parts


@pytest.fixture
def filled(store):
    """Two images with objects, one of them done; labels dog and cat."""
    labels = set_labels(store, "dog", "cat")
    add_objects(store, 1, [A, B], [labels["cat"], None], ["Tom", ""])
    add_objects(store, 2, [C], [labels["dog"]])
    store.commit(2, store.document(2).revision, "done", {}, {}, done=True)
    return store


def masks_in(store, image_id):
    return [mask_from_coco_rle(store.mask(o.mask)) for o in store.document(image_id).objects]


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


@pytest.mark.parametrize("format_name", ["coco", "labelme"])
def test_what_is_exported_comes_back_as_it_was(filled, photos, tmp_path, format_name):
    report = export_project(filled, photos, format_name)
    write_photos(tmp_path / "copy")
    files = [path for path in report.files if path.endswith(".json")]

    with ProjectStore.open(tmp_path / "copy") as copy:
        copy.sync_images(["a.jpg", "b.png", "sub/c.jpg"])
        got = [
            import_file(copy, tmp_path / "copy", None, path, (report.folder / path).read_bytes())
            for path in files
        ]

        assert sum(report.num_objects for report in got) == 3
        assert [note for report in got for note in report.lines] == []
        names = {label.id: label.name for label in copy.labels().labels}
        for image_id in (1, 2, 3):
            before, after = filled.document(image_id), copy.document(image_id)
            np.testing.assert_array_equal(masks_in(copy, image_id), masks_in(filled, image_id))
            assert [o.name for o in after.objects] == [o.name for o in before.objects]
            assert [o.area for o in after.objects] == [o.area for o in before.objects]
            assert [o.box_xyxy for o in after.objects] == [o.box_xyxy for o in before.objects]
        found = [names.get(o.label) for n in (1, 2) for o in copy.document(n).objects]
        assert found == ["cat", None, "dog"]
        (part,) = copy.document(1).objects[0].parts
        assert part.clicks == (ClickRecord(x=1.5, y=2), ClickRecord(x=3, y=0, positive=False))
        assert (part.selected, part.score, part.expected_iou) == (4, 0.75, 0.5)


def test_label_maps_come_back_without_names(filled, photos, tmp_path):
    report = export_project(filled, photos, "png")

    got = import_file(
        filled, photos, None, "masks/a.png", (report.folder / "masks" / "a.png").read_bytes()
    )

    assert got.as_json() == {
        "format": "png",
        "images": [{"id": 1, "path": "a.jpg", "revision": 2, "num_objects": 2}],
        "num_objects": 2,
        "report": [],
    }
    np.testing.assert_array_equal(masks_in(filled, 1)[2:], [A, B])


def test_an_import_is_one_action_that_can_be_undone(filled, photos):
    data = png(A)

    import_file(filled, photos, "png", "a.png", data)
    document = filled.document(1)

    assert (document.can_undo, len(document.objects), document.revision) == ("import", 3, 2)
    assert [o.position for o in document.objects] == [0, 1, 2]
    assert len(filled.undo(1, 2).objects) == 2


def test_the_candidate_is_kept_only_where_it_can_be_had_again(store, photos):
    parts = [{"clicks": [{"x": 1, "y": 2}], "selected": 3, "by_user": True, "from_mask": True}]
    data = coco_of(A, latentcut={"parts": parts, "num_strokes": 0})

    import_file(store, photos, "coco", "x.json", data)

    (part,) = store.document(1).objects[0].parts
    assert (part.clicks, part.selected, part.by_user) == ((ClickRecord(x=1, y=2),), None, False)


@pytest.mark.parametrize(
    "latentcut",
    [
        {"parts": [{"clicks": [{"x": "left"}]}], "num_strokes": 0},
        {"parts": [{"mask": "x"}, {}], "num_strokes": 0},
        {"parts": [7], "num_strokes": 0},
        {"parts": [{"clicks": [{"x": 1, "y": 2}]}], "num_strokes": 1},
        {"parts": "x"},
        {},
    ],
    ids=["click", "two", "number", "painted", "text", "nothing"],
)
def test_clicks_that_do_not_explain_the_mask_are_dropped(store, photos, latentcut):
    import_file(store, photos, "coco", "x.json", coco_of(A, latentcut=latentcut))

    (part,) = store.document(1).objects[0].parts
    assert part.clicks == ()
    np.testing.assert_array_equal(masks_in(store, 1), [A])


def test_new_labels_are_added_behind_those_that_are_there(filled, photos):
    data = coco_of(A, categories=[{"id": 1, "name": "unused"}, {"id": 7, "name": "bird"}])

    import_file(filled, photos, "coco", "x.json", data)

    assert filled.labels().labels == (
        Label(id=1, name="dog"),
        Label(id=2, name="cat"),
        Label(id=3, name="bird", colour=2),
    )
    assert filled.document(1).objects[2].label == 3


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("a.jpg", 1),
        ("../../a.jpg", 1),
        ("/home/me/photos/a.jpg", 1),
        ("C:\\photos\\a.jpg", 1),
        ("sub/c.jpg", 3),
        ("c.jpg", 3),
        ("..\\sub\\c.jpg", 3),
    ],
)
def test_images_are_found_by_the_end_of_their_path(store, photos, file_name, expected):
    report = import_file(store, photos, "coco", "x.json", coco_of(A, file_name=file_name))

    assert [image.id for image in report.images] == [expected]


@pytest.mark.parametrize("name", ["other/c.jpg", "c.png", "", "../.."])
def test_a_file_for_no_image_of_the_project_is_refused(store, photos, name):
    with pytest.raises(BadAnnotationFile) as caught:
        import_file(store, photos, "coco", "x.json", coco_of(A, file_name=name))

    assert str(caught.value) == f"x.json belongs to no image of this project: it is for {name}"
    assert store.document(3).revision == 0


def test_a_name_that_could_mean_two_images_means_none(tmp_path):
    write_photos(tmp_path, names=("x/a.jpg", "y/a.jpg", "b.jpg"))
    with ProjectStore.open(tmp_path) as store:
        store.sync_images(["x/a.jpg", "y/a.jpg", "b.jpg"])
        document = json.loads(coco_of(A, file_name="a.jpg"))
        document["images"].append({"id": 2, "width": 50, "height": 40, "file_name": "b.jpg"})

        report = import_file(store, tmp_path, "coco", "x.json", as_bytes(document))

        assert report.lines == [
            "images are not in this project, or several could be meant (1): a.jpg"
        ]
        assert report.images == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.png", 1), ("a__2.png", 1), ("masks/sub/c.png", 3), ("c.tif.png", None), ("x.png", None)],
)
def test_a_mask_belongs_to_the_image_of_its_name(store, photos, name, expected):
    if expected is None:
        with pytest.raises(BadAnnotationFile):
            import_file(store, photos, "png", name, png(A))
    else:
        report = import_file(store, photos, "png", name, png(A))
        assert [image.id for image in report.images] == [expected]


def test_a_labelme_file_belongs_to_its_image_or_to_that_of_its_own_name(store, photos):
    shape = {"label": "cat", "points": [[1, 1], [9, 1], [9, 9]], "shape_type": "polygon"}
    document = {"shapes": [shape], "imageHeight": 40, "imageWidth": 50}

    first = import_file(
        store, photos, None, "x.json", as_bytes(document | {"imagePath": "../photos/a.jpg"})
    )
    second = import_file(
        store, photos, None, "sub/c.json", as_bytes(document | {"imagePath": "renamed.jpg"})
    )

    assert [first.images[0].id, second.images[0].id] == [1, 3]


def test_the_image_can_be_given(store, photos):
    report = import_file(store, photos, "png", "anything.png", png(A), image_id=2)

    assert [image.path for image in report.images] == ["b.png"]
    with pytest.raises(NotInProject) as caught:
        import_file(store, photos, "png", "anything.png", png(A), image_id=9)
    assert str(caught.value) == "there is no image 9 in this project"


def test_of_a_file_of_many_images_the_given_one_is_taken(store, photos):
    document = json.loads(coco_of(A, file_name="b.png"))
    document["images"].append({"id": 2, "width": 50, "height": 40, "file_name": "sub/c.jpg"})

    report = import_file(store, photos, "coco", "x.json", as_bytes(document), image_id=2)

    assert [image.id for image in report.images] == [2]
    with pytest.raises(BadAnnotationFile) as caught:
        import_file(store, photos, "coco", "x.json", as_bytes(document), image_id=1)
    assert str(caught.value) == "x.json has 2 images, and not one of them is a.jpg"


def test_an_image_of_another_size_is_left_as_it_is(store, photos):
    report = import_file(store, photos, "png", "a.png", png(RING))

    assert report.lines == [
        "images of another size than the file says are left as they are (1): "
        "a.jpg (50 x 40 px, not 3 x 3)"
    ]
    assert (report.images, store.document(1).revision) == ((), 0)


def test_nothing_is_imported_from_a_file_that_is_broken_anywhere(store, photos):
    document = json.loads(coco_of(A))
    document["annotations"].append(document["annotations"][0] | {"segmentation": {"size": 1}})

    with pytest.raises(BadAnnotationFile):
        import_file(store, photos, "coco", "x.json", as_bytes(document))

    assert store.document(1).revision == 0
    assert store.labels().labels == ()


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
            add_objects(store, row.id, [A, B], [label.id, None], [label.name, label.name])

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
    add_objects(store, 1, [A])
    annotations = annotation_set(store, photos)
    store.undo(1, 1)
    add_objects(store, 1, [B])

    (image,) = annotations.read_images()

    np.testing.assert_array_equal([o.mask() for o in image.objects], [B])
    assert disc(3).sum() == 29  # the samples are those of the other tests


def png(mask):
    encoded = io.BytesIO()
    Image.fromarray(mask).save(encoded, "PNG")
    return encoded.getvalue()


def coco_of(mask, file_name="a.jpg", categories=None, **attributes):
    """A COCO file of one image and one object, in the last of its categories."""
    from latentcut.core.masks import coco_rle

    categories = categories or [{"id": 1, "name": "cat"}]
    height, width = mask.shape
    annotation = {"id": 1, "image_id": 1, "category_id": categories[-1]["id"]}
    annotation |= {"segmentation": coco_rle(mask), "attributes": attributes}
    image = {"id": 1, "width": width, "height": height, "file_name": file_name}
    return as_bytes({"images": [image], "categories": categories, "annotations": [annotation]})
