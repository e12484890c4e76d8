"""``latentcut export`` and ``latentcut import`` on a project of two small images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcut.annotation.records import Label, ObjectRecord, Part, mask_id_of
from latentcut.cli.export import ExportFormat
from latentcut.cli.import_ import ImportFormat
from latentcut.core.masks import coco_rle, mask_area, mask_box_xyxy
from latentcut.formats import exporting, importing
from latentcut.formats.exporting import WRITERS
from latentcut.formats.importing import READERS
from latentcut.store.project import ProjectStore

SQUARE = np.zeros((30, 40), dtype=bool)
SQUARE[5:15, 10:20] = True
RING = SQUARE.copy()
RING[8:12, 13:17] = False


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two images without a project."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((30, 40, 3), 90, np.uint8)).save(folder / name)
    return folder


def fill(store):
    """A cat with a hole in the first image."""
    store.sync_images(["a.png", "b.png"])
    store.set_labels([Label(id=0, name="cat")], 0)
    rle = coco_rle(RING)
    number = store.new_object_id(1)
    record = ObjectRecord(
        id=number,
        label=1,
        parts=(Part(mask=mask_id_of(rle)),),
        mask=mask_id_of(rle),
        area=mask_area(RING),
        box_xyxy=mask_box_xyxy(RING),
    )
    store.commit(1, 0, "click", {number: record}, {mask_id_of(rle): rle})


@pytest.fixture
def project(folder) -> Path:
    with ProjectStore.open(folder) as store:
        fill(store)
    return folder


def test_the_commands_know_the_formats():
    assert [member.value for member in ExportFormat] == list(WRITERS)
    assert [member.value for member in ImportFormat] == list(READERS)


def test_an_export_says_what_it_wrote_and_what_it_left_out(run, project):
    ran = run("export", project, "--format", "coco", "--polygons")

    target = project / "latentcut-export" / "coco"
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"1 object of 1 image in 1 file: {target}\n"
        "- images that are without objects and not done are left out: 1\n"
        "- objects have holes, which outlines would lose, and are run-length codes (1): "
        "a.png object 1\n"
    )
    document = json.loads((target / "annotations.json").read_bytes())
    assert document["annotations"][0]["area"] == 84


def test_the_report_can_be_json(run, project, tmp_path):
    ran = run("export", project, "--format", "png", "--output", tmp_path / "out", "--json")

    assert json.loads(ran.out) == {
        "format": "png",
        "folder": str(tmp_path / "out"),
        "files": ["masks/a.png", "objects.json"],
        "num_images": 1,
        "num_objects": 1,
        "report": [
            {"what": "images that are without objects and not done are left out: 1", "where": []}
        ],
    }


@pytest.mark.parametrize("format_name", WRITERS)
def test_every_format_is_exported_twice(run, project, format_name):
    for _ in range(2):
        ran = run("export", project, "--format", format_name)

        assert ran.code == 0
        assert ran.out.startswith("1 object of 1 image in ")


def test_the_project_file_stands_for_its_folder(run, project):
    ran = run("export", project / ".latentcut" / "project.db", "--format", "cutouts")

    assert ran.code == 0
    assert (project / "latentcut-export" / "cutouts" / "cutouts" / "a_01_cat.png").is_file()


def test_a_project_kept_elsewhere_has_its_exports_beside_it(run, folder, tmp_path):
    (tmp_path / "kept").mkdir()
    with ProjectStore.open(tmp_path / "kept" / "mine.db") as store:
        fill(store)

    without = run("export", tmp_path / "kept" / "mine.db", "--format", "coco")
    ran = run("export", tmp_path / "kept" / "mine.db", "--folder", folder, "--format", "coco")

    assert without.code == 2
    assert without.usage_error == (
        f"Invalid value for --folder: {tmp_path / 'kept' / 'mine.db'} does not lie in its image "
        "folder; say where that is"
    )
    document = tmp_path / "kept" / "latentcut-export" / "coco" / "annotations.json"
    assert ran.code == 0
    assert json.loads(document.read_bytes())["images"][0]["file_name"] == "../../../photos/a.png"


def test_an_option_of_another_format_is_a_usage_error(run, project):
    ran = run("export", project, "--format", "yolo", "--polygons")

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --polygons: it belongs to --format coco, not yolo"
    )
    assert not (project / "latentcut-export").exists()


def test_an_option_of_two_formats_names_both(run, project):
    ran = run("export", project, "--format", "png", "--images")

    assert ran.usage_error == (
        "Invalid value for --images: it belongs to --format yolo and voc, not png"
    )


def test_options_reach_the_files(run, project):
    run("export", project, "--format", "voc", "--void", 2, "--images")
    run("export", project, "--format", "cutouts", "--feather", 2, "--decontaminate")

    exports = project / "latentcut-export"
    with Image.open(exports / "voc" / "SegmentationClass" / "a.png") as image:
        classes = np.array(image)
    assert set(np.unique(classes)) == {0, 255}  # the ring is thinner than its two borders
    assert (exports / "voc" / "JPEGImages" / "a.jpg").is_file()
    with Image.open(exports / "cutouts" / "cutouts" / "a_01_cat.png") as image:
        assert image.size == (18, 18)  # 10 px, and twice the softness on both sides


def test_a_folder_without_a_project_is_told_what_to_do(run, folder):
    ran = run("export", folder, "--format", "coco")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"Error: {folder} does not exist or is not a project; run latentcut annotate first\n"
    )


def test_a_folder_that_is_not_there_is_named(run, tmp_path):
    ran = run("export", tmp_path / "no", "--format", "coco")

    assert ran.err == (
        f"Error: {tmp_path / 'no'} does not exist or is not an image folder or a project file\n"
    )


def test_files_of_somebody_else_are_not_replaced(run, project):
    ran = run("export", project, "--format", "coco", "--output", project)

    assert ran.code == 1
    assert "which no export wrote; give the name of a new or empty folder" in ran.err


def test_an_interrupt_says_how_to_go_on(run, project, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "export_project", interrupt)

    ran = run("export", project, "--format", "coco")

    assert ran.code == 130
    assert ran.err == ("Interrupted; every file that is there is whole, the same command goes on\n")


def test_what_was_exported_is_imported_into_a_new_project(run, project, tmp_path):
    run("export", project, "--format", "coco", "--output", tmp_path / "out")
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "a.png").write_bytes((project / "a.png").read_bytes())

    ran = run("import", copy, tmp_path / "out" / "annotations.json")

    assert (ran.code, ran.out) == (
        0,
        f"{tmp_path / 'out' / 'annotations.json'}: 1 object in 1 image\n",
    )
    with ProjectStore.open(copy, create=False) as store:
        document = store.document(1)
        assert [label.name for label in store.labels().labels] == ["cat"]
    assert (document.image.path, document.can_undo) == ("a.png", "import")
    assert document.objects[0].area == 84


def test_several_masks_are_imported_and_told_one_by_one(run, project, tmp_path):
    for name in ("a.png", "b__1.png"):
        Image.fromarray(SQUARE).save(tmp_path / name)

    ran = run("import", project, tmp_path / "a.png", tmp_path / "b__1.png", "--json")

    facts = json.loads(ran.out)["files"]
    assert [Path(fact["file"]).name for fact in facts] == ["a.png", "b__1.png"]
    assert [fact["images"][0]["path"] for fact in facts] == ["a.png", "b.png"]
    assert [fact["format"] for fact in facts] == ["png", "png"]


def test_the_image_can_be_named(run, project, tmp_path):
    Image.fromarray(SQUARE).save(tmp_path / "mask.png")

    ran = run("import", project, tmp_path / "mask.png", "--image", "b.png", "--format", "png")
    wrong = run("import", project, tmp_path / "mask.png", "--image", "c.png")

    assert ran.out == f"{tmp_path / 'mask.png'}: 1 object in 1 image\n"
    assert wrong.err == "Error: there is no image c.png in this project\n"


def test_what_was_imported_before_a_broken_file_is_told(run, project, tmp_path):
    Image.fromarray(SQUARE).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    ran = run("import", project, tmp_path / "a.png", tmp_path / "b.png")

    assert ran.code == 1
    assert ran.out == f"{tmp_path / 'a.png'}: 1 object in 1 image\n"
    assert ran.err == (
        f"Error: {tmp_path / 'b.png'} cannot be imported: the file is a broken PNG\n"
    )


def test_a_file_that_is_missing_is_named_before_anything_is_imported(run, project, tmp_path):
    Image.fromarray(SQUARE).save(tmp_path / "a.png")

    ran = run("import", project, tmp_path / "a.png", tmp_path / "no.json")

    assert ran.err == (
        f"Error: {tmp_path / 'no.json'} does not exist or is not an annotation file\n"
    )
    with ProjectStore.open(project) as store:
        assert store.document(1).revision == 1


def test_a_file_that_is_too_large_is_not_read(run, project, tmp_path, monkeypatch):
    from latentcut.formats import json_input

    monkeypatch.setattr(json_input, "MAX_FILE_BYTES", 10)
    (tmp_path / "a.json").write_bytes(b" " * 11)

    ran = run("import", project, tmp_path / "a.json")

    assert ran.err == (f"Error: {tmp_path / 'a.json'} has 11 bytes, but at most 10 are allowed\n")


def test_an_interrupted_import_says_how_far_it_came(run, project, tmp_path, monkeypatch):
    Image.fromarray(SQUARE).save(tmp_path / "a.png")

    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "import_file", interrupt)

    ran = run("import", project, tmp_path / "a.png")

    assert (ran.code, ran.err) == (130, "Interrupted after 0 files\n")
