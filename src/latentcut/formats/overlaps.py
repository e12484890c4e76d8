"""What is lost where a pixel can belong to one object only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.formats.records import AnnotatedImage, Job


def note_hidden(job: Job, image: AnnotatedImage, objects: NDArray[np.integer[Any]]) -> None:
    """
    Note pixels of objects that an object in front hides in a label map.

    Args:
        objects: (H, W), 1 for the first object that is not empty, 2 for the next, ...
    """
    left = np.bincount(objects.ravel())
    number = 0
    for record in image.objects:
        area = record.outlook().area
        if not area:
            continue
        number += 1
        visible = int(left[number]) if number < len(left) else 0
        if not visible:
            job.notes.add("objects are hidden by those in front of them", image.place(record))
        elif visible < area:
            job.notes.add(
                "where objects overlap, the one in front is kept (pixels lost by the other)",
                f"{image.place(record)} ({area - visible})",
            )
