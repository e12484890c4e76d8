"""
A bundle: the folder a user loads. Two ONNX graphs, model.json and a model card.

model.json names the graphs with their sha256, so a bundle that was altered or cut off is
refused. Nothing in a bundle can run code: graphs are data to ONNX Runtime, and a graph that
refers to other files is refused by ``onnx_backend``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from latentcut.errors import BadConfig, BundleBroken, FileMissing, nearest

INFO_NAME = "model.json"
ENCODER_NAME, DECODER_NAME = "encoder.onnx", "decoder.onnx"
MAX_GRAPH_BYTES = 2**31 - 1  # what the ONNX format can hold in one file
MAX_INFO_BYTES = 1_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FrameInfo(_Strict):
    """
    How images are shown to the network.

    Attributes:
        first_px: Longer side of the frame of the whole image.
        zoom_px: Longer side of the frame of a crop.
        zoom_factor: Side of a crop over side of the object.
        zoom_min_gain: Least ratio of the image's longer side to the crop's that makes a crop
            worth its encoding; 1.0: always, so that large objects are shown at zoom_px, too.
        click_look_share: Side of a crop around the first clicks in which they are answered, too,
            over the image's longer side; None: never.
        click_look_px: Longer side of the frame of that crop.
        second_look_gain: Least such ratio at which a first answer is looked at again, zoomed
            in; None: never.
        begin_anew_below: Expected IoU below which, after a click that contradicts the mask
            before it (``doubt.contradicts``), the clicks are also answered without that mask, and
            the better answer is kept; None: never.
        mirror: Whether the network is also asked about the mirror image; the answer is the mean.
    """

    first_px: int = Field(default=448, ge=64, le=2048, multiple_of=16)
    zoom_px: int = Field(default=384, ge=64, le=2048, multiple_of=16)
    zoom_factor: float = Field(default=1.3, ge=1.0, le=4.0)
    zoom_min_gain: float = Field(default=1.0, ge=1.0)
    click_look_share: float | None = Field(default=None, gt=0.0, lt=1.0)
    click_look_px: int = Field(default=320, ge=64, le=2048, multiple_of=16)
    second_look_gain: float | None = Field(default=1.2, ge=1.0)
    begin_anew_below: float | None = Field(default=0.6, gt=0.0, le=1.0)
    mirror: bool = False


class SelectionInfo(_Strict):
    """
    How g's scores are read.

    Attributes:
        objective: What g was trained for.
        temperature: Divides the expected IoUs (objective "expected_iou") or the raw scores
            ("cross_entropy") before the softmax that gives probabilities.
        iou_scale: expected IoU = sigmoid(iou_scale * score + iou_offset), fitted on held-out
            training images.
        iou_offset: See iou_scale.
    """

    objective: Literal["expected_iou", "cross_entropy"] = "expected_iou"
    temperature: float = Field(default=0.05, gt=0)
    iou_scale: float = Field(default=1.0, gt=0)
    iou_offset: float = 0.0


class FileInfo(_Strict):
    """Fingerprint of one file of the bundle."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    num_bytes: int = Field(ge=1, le=MAX_GRAPH_BYTES)


class BundleInfo(_Strict):
    """
    The content of model.json.

    Attributes:
        format: Version of this layout.
        name: What the bundle calls itself.
        num_masks: M.
        frame: How images are shown to the network.
        selection: How g's scores are read.
        files: Fingerprints of encoder.onnx and decoder.onnx.
        provenance: Config, data, steps and versions the weights come from.
    """

    format: Literal[1] = 1
    name: str = Field(min_length=1, max_length=100)
    num_masks: int = Field(ge=1, le=64)
    frame: FrameInfo = FrameInfo()
    selection: SelectionInfo = SelectionInfo()
    files: dict[str, FileInfo]
    provenance: dict[str, Any] = {}


@dataclass(frozen=True)
class Bundle:
    """A bundle in memory, checked."""

    info: BundleInfo
    encoder: bytes
    decoder: bytes

    @property
    def fingerprint(self) -> str:
        """sha256 over everything that decides an answer; names the bundle in result files."""
        facts = self.info.model_dump(exclude={"name", "provenance"})
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def with_frame(bundle: Bundle, overrides: Sequence[str]) -> Bundle:
    """
    The same bundle with other frame settings; its fingerprint changes with them.

    Args:
        bundle: Stays as it is.
        overrides: ``key=value`` each, keys of FrameInfo; ``none`` for None.

    Raises:
        BadConfig: Unknown key, or a value that is not allowed.
    """
    settings = bundle.info.frame.model_dump()
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or key not in settings:
            raise BadConfig(
                f"frame setting {override!r} must look like key=value; {nearest(key, settings)}"
            )
        settings[key] = None if text.lower() == "none" else text
    try:
        frame = FrameInfo.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadConfig(f"frame setting {first['loc'][0]}: {first['msg']}") from error
    return replace(bundle, info=bundle.info.model_copy(update={"frame": frame}))


def default_bundle_path() -> Path:
    """Folder of the bundle that comes with the package."""
    return Path(__file__).resolve().parent.parent / "bundles" / "default"


def read_bundle(path: Path) -> Bundle:
    """
    Read a bundle folder and check it.

    Raises:
        FileMissing: The folder or model.json does not exist.
        BundleBroken: model.json does not fit the layout, or a graph is missing, has another size
            or another sha256 than model.json says.
    """
    if not path.is_dir():
        raise FileMissing(path, "a bundle folder (with model.json)")
    info = _read_info(path / INFO_NAME)
    graphs = {}
    for name in (ENCODER_NAME, DECODER_NAME):
        if name not in info.files:
            raise BundleBroken(f"{path / INFO_NAME} does not list {name} under files")
        graphs[name] = _read_graph(path / name, info.files[name])
    return Bundle(info, graphs[ENCODER_NAME], graphs[DECODER_NAME])


def _read_info(path: Path) -> BundleInfo:
    if not path.is_file():
        raise FileMissing(path, "the model.json of a bundle")
    if path.stat().st_size > MAX_INFO_BYTES:
        raise BundleBroken(f"{path} is larger than {MAX_INFO_BYTES} bytes")
    try:
        return BundleInfo.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BundleBroken(f"{path} does not fit: {where}: {first['msg']}") from error


def _read_graph(path: Path, expected: FileInfo) -> bytes:
    if not path.is_file():
        raise BundleBroken(f"{path} is missing; copy the bundle folder again, whole")
    size = path.stat().st_size
    if size != expected.num_bytes:
        raise BundleBroken(
            f"{path} has {size} bytes, model.json says {expected.num_bytes}; "
            "copy the bundle folder again, whole"
        )
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected.sha256:
        raise BundleBroken(
            f"{path} has sha256 {digest}, model.json says {expected.sha256}; it was altered "
            "or damaged: copy the bundle folder again, whole"
        )
    return content


def file_info(content: bytes) -> FileInfo:
    """The fingerprint of a file's content."""
    return FileInfo(sha256=hashlib.sha256(content).hexdigest(), num_bytes=len(content))
