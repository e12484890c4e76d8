"""The predictor: encode an image once, then answer clicks and boxes. Stateless, thread-safe."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentcut.core.backend import Backend
from latentcut.core.box_prompt import (
    Box,
    BoxXyxy,
    check_box,
    filled_box,
    first_hints,
    fits,
    judge,
    later_hints,
)
from latentcut.core.bundle import (
    Bundle,
    FrameInfo,
    SelectionInfo,
    default_bundle_path,
    read_bundle,
)
from latentcut.core.clicks import Click, Clicks, check_clicks, click_points_xy
from latentcut.core.doubt import contradicts
from latentcut.core.encoded import EncodedImage, View
from latentcut.core.everything import EverythingOptions, FoundObject, find_all
from latentcut.core.frame import Frame, click_frame, crop_frame, resize, whole_frame, zoom_frame
from latentcut.core.guidance import GUIDANCE_STRIDE, embedding_clicks, guidance_maps
from latentcut.core.images import ImageLimits, read_image
from latentcut.core.mirrored import MirroredBackend
from latentcut.core.onnx_backend import OnnxBackend
from latentcut.core.prediction import PlacedLogits, Prediction, place_logits
from latentcut.core.session import Session
from latentcut.errors import MaskSizeMismatch, NoClicks

BoolArray = NDArray[np.bool_]
ImageSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]

MAX_CUT_SHARE = 0.03  # of a crop's edge inside a candidate: more, and it goes on outside


class Answer(NamedTuple):
    """What f and g said: M placed candidates, and g's raw scores, float32 (M,)."""

    placed: tuple[PlacedLogits, ...]
    scores: NDArray[np.float32]

    def judged(self, box: Box) -> Answer:
        """The answer to a box: cut off outside of it, and scored by how it agrees with it."""
        return Answer(*judge(self.placed, self.scores, box))

    def improved_by(self, closer: Answer) -> Answer:
        """
        Each candidate from the look that g expects more of.

        One that the closer look cuts off goes on outside of it, so it stays as it is.
        """
        is_cut = [frame.cut_share(logits) > MAX_CUT_SHARE for logits, frame in closer.placed]
        is_better = (closer.scores > self.scores) & ~np.array(is_cut)
        pairs = zip(is_better, closer.placed, self.placed, strict=True)
        return Answer(
            tuple(new if better else old for better, new, old in pairs),
            np.where(is_better, closer.scores, self.scores),
        )

    def mask_for(self, frame: Frame) -> NDArray[np.float32]:
        """The best candidate as the next run's previous mask in the same frame, (H / 4, W / 4)."""
        inside = (self.placed[int(self.scores.argmax())].logits > 0).astype(np.float32)
        height, width = frame.size_hw
        return resize(inside, (height // GUIDANCE_STRIDE, width // GUIDANCE_STRIDE))

    def prediction(self, clicks: Clicks, selection: SelectionInfo) -> Prediction:
        """The answer as users meet it."""
        return Prediction(self.placed, *read_scores(self.scores, selection), clicks)


class Predictor:
    """
    Clicks to masks.

    Args:
        backend: The network.
        frame: How images are shown to it.
        selection: How its scores are read.
        limits: What images are accepted.
        fingerprint: Names the weights and settings in result files.
    """

    def __init__(
        self,
        backend: Backend,
        frame: FrameInfo | None = None,
        selection: SelectionInfo | None = None,
        limits: ImageLimits | None = None,
        fingerprint: str = "",
    ) -> None:
        self.backend = backend
        self.frame_info = frame or FrameInfo()
        self.selection = selection or SelectionInfo()
        self.limits = limits or ImageLimits()
        self.fingerprint = fingerprint

    @property
    def num_masks(self) -> int:
        """M, the number of candidates."""
        return self.backend.num_masks

    def open(self, image: ImageSource, previous_mask: BoolArray | None = None) -> Session:
        """
        Start work on one object of an image.

        Args:
            image: Path, bytes of an image file, PIL image or uint8 RGB array (H0, W0, 3).
            previous_mask: bool (H0, W0), a mask to start from.

        Raises:
            UnreadableImage, UnsupportedImage, ImageTooLarge, FileMissing: See ``read_image``.
            MaskSizeMismatch: The mask does not have the image's size.
        """
        return Session(self, self.encode(image), previous_mask)

    def encode(self, image: ImageSource) -> EncodedImage:
        """Compute once what does not depend on clicks; arguments and errors as for ``open``."""
        pixels = read_image(image, self.limits)
        height, width = pixels.shape[:2]
        frame = whole_frame((height, width), self.frame_info.first_px)
        return EncodedImage(pixels, frame, self.backend.encode(frame.cut_image(pixels)))

    def predict(
        self,
        encoded: EncodedImage,
        clicks: Sequence[Click],
        previous_mask: BoolArray | None = None,
        box: BoxXyxy | None = None,
    ) -> Prediction:
        """
        Answer a set of clicks, a box, or both.

        The result depends on the arguments alone, to the last bit, whatever else runs.

        Args:
            encoded: The image, as of ``encode``.
            clicks: All clicks on the object so far, in order.
            previous_mask: bool (H0, W0), the mask shown before the newest click, or a mask
                to start from. With it the network zooms in on the object. Where the newest click
                says that it is of another thing, and little is expected of an answer that holds
                on to it, the clicks are also answered without it.
            box: Corners (x0, y0, x1, y1) of a box around the object, positions as those of
                clicks. A previous mask that was made of something else than the box, because
                there are no clicks or because its extent is another, is left out of account.

        Raises:
            ClickOutsideImage: A click lies outside the image.
            BadBox: Nothing of the image lies in the box.
            NoClicks: Neither clicks nor a box nor a previous mask were given.
            MaskSizeMismatch: The previous mask does not have the image's size.
        """
        checked = check_clicks(clicks, encoded.size_hw)
        if previous_mask is not None:
            previous_mask = check_mask(previous_mask, encoded.size_hw)
        if box is not None:
            return self._boxed(encoded, checked, check_box(box, encoded.size_hw), previous_mask)
        if not checked and previous_mask is None:
            raise NoClicks
        gain = self.frame_info.zoom_min_gain
        view = self._zoom(encoded, checked, previous_mask, gain) or encoded.whole
        if previous_mask is None:
            return self._begin(encoded, checked).prediction(checked, self.selection)
        previous = view.frame.cut_mask(previous_mask, GUIDANCE_STRIDE)
        answer = self._answer(view, checked, previous)
        if self._is_in_doubt(answer, checked) and contradicts(checked[-1], view.frame, previous):
            anew = self._begin(encoded, checked)
            answer = max(answer, anew, key=lambda one: float(one.scores.max()))
        return answer.prediction(checked, self.selection)

    def find_all(
        self,
        image: ImageSource | EncodedImage,
        options: EverythingOptions | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[FoundObject, ...]:
        """
        All things in an image, the best first; see ``everything.find_all``.

        Args:
            image: As for ``open``, or an encoded image.
            options: How thoroughly to look, and what to keep.
            progress: Called after every click with how many were made, of how many.
        """
        encoded = image if isinstance(image, EncodedImage) else self.encode(image)
        return find_all(self, encoded, options, progress)

    def glance(self, encoded: EncodedImage, click: Click) -> Prediction:
        """
        A quick answer to one click, for previews: the whole image, without a second look.

        Raises:
            ClickOutsideImage: The click lies outside the image.
        """
        checked = check_clicks((click,), encoded.size_hw)
        return self._answer(encoded.whole, checked, None).prediction(checked, self.selection)

    def _boxed(
        self, encoded: EncodedImage, clicks: Clicks, box: Box, previous_mask: BoolArray | None
    ) -> Prediction:
        """
        Answer a box from a crop around it: twice when it is new, else from the previous mask.

        The second answer starts from the first one; the one of which more is expected is kept.
        """
        box, info = box.holding(clicks), self.frame_info
        where = (encoded.size_hw, info.zoom_px, info.zoom_factor, info.zoom_min_gain)
        frame = crop_frame(box, clicks, *where)
        view = encoded.whole if frame is None else self._view(encoded, frame)
        if previous_mask is not None and clicks and fits(previous_mask, box):
            previous = view.frame.cut_mask(previous_mask, GUIDANCE_STRIDE)
            return self._refine(view, clicks, box, previous).prediction(clicks, self.selection)
        hints = first_hints(view.features, view.frame, box, clicks)
        filled = filled_box(box, view.frame)
        first = self._answer(view, (*clicks, *hints), filled).judged(box)
        second = self._refine(view, clicks, box, first.mask_for(view.frame))
        better = second if second.scores.max() > first.scores.max() else first
        return better.prediction(clicks, self.selection)

    def _refine(
        self, view: View, clicks: Clicks, box: Box, previous: NDArray[np.float32]
    ) -> Answer:
        """Answer from a mask (H / 4, W / 4) of what is meant by the box."""
        hints = later_hints(previous, view.frame, box, clicks)
        return self._answer(view, (*clicks, *hints), previous).judged(box)

    def _begin(self, encoded: EncodedImage, clicks: Clicks) -> Answer:
        """Answer clicks as if there had been no mask before."""
        return self._look_closer(encoded, clicks, self._answer(encoded.whole, clicks, None))

    def _is_in_doubt(self, answer: Answer, clicks: Clicks) -> bool:
        """Whether g expects so little of an answer that another beginning may be better."""
        limit = self.frame_info.begin_anew_below
        if limit is None or not any(click.positive for click in clicks):
            return False
        return bool(read_scores(answer.scores, self.selection)[1].max() < limit)

    def _look_closer(self, encoded: EncodedImage, clicks: Clicks, first: Answer) -> Answer:
        """
        Answer the first clicks in crops, too: around them, and around what is best by then.

        A crop shows a small object at the size the network knows best. Earlier masks are not
        fed back: they must not bind a closer look.
        """
        info, best = self.frame_info, first
        if info.click_look_share is not None:
            where = (encoded.size_hw, info.click_look_px, info.click_look_share)
            frame = click_frame(clicks, *where)
            if frame is not None:
                best = best.improved_by(self._answer(self._view(encoded, frame), clicks, None))
        if info.second_look_gain is not None:
            mask = best.prediction(clicks, self.selection).mask
            view = self._zoom(encoded, clicks, mask, info.second_look_gain)
            if view is not None:
                best = best.improved_by(self._answer(view, clicks, None))
        return best

    def _answer(self, view: View, clicks: Clicks, previous: NDArray[np.float32] | None) -> Answer:
        """Run f and g on the clicks that lie in a view, and a mask (H / 4, W / 4) before them."""
        frame, features = view
        shown = [click for click in clicks if frame.shows(click)]
        positive = frame.to_network(click_points_xy(shown, positive=True))
        negative = frame.to_network(click_points_xy(shown, positive=False))
        guidance = guidance_maps(positive, negative, frame.size_hw, previous)
        index, sign = embedding_clicks(positive, negative, frame.size_hw)
        logits, scores = self.backend.decode(features, guidance, index, sign)
        return Answer(place_logits(logits, frame), scores)

    def _zoom(
        self, encoded: EncodedImage, clicks: Clicks, mask: BoolArray | None, min_gain: float
    ) -> View | None:
        """The crop around a mask, encoded; None where the whole image should be used."""
        info = self.frame_info
        frame = zoom_frame(mask, clicks, encoded.size_hw, info.zoom_px, info.zoom_factor, min_gain)
        return None if frame is None else self._view(encoded, frame)

    def _view(self, encoded: EncodedImage, frame: Frame) -> View:
        """A crop of the image, encoded; the newest few are kept."""
        features = encoded.crops.get(frame)
        if features is None:
            features = self.backend.encode(frame.cut_image(encoded.image))
            encoded.crops.put(frame, features)
        return View(frame, features)


def check_mask(mask: BoolArray, size_hw: tuple[int, int]) -> BoolArray:
    """The mask as bool (H0, W0), or MaskSizeMismatch."""
    mask = np.asarray(mask)
    if mask.shape != size_hw:
        raise MaskSizeMismatch(mask.shape, size_hw)
    return mask if mask.dtype == bool else mask > 0


def read_scores(
    raw: NDArray[np.float32], selection: SelectionInfo
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """
    Probabilities and expected IoUs from g's raw scores.

    Args:
        raw: float32 (M,), any real.
        selection: How to read them.

    Returns:
        Probabilities float32 (M,), sum 1, and expected IoUs float32 (M,), in [0, 1]. Both
        grow with the raw score, so they agree on the largest.
    """
    x = raw.astype(np.float64)
    # the logistic function, written so that it overflows for no score
    expected_iou = 0.5 + 0.5 * np.tanh((selection.iou_scale * x + selection.iou_offset) / 2)
    logits = expected_iou if selection.objective == "expected_iou" else x
    weights = np.exp((logits - logits.max()) / selection.temperature)
    return (weights / weights.sum()).astype(np.float32), expected_iou.astype(np.float32)


def load(path: str | os.PathLike[str] | None = None, threads: int = 0) -> Predictor:
    """
    Load a bundle.

    Args:
        path: Bundle folder; None: the one inside the package.
        threads: Threads per prediction; 0 uses all cores.

    Raises:
        FileMissing: There is no such bundle.
        BundleBroken: A file was altered or does not fit.
    """
    return predictor_of(read_bundle(default_bundle_path() if path is None else Path(path)), threads)


def predictor_of(bundle: Bundle, threads: int = 0) -> Predictor:
    """A predictor of a bundle in memory; arguments and errors as for ``load``."""
    mirror = bundle.info.frame.mirror
    total = threads or os.cpu_count() or 1
    per_run = max(1, total // 2) if mirror else threads
    backend: Backend
    backend = OnnxBackend(bundle.encoder, bundle.decoder, bundle.info.num_masks, per_run)
    if mirror:
        backend = MirroredBackend(backend, at_once=total > 1)
    return Predictor(
        backend, bundle.info.frame, bundle.info.selection, fingerprint=bundle.fingerprint
    )
