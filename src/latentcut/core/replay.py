"""
Answers for tools that send all clicks of an object every time, and nothing else.

In a session every click is answered from the mask before it. Such tools do not send that mask, so
the clicks are gone through again, one after the other, and are answered all at once as well; of
the two answers the one of which more is expected counts.

A predictor that remembers its answers makes this as quick as a session.
"""

from __future__ import annotations

from collections.abc import Sequence

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Click
from latentcut.core.encoded import EncodedImage
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor


def replayed(
    predictor: Predictor,
    encoded: EncodedImage,
    clicks: Sequence[Click],
    box: BoxXyxy | None = None,
) -> Prediction | None:
    """
    The answer to a box and clicks. It depends on the arguments alone.

    Args:
        predictor: The model.
        encoded: The image.
        clicks: In the order they were made, as far as that is known. Without a box the first
            positive one is moved to the front.
        box: Corners (x0, y0, x1, y1), positions as those of clicks; it comes before all clicks.

    Returns:
        The prediction. None where nothing is meant yet: negative clicks alone.

    Raises:
        NoClicks: There are neither clicks nor a box.
        ClickOutsideImage, BadBox: See ``Predictor.predict``.
    """
    ordered = tuple(clicks)
    if box is None and ordered:
        first = next((index for index, click in enumerate(ordered) if click.positive), None)
        if first is None:
            return None
        ordered = (ordered[first], *ordered[:first], *ordered[first + 1 :])
    at_once = predictor.predict(encoded, ordered, box=box)
    if len(ordered) + (box is not None) < 2:
        return at_once
    last: Prediction | None = None
    if box is not None:
        last = predictor.predict(encoded, (), box=box)
    for count in range(1, len(ordered) + 1):
        before = None if last is None else last.mask
        last = predictor.predict(encoded, ordered[:count], before, box=box)
    assert last is not None  # there was a box or a click
    is_better = last.expected_iou.max() >= at_once.expected_iou.max()
    return last if is_better else at_once
