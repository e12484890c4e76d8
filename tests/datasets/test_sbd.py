from __future__ import annotations

import sys

import pytest
from layout_drawings import draw_sbd

from latentcut.datasets.dataset import open_dataset
from latentcut.errors import DatasetBroken, FileMissing, MissingExtra

savemat = pytest.importorskip("scipy.io", reason="SBD needs the extra evaluation").savemat


def test_objects_are_the_values_of_the_matlab_struct(tmp_path):
    dataset = open_dataset(draw_sbd(tmp_path))

    areas = {ref.name: int(dataset.sample(ref).gt_mask.sum()) for ref in dataset.objects()}

    assert dataset.format == "sbd"
    assert areas == {
        "2008_000002:1": 25,
        "2008_000002:2": 36,
        "2008_000003:1": 25,
        "2008_000003:2": 36,
    }


def test_training_takes_the_list_of_training(tmp_path):
    dataset = open_dataset(draw_sbd(tmp_path), split="train")

    assert [entry.image_id for entry in dataset.images] == ["2008_000008"]


@pytest.mark.parametrize("inner", ["benchmark_RELEASE", "benchmark_RELEASE/dataset"])
def test_the_inner_folders_can_be_given_too(tmp_path, inner):
    root = draw_sbd(tmp_path)

    dataset = open_dataset(root / inner)

    assert (dataset.format, len(dataset.images)) == ("sbd", 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param({"GTcls": {"Segmentation": [[1]]}}, "no GTinst.Segmentation", id="classes"),
        pytest.param({"GTinst": {"Boundaries": [[1]]}}, "no GTinst.Segmentation", id="no-field"),
        pytest.param(
            {"GTinst": {"Segmentation": [[0.5]]}},
            "a GTinst.Segmentation that is no label map",
            id="fractions",
        ),
    ],
)
def test_a_file_without_instances_is_refused(tmp_path, content, message):
    dataset = open_dataset(draw_sbd(tmp_path))
    path = dataset.images[0].mask_paths[0]
    savemat(path, content)

    with pytest.raises(DatasetBroken) as caught:
        dataset.label_maps(dataset.images[0])

    assert str(caught.value) == f"{path} holds {message}"


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file, and nothing more" * 9])
def test_a_file_that_is_broken_is_refused_by_name(tmp_path, content):
    dataset = open_dataset(draw_sbd(tmp_path))
    path = dataset.images[0].mask_paths[0]
    path.write_bytes(content)

    with pytest.raises(DatasetBroken) as caught:
        dataset.label_maps(dataset.images[0])

    # what follows is scipy's own sentence
    assert str(caught.value).startswith(f"{path} cannot be read as a MATLAB file: ")


def test_a_folder_that_is_missing_is_named_with_the_download(tmp_path):
    with pytest.raises(FileMissing) as caught:
        open_dataset(f"sbd:{tmp_path}")

    assert str(caught.value) == (
        f"{tmp_path / 'img'} does not exist or is not a folder (SBD has img/, inst/, train.txt "
        "and val.txt in benchmark_RELEASE/dataset/; "
        "download: http://home.bharathh.info/pubs/codes/SBD/download.html)"
    )


def test_without_scipy_the_extra_is_named(tmp_path, monkeypatch):
    root = draw_sbd(tmp_path)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    monkeypatch.setitem(sys.modules, "scipy", None)

    with pytest.raises(MissingExtra) as caught:
        open_dataset(root)

    assert str(caught.value) == (
        "reading SBD needs packages that are not installed: run pip install 'latentcut[evaluation]'"
    )
