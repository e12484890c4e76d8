"""Files into a project, through the function that page and command line call."""

from __future__ import annotations

import json

import numpy as np
import pytest
from format_samples import (
    FRAME,
    RING,
    SQUARE,
    as_bytes,
    coco_of,
    masks_in,
    png,
    write_photos,
)

from latentcut.annotation.records import ClickRecord, Label
from latentcut.errors import BadAnnotationFile, NotInProject
from latentcut.formats.exporting import export_project
from latentcut.formats.importing import import_file
from latentcut.store.project import ProjectStore


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
    np.testing.assert_array_equal(masks_in(filled, 1)[2:], [SQUARE, FRAME])


def test_an_import_is_one_action_that_can_be_undone(filled, photos):
    data = png(SQUARE)

    import_file(filled, photos, "png", "a.png", data)
    document = filled.document(1)

    assert (document.can_undo, len(document.objects), document.revision) == ("import", 3, 2)
    assert [o.position for o in document.objects] == [0, 1, 2]
    assert len(filled.undo(1, 2).objects) == 2


def test_the_candidate_is_kept_only_where_it_can_be_had_again(store, photos):
    parts = [{"clicks": [{"x": 1, "y": 2}], "selected": 3, "by_user": True, "from_mask": True}]
    data = coco_of(SQUARE, latentcut={"parts": parts, "num_strokes": 0})

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
    import_file(store, photos, "coco", "x.json", coco_of(SQUARE, latentcut=latentcut))

    (part,) = store.document(1).objects[0].parts
    assert part.clicks == ()
    np.testing.assert_array_equal(masks_in(store, 1), [SQUARE])


def test_new_labels_are_added_behind_those_that_are_there(filled, photos):
    data = coco_of(SQUARE, categories=[{"id": 1, "name": "unused"}, {"id": 7, "name": "bird"}])

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
    report = import_file(store, photos, "coco", "x.json", coco_of(SQUARE, file_name=file_name))

    assert [image.id for image in report.images] == [expected]


@pytest.mark.parametrize("name", ["other/c.jpg", "c.png", "", "../.."])
def test_a_file_for_no_image_of_the_project_is_refused(store, photos, name):
    with pytest.raises(BadAnnotationFile) as caught:
        import_file(store, photos, "coco", "x.json", coco_of(SQUARE, file_name=name))

    assert str(caught.value) == f"x.json belongs to no image of this project: it is for {name}"
    assert store.document(3).revision == 0


def test_a_name_that_could_mean_two_images_means_none(tmp_path):
    write_photos(tmp_path, names=("x/a.jpg", "y/a.jpg", "b.jpg"))
    with ProjectStore.open(tmp_path) as store:
        store.sync_images(["x/a.jpg", "y/a.jpg", "b.jpg"])
        document = json.loads(coco_of(SQUARE, file_name="a.jpg"))
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
            import_file(store, photos, "png", name, png(SQUARE))
    else:
        report = import_file(store, photos, "png", name, png(SQUARE))
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
    report = import_file(store, photos, "png", "anything.png", png(SQUARE), image_id=2)

    assert [image.path for image in report.images] == ["b.png"]
    with pytest.raises(NotInProject) as caught:
        import_file(store, photos, "png", "anything.png", png(SQUARE), image_id=9)
    assert str(caught.value) == "there is no image 9 in this project"


def test_of_a_file_of_many_images_the_given_one_is_taken(store, photos):
    document = json.loads(coco_of(SQUARE, file_name="b.png"))
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
    document = json.loads(coco_of(SQUARE))
    document["annotations"].append(document["annotations"][0] | {"segmentation": {"size": 1}})

    with pytest.raises(BadAnnotationFile):
        import_file(store, photos, "coco", "x.json", as_bytes(document))

    assert store.document(1).revision == 0
    assert store.labels().labels == ()
