"""
latentcut: click on a thing in a picture and get its outline.

>>> import latentcut
>>> predictor = latentcut.load()                       # doctest: +SKIP
>>> session = predictor.open("photo.jpg")              # doctest: +SKIP
>>> prediction = session.click(x=320, y=200)           # doctest: +SKIP
>>> prediction.mask.shape, prediction.scores.shape     # doctest: +SKIP
((480, 640), (6,))

Names are loaded when first used: importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "Click": "latentcut.core.clicks",
    "EncodedImage": "latentcut.core.encoded",
    "ImageLimits": "latentcut.core.images",
    "LatentcutError": "latentcut.errors",
    "Prediction": "latentcut.core.prediction",
    "Predictor": "latentcut.core.predictor",
    "Session": "latentcut.core.session",
    "load": "latentcut.core.predictor",
}

__all__ = [
    "Click",
    "EncodedImage",
    "ImageLimits",
    "LatentcutError",
    "Prediction",
    "Predictor",
    "Session",
    "__version__",
    "load",
]

if TYPE_CHECKING:
    from latentcut.core.clicks import Click
    from latentcut.core.encoded import EncodedImage
    from latentcut.core.images import ImageLimits
    from latentcut.core.prediction import Prediction
    from latentcut.core.predictor import Predictor, load
    from latentcut.core.session import Session
    from latentcut.errors import LatentcutError


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'latentcut' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
