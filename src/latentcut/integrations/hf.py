"""
Hugging Face's names for promptable segmentation over our predictor; transformers is not needed.

    from latentcut.integrations.hf import LatentcutModel, LatentcutProcessor

    processor, model = LatentcutProcessor.from_pretrained(), LatentcutModel.from_pretrained()
    inputs = processor(image, input_points=[[[[225, 120]]]])
    outputs = model(**inputs)
    masks = processor.post_process_masks(
        outputs.pred_masks, inputs["original_sizes"], inputs["reshaped_input_sizes"]
    )

Shapes, order of axes and padding are those of ``SamProcessor`` and ``SamModel``; everything is
NumPy, or torch with ``return_tensors="pt"``. A saved folder holds a bundle beside config.json and
preprocessor_config.json.
"""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentcut.core.bundle import default_bundle_path
from latentcut.core.clicks import Click
from latentcut.core.frame import resize
from latentcut.core.images import read_image
from latentcut.core.predictor import ImageSource, Predictor, load
from latentcut.integrations.sam import LOW_RES_PX, as_array, box_of, low_resolution

FloatArray = NDArray[np.float32]

PADDING_LABEL = -10  # of points that only fill up an object with fewer of them
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
MODEL_TYPE = "latentcut"


@dataclass(frozen=True)
class SegmentationOutput:
    """
    What the model says.

    Attributes:
        pred_masks: Logits float32 (B, objects, M, 256, 256), positive inside, each in the top left
            corner of its square as large as ``reshaped_input_sizes`` says.
        iou_scores: Expected IoUs float32 (B, objects, M).
    """

    pred_masks: Any
    iou_scores: Any

    def __getitem__(self, name: str) -> Any:
        """By name, as Hugging Face's outputs can be read, too."""
        return getattr(self, name)


class LatentcutProcessor:
    """Images and prompts to what ``LatentcutModel`` takes, and its masks to image resolution."""

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None) -> LatentcutProcessor:
        """A processor; the folder is only looked at. Raises ValueError for another model's."""
        if folder is not None:
            check_config(Path(folder) / PREPROCESSOR, "processor_class", cls.__name__)
        return cls()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write preprocessor_config.json."""
        facts = {"processor_class": type(self).__name__, "mask_size": LOW_RES_PX}
        write_config(Path(folder) / PREPROCESSOR, facts)

    def __call__(
        self,
        images: ImageSource | Sequence[ImageSource],
        input_points: Sequence[Any] | None = None,
        input_labels: Sequence[Any] | None = None,
        input_boxes: Sequence[Any] | None = None,
        segmentation_maps: Sequence[ArrayLike] | None = None,
        return_tensors: str = "np",
    ) -> dict[str, Any]:
        """
        Gather a batch.

        Args:
            images: One image, or a list: paths, PIL images or uint8 RGB arrays (H, W, 3).
            input_points: [image][object][point] -> (x, y), pixels of the image.
            input_labels: [image][object][point] -> 1 on the object, 0 beside it; None: all 1.
            input_boxes: [image][object] -> (x0, y0, x1, y1).
            segmentation_maps: A label map for each image, given back as "labels".
            return_tensors: "np" or "pt".

        Returns:
            pixel_values, a list of uint8 (H, W, 3); original_sizes and reshaped_input_sizes
            (B, 2); and input_points (B, objects, points, 2), input_labels (B, objects, points)
            and input_boxes (B, objects, 4) where they were given. Shorter lists are filled up
            with points of the label -10.

        Raises:
            ValueError: Prompts do not fit the images or each other.
            UnreadableImage, UnsupportedImage, ImageTooLarge: See ``read_image``.
        """
        if return_tensors not in ("np", "pt"):
            raise ValueError(f'return_tensors must be "np" or "pt", given {return_tensors!r}')
        many: Sequence[Any] = images if isinstance(images, list | tuple) else [images]
        pixels = [read_image(image) for image in many]
        sizes = [image.shape[:2] for image in pixels]
        batch: dict[str, Any] = {
            "original_sizes": np.array(sizes),
            "reshaped_input_sizes": np.array([reduced_size(size) for size in sizes]),
        }
        check_count(len(many), points=input_points, labels=input_labels, boxes=input_boxes)
        if input_points is not None:
            batch |= padded_points(input_points, input_labels)
        elif input_labels is not None:
            raise ValueError("input_labels were given without input_points")
        if input_boxes is not None:
            batch["input_boxes"] = np.array(input_boxes, dtype=np.float64)
        if segmentation_maps is not None:
            batch["labels"] = np.stack([np.asarray(each) for each in segmentation_maps])
        if return_tensors == "pt":
            batch = {name: tensor_of(array) for name, array in batch.items()}
        return {"pixel_values": pixels, **batch}

    def post_process_masks(
        self,
        masks: Any,
        original_sizes: Any,
        reshaped_input_sizes: Any,
        mask_threshold: float = 0.0,
        binarize: bool = True,
    ) -> list[Any]:
        """
        Masks at image resolution.

        Args:
            masks: Logits (B, objects, M, 256, 256), or a list of B arrays.
            original_sizes: (B, 2), heights and widths of the images.
            reshaped_input_sizes: (B, 2), as of ``__call__``.
            mask_threshold: Logit above which a pixel is inside.
            binarize: False gives the resized logits.

        Returns:
            For each image bool, or float32, (objects, M, H, W).
        """
        results = []
        sizes = zip(as_array(original_sizes), as_array(reshaped_input_sizes), strict=True)
        for planes, (size, reduced) in zip(masks, sizes, strict=True):
            array = as_array(planes)[..., : reduced[0], : reduced[1]]
            flat = array.reshape(-1, *array.shape[-2:]).astype(np.float32)
            height, width = int(size[0]), int(size[1])
            full = np.stack([resize(plane, (height, width)) for plane in flat])
            shaped = full.reshape(*array.shape[:-2], height, width)
            result = shaped > mask_threshold if binarize else shaped
            results.append(tensor_of(result) if hasattr(planes, "detach") else result)
        return results


class LatentcutModel:
    """
    The predictor under the names of ``SamModel``.

    Args:
        predictor: Who answers.
        folder: The bundle it was loaded from, for ``save_pretrained``.
    """

    def __init__(self, predictor: Predictor, folder: Path) -> None:
        self.predictor, self._folder = predictor, folder

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None, threads: int = 0) -> LatentcutModel:
        """
        The model of a bundle, or of a folder that ``save_pretrained`` has written.

        Args:
            folder: None: the bundle inside the package.
            threads: As for ``latentcut.load``.

        Raises:
            FileMissing, BundleBroken: It is no such folder.
            ValueError: It says that it is another kind of model.
        """
        path = default_bundle_path() if folder is None else Path(folder)
        check_config(path / CONFIG, "model_type", MODEL_TYPE)
        return cls(load(path, threads), path)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the bundle's files and config.json."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(self._folder.iterdir()):
            if file.is_file() and file.resolve() != (target / file.name).resolve():
                shutil.copyfile(file, target / file.name)
        facts = {"model_type": MODEL_TYPE, "architectures": [type(self).__name__]}
        facts |= {"num_masks": self.predictor.num_masks}  # type: ignore[dict-item]  # any JSON
        write_config(target / CONFIG, facts)

    def __call__(
        self,
        pixel_values: Sequence[NDArray[np.uint8]],
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        multimask_output: bool = True,
        **_: Any,
    ) -> SegmentationOutput:
        """
        Answer all prompts of a batch; arguments as of ``LatentcutProcessor``.

        Args:
            pixel_values: B images.
            input_points: (B, objects, points, 2), or None.
            input_labels: (B, objects, points), or None.
            input_boxes: (B, objects, 4), or None.
            multimask_output: All M candidates; else g's choice alone.

        Raises:
            ValueError: There are no prompts.
            ClickOutsideImage, BadBox: See ``Predictor.predict``.
        """
        if input_points is None and input_boxes is None:
            raise ValueError("give input_points or input_boxes: there is nothing to answer")
        planes, scores = [], []
        for place, image in enumerate(pixel_values):
            encoded = self.predictor.encode(image)
            for clicks, box in prompts_of(input_points, input_labels, input_boxes, place):
                prediction = self.predictor.predict(encoded, clicks, box=box)
                chosen = range(prediction.num_masks) if multimask_output else [prediction.selected]
                planes.append(np.stack([squared(prediction.logits(index)) for index in chosen]))
                scores.append(prediction.expected_iou[list(chosen)])
        num_objects = len(planes) // len(pixel_values)
        masks = np.stack(planes).reshape(len(pixel_values), num_objects, *planes[0].shape)
        ious = np.stack(scores).reshape(*masks.shape[:3])
        if hasattr(input_points if input_points is not None else input_boxes, "detach"):
            return SegmentationOutput(tensor_of(masks), tensor_of(ious))
        return SegmentationOutput(masks, ious)


def prompts_of(
    points: Any, labels: Any, boxes: Any, place: int
) -> Iterator[tuple[tuple[Click, ...], tuple[float, float, float, float] | None]]:
    """Clicks and box of each object of an image."""
    own_points = None if points is None else as_array(points)[place]
    own_labels = None if labels is None else as_array(labels)[place]
    own_boxes = None if boxes is None else as_array(boxes)[place]
    for number in range(len(own_boxes if own_points is None else own_points)):  # type: ignore[arg-type]
        clicks: tuple[Click, ...] = ()
        if own_points is not None:
            signs = np.ones(len(own_points[number])) if own_labels is None else own_labels[number]
            pairs = zip(own_points[number], signs, strict=True)
            clicks = tuple(Click(float(x), float(y), s == 1) for (x, y), s in pairs if s >= 0)
        yield clicks, None if own_boxes is None else box_of(own_boxes[number])


def padded_points(points: Sequence[Any], labels: Sequence[Any] | None) -> dict[str, NDArray[Any]]:
    """Points (B, objects, points, 2) and their labels, filled up. Raises ValueError."""
    num_objects = max(len(objects) for objects in points)
    num_points = max(len(of_object) for objects in points for of_object in objects)
    shape = len(points), num_objects, num_points
    filled = np.zeros((*shape, 2))
    signs = np.full(shape, PADDING_LABEL, dtype=np.int64)
    for b, objects in enumerate(points):
        for o, of_object in enumerate(objects):
            given = np.ones(len(of_object)) if labels is None else np.asarray(labels[b][o])
            if given.shape != (len(of_object),):
                raise ValueError(
                    f"image {b}, object {o} has {len(of_object)} points and labels of the shape "
                    f"{given.shape}: give one label for each point"
                )
            filled[b, o, : len(of_object)] = of_object
            signs[b, o, : len(of_object)] = given
    return {"input_points": filled, "input_labels": signs}


def check_count(num_images: int, **given: Sequence[Any] | None) -> None:
    """Raise ValueError unless there are prompts for each image."""
    for name, value in given.items():
        if value is not None and len(value) != num_images:
            raise ValueError(
                f"input_{name} must hold one list for each of {num_images} images, "
                f"given {len(value)}"
            )


def reduced_size(size_hw: tuple[int, ...]) -> tuple[int, int]:
    """Size of the logits of an image, at most 256 px."""
    factor = min(1.0, LOW_RES_PX / max(size_hw))
    height, width = (max(1, round(side * factor)) for side in size_hw)
    return height, width


def squared(logits: FloatArray) -> FloatArray:
    """Logits of an image, reduced, in the top left corner of a square of 256 px."""
    plane = low_resolution(logits)
    square = np.full((LOW_RES_PX, LOW_RES_PX), float(plane.min()), dtype=np.float32)
    square[: plane.shape[0], : plane.shape[1]] = plane
    return square


def tensor_of(array: NDArray[Any]) -> Any:
    """An array as a torch tensor; torch is only imported where tensors are asked for."""
    return importlib.import_module("torch").from_numpy(np.ascontiguousarray(array))


def check_config(path: Path, key: str, wanted: str) -> None:
    """Raise ValueError where a config says that it is of another kind of model."""
    if path.exists():
        facts = json.loads(path.read_text(encoding="utf-8"))
        found = facts.get(key) if isinstance(facts, Mapping) else None
        if found != wanted:
            raise ValueError(f"{path} says {key} {found!r}, and only {wanted!r} can be used here")


def write_config(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a config as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
