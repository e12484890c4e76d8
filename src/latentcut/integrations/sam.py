"""
Segment Anything's predictor interface over our predictor.

A script that was written for ``segment_anything`` runs with its import changed:

    from latentcut.integrations.sam import SamPredictor, sam_model_registry

Differences: six masks instead of three with ``multimask_output=True``; ``scores`` are expected
IoUs, and the selected mask is their argmax; low-resolution logits have the image's shape.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentcut.core.clicks import Click
from latentcut.core.encoded import EncodedImage
from latentcut.core.frame import resize
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor, load
from latentcut.integrations.sam_automatic import AutomaticMaskGenerator

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

LOW_RES_PX = 256  # longer side of the logits that come back as mask_input
NO_IMAGE = "An image must be set with .set_image(...) before mask prediction."
FORMATS = ("RGB", "BGR")
EMBEDDING = 1  # its place among the encoder's outputs


class SameFrame:
    """
    SAM's ``transform``, which moves images and prompts into its network's frame.

    Here prompts are pixels of the image everywhere, so all of it comes back as it was given, and
    scripts that transform before ``predict_torch`` or ``set_torch_image`` are answered right.
    """

    def apply_image(self, image: Any) -> Any:
        """The image itself."""
        return image

    def apply_coords(self, coords: Any, original_size: tuple[int, ...]) -> Any:
        """The positions themselves."""
        return coords

    def apply_boxes(self, boxes: Any, original_size: tuple[int, ...]) -> Any:
        """The boxes themselves."""
        return boxes

    apply_image_torch = apply_image
    apply_coords_torch = apply_coords
    apply_boxes_torch = apply_boxes


class ClickPredictor:
    """
    One image at a time, as SAM's predictor: ``set_image``, then ``predict`` as often as wanted.

    The image's state is replaced as a whole, so predictions of several threads on one image
    equal those made one after the other. For several images at once use one object each: they
    share the model.

    Args:
        model: A predictor, the folder of a bundle, or None for the bundle inside the package.
    """

    mask_threshold = 0.0
    image_format = "RGB"
    device = "cpu"
    transform = SameFrame()

    def __init__(self, model: Predictor | str | Path | None = None) -> None:
        self.model = model if isinstance(model, Predictor) else load(model)
        self._encoded: EncodedImage | None = None

    @property
    def is_image_set(self) -> bool:
        """Whether ``predict`` can be asked."""
        return self._encoded is not None

    @property
    def original_size(self) -> tuple[int, int]:
        """Height and width of the image, in pixels. Raises RuntimeError without one."""
        return self._image().size_hw

    @property
    def input_size(self) -> tuple[int, int]:
        """The same: there is no other frame that callers need to know."""
        return self.original_size

    def set_image(self, image: NDArray[np.uint8], image_format: str = "RGB") -> None:
        """
        Compute what does not depend on prompts.

        Args:
            image: uint8 (H, W, 3).
            image_format: "RGB" or "BGR".

        Raises:
            ValueError: Another format, or no such array.
        """
        if image_format not in FORMATS:
            raise ValueError(f"image_format must be one of {FORMATS}, given {image_format!r}")
        pixels = np.asarray(image)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(f"image must be uint8 (H, W, 3), given {pixels.dtype} {pixels.shape}")
        self._encoded = self.model.encode(pixels if image_format == "RGB" else pixels[:, :, ::-1])

    def set_torch_image(self, transformed_image: Any, original_image_size: tuple[int, ...]) -> None:
        """
        ``set_image`` for a batch of one.

        Args:
            transformed_image: uint8 values (1, 3, H, W), tensor or array, of any number type.
            original_image_size: Its (H, W): ``transform`` leaves images as they are.

        Raises:
            ValueError: Another shape, or an image that was scaled elsewhere.
        """
        batch = as_array(transformed_image)
        height, width = original_image_size[:2]
        if batch.shape != (1, 3, height, width):
            raise ValueError(
                f"transformed_image must be (1, 3, {height}, {width}), as original_image_size says "
                f"and predictor.transform leaves it, given {batch.shape}"
            )
        pixels = np.clip(np.rint(batch[0].transpose(1, 2, 0)), 0, 255).astype(np.uint8)
        self.set_image(np.ascontiguousarray(pixels))

    def reset_image(self) -> None:
        """Forget the image."""
        self._encoded = None

    def predict(
        self,
        point_coords: ArrayLike | None = None,
        point_labels: ArrayLike | None = None,
        box: ArrayLike | None = None,
        mask_input: ArrayLike | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[BoolArray | FloatArray, FloatArray, FloatArray]:
        """
        Answer points, a box, an earlier mask, or several of them.

        Args:
            point_coords: (N, 2), pixels of the image, order (x, y).
            point_labels: (N,), 1 on the object, 0 on the background, -1 padding.
            box: (4,), x0, y0, x1, y1.
            mask_input: float (1, h, w), a plane of logits that was returned before.
            multimask_output: All M candidates, or g's choice alone.
            return_logits: Logits in place of masks.

        Returns:
            masks bool (C, H, W), or with return_logits float32, positive inside; scores
            float32 (C,), the expected IoU of each; logits float32 (C, h, w) at reduced size, to
            be given back as mask_input. C is M, or 1.

        Raises:
            RuntimeError: No image was set.
            ValueError: Points and labels do not fit each other, or nothing was given.
            ClickOutsideImage, BadBox: See ``Predictor.predict``.
        """
        encoded = self._image()
        prediction = self.model.predict(
            encoded,
            clicks_of(point_coords, point_labels),
            None if mask_input is None else mask_of(mask_input, encoded.size_hw),
            None if box is None else box_of(box),
        )
        chosen = range(prediction.num_masks) if multimask_output else [prediction.selected]
        logits = np.stack([prediction.logits(index) for index in chosen])
        scores = prediction.expected_iou[list(chosen)].astype(np.float32)
        masks = logits if return_logits else logits > 0
        return masks, scores, np.stack([low_resolution(plane) for plane in logits])

    def predict_torch(
        self,
        point_coords: Any,
        point_labels: Any,
        boxes: Any = None,
        mask_input: Any = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[Any, Any, Any]:
        """
        Answer B prompts on the image one after the other.

        Takes NumPy arrays or tensors, and gives back what came in; torch is not imported here.

        Args:
            point_coords: (B, N, 2), or None; pixels of the image, not of a network frame.
            point_labels: (B, N), or None.
            boxes: (B, 4), or None.
            mask_input: (B, 1, h, w), or None.
            multimask_output: As for ``predict``.
            return_logits: Likewise.

        Returns:
            masks (B, C, H, W), scores (B, C), logits (B, C, h, w).

        Raises:
            RuntimeError, ValueError: As for ``predict``; also when all four are None, or when
                they are not equally many.
        """
        given = {"point_coords": point_coords, "point_labels": point_labels}
        given |= {"box": boxes, "mask_input": mask_input}
        arrays = {name: as_array(value) for name, value in given.items() if value is not None}
        lengths = {len(array) for array in arrays.values()}
        if len(lengths) != 1:
            raise ValueError(
                "point_coords, point_labels, boxes and mask_input must hold equally many prompts, "
                f"given { {name: len(array) for name, array in arrays.items()} }"
            )
        flags = {"multimask_output": multimask_output, "return_logits": return_logits}
        answers = [
            self.predict(**{name: array[place] for name, array in arrays.items()}, **flags)
            for place in range(lengths.pop())
        ]
        like = next(value for value in given.values() if value is not None)
        masks, scores, logits = (
            like_input(np.stack(part), like) for part in zip(*answers, strict=True)
        )
        return masks, scores, logits

    def get_image_embedding(self) -> FloatArray:
        """What clicks are compared with, float32 (1, C, h, w). Raises RuntimeError."""
        embedding: FloatArray = self._image().features[EMBEDDING]
        return embedding

    def prediction(self, point_coords: ArrayLike, point_labels: ArrayLike) -> Prediction:
        """The same answer with all that SAM's interface has no place for."""
        return self.model.predict(self._image(), clicks_of(point_coords, point_labels))

    def _image(self) -> EncodedImage:
        encoded = self._encoded  # read once: another thread may set another image
        if encoded is None:
            raise RuntimeError(NO_IMAGE)  # callers match on this text
        return encoded


def clicks_of(point_coords: ArrayLike | None, point_labels: ArrayLike | None) -> tuple[Click, ...]:
    """Points and labels as clicks. Raises ValueError where they do not fit each other."""
    if point_coords is None:
        if point_labels is not None:
            raise ValueError("point_labels were given without point_coords")
        return ()
    if point_labels is None:
        raise ValueError("point_labels must be supplied if point_coords is supplied.")
    points = np.asarray(point_coords, dtype=np.float64)
    labels = np.asarray(point_labels)
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ValueError(
            "point_coords must be (N, 2) and point_labels (N,), "
            f"given {points.shape} and {labels.shape}"
        )
    if not np.isin(labels, (-1, 0, 1)).all():
        raise ValueError(f"point_labels must be 1, 0 or -1, given {sorted(set(labels.tolist()))}")
    pairs = zip(points, labels, strict=True)
    return tuple(Click(float(x), float(y), bool(label)) for (x, y), label in pairs if label >= 0)


def as_array(value: Any) -> NDArray[Any]:
    """An array, or a tensor of any device, as an array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def like_input(array: NDArray[Any], given: Any) -> Any:
    """An array as a tensor, where a tensor was given: made by the tensor's own library."""
    if not hasattr(given, "detach"):
        return array
    torch = importlib.import_module(type(given).__module__.partition(".")[0])
    return torch.from_numpy(np.ascontiguousarray(array)).to(given.device)


def box_of(box: ArrayLike) -> tuple[float, float, float, float]:
    """A box as four floats. Raises ValueError."""
    values = np.asarray(box, dtype=np.float64).reshape(-1)
    if values.shape != (4,):
        raise ValueError(f"box must hold x0, y0, x1, y1, given {np.shape(box)}")
    x0, y0, x1, y1 = (float(v) for v in values)
    return x0, y0, x1, y1


def mask_of(mask_input: ArrayLike, size_hw: tuple[int, int]) -> BoolArray:
    """A plane of low-resolution logits as a mask of the image. Raises ValueError."""
    plane = np.asarray(mask_input, dtype=np.float32)
    if plane.ndim == 3 and plane.shape[0] == 1:
        plane = plane[0]
    if plane.ndim != 2 or 0 in plane.shape:
        raise ValueError(f"mask_input must be (1, h, w), given {np.shape(mask_input)}")
    mask: BoolArray = resize(plane, size_hw) > 0
    return mask


def low_resolution(plane: FloatArray) -> FloatArray:
    """Logits (H, W) with a longer side of at most 256 px."""
    factor = min(1.0, LOW_RES_PX / max(plane.shape))
    height, width = (max(1, round(side * factor)) for side in plane.shape)
    small: FloatArray = resize(plane, (height, width))
    return small


class Model(Predictor):
    """What the registry returns: a predictor that can be sent to a device, which does nothing."""

    def to(self, device: Any = None) -> Model:
        """Stay where it is: predictions run on the CPU."""
        return self

    def eval(self) -> Model:
        """Stay as it is: there is no training mode."""
        return self


def build_model(checkpoint: str | Path | None = None) -> Model:
    """
    A model for ``SamPredictor``.

    Args:
        checkpoint: The folder of a bundle of ours; None: the one inside the package.

    Raises:
        FileMissing, BundleBroken: It is none. Weights of SAM cannot be used.
    """
    loaded = load(checkpoint)
    return Model(
        loaded.backend,
        loaded.frame_info,
        loaded.selection,
        loaded.limits,
        loaded.fingerprint,
    )


SamPredictor = ClickPredictor
SamAutomaticMaskGenerator = AutomaticMaskGenerator
sam_model_registry: Mapping[str, Callable[..., Model]] = dict.fromkeys(
    ("default", "vit_h", "vit_l", "vit_b"), build_model
)
