"""
The four layers that the plugin works with, all of them in the place of one image layer.

`point_prompts` and `prompts` take clicks, boxes and scribbles, `current_object` shows the answer,
`committed_objects` keeps what was accepted. They are ordinary layers: they can be painted on,
saved, and read by other plugins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Click, Clicks
from latentcut.core.images import DEFAULT_LIMITS
from latentcut.core.scribbles import scribble_clicks
from latentcut.integrations.napari.planes import Plane, finest_level, plane_at
from latentcut.integrations.napari.trail import Prompts, Strokes, in_order

POINTS, SHAPES, CURRENT, COMMITTED = (
    "point_prompts",
    "prompts",
    "current_object",
    "committed_objects",
)
METADATA = "latentcut"  # our key in the metadata of layers
OF, ROLE = "of", "role"  # in it: the image layer that a layer belongs to, and what it is for
ROLES = {POINTS: "points", SHAPES: "shapes", CURRENT: "current", COMMITTED: "committed"}
SIGN = "label"  # feature of points and shapes: "positive" or "negative"
COLOURS = {True: "#16a34a", False: "#dc2626"}
CURRENT_COLOURS = {None: "#2684ff", 0: "transparent"}
OPACITY = 0.45
SYMBOLS = {True: "disc", False: "cross"}
STROKE_SHAPES = ("path", "line")  # all other shapes are boxes
PLACING = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
MAX_SEARCHED_PIXELS = 200_000_000  # for the largest number; of a longer stack only the plane
PIXELS_PER_MARK = 40  # of the longer side, for each pixel of a point's size

BoolArray = NDArray[np.bool_]


class WorkLayers:
    """
    The layers of one image layer; made at once, and again when one was removed.

    Args:
        viewer: A napari viewer.
        image: The image layer.
    """

    def __init__(self, viewer: Any, image: Any) -> None:
        self.viewer, self.image = viewer, image
        shapes = level_shapes(image)
        axes = (len(shapes[0]) - 2, len(shapes[0]) - 1)
        self.level = finest_level(shapes, axes, DEFAULT_LIMITS.max_pixels)
        self.shape = shapes[self.level]
        self._placing = placing(image, shapes[0], self.shape)
        self.points: Any = None
        self.shapes: Any = None
        self.current: Any = None
        self.committed: Any = None
        self._next_id = 1
        self._adopt()

    @property
    def all(self) -> tuple[Any, ...]:
        """Those that exist, from the back to the front."""
        every = (self.committed, self.current, self.shapes, self.points)
        return tuple(layer for layer in every if layer is not None and layer in self.viewer.layers)

    def make(self) -> None:
        """Add the layers that are missing."""
        there = self.viewer.layers
        if self.committed not in there:
            source = self.image.source.path or self.image.name
            self.committed = self._labels(COMMITTED, np.int32)
            self.committed.metadata[METADATA] |= {"image": str(source), "objects": {}}
            self._next_id = 1
        if self.current not in there:
            self.current = self._labels(CURRENT, np.uint8, colormap=CURRENT_COLOURS)
        if self.shapes not in there:
            self.shapes = self.viewer.add_shapes(
                ndim=len(self.shape), name=SHAPES, **self._prompt_style(SHAPES),
                edge_color=COLOURS[True], face_color="transparent",
                edge_width=max(1.0, self._mark_px / 4),
            )  # fmt: skip
        if self.points not in there:
            self.points = self.viewer.add_points(
                ndim=len(self.shape), name=POINTS, **self._prompt_style(POINTS),
                face_color=COLOURS[True], border_color="white", symbol=SYMBOLS[True],
                size=self._mark_px,
            )  # fmt: skip
            self.points.mode = "add"
        self.viewer.layers.selection.active = self.points

    def plane(self) -> Plane | None:
        """The plane on screen; None in the 3D view, or when not both its axes are the image's."""
        dims, missing = self.viewer.dims, self.viewer.dims.ndim - len(self.shape)
        displayed = [axis - missing for axis in dims.displayed]
        if dims.ndisplay != 2 or min(displayed) < 0 or self.points is None:
            return None
        position = self.points.world_to_data(dims.point)[-len(self.shape) :]
        return plane_at(self.shape, displayed, position)

    def pixels(self, plane: Plane) -> NDArray[Any]:
        """The image in a plane, (H, W) or (H, W, colours); may take long where it is on disk."""
        data = self.image.data[self.level] if self.image.multiscale else self.image.data
        return plane.of(data)

    def prompts(self, plane: Plane, before: Strokes = ()) -> Prompts:
        """
        What lies on the prompt layers in a plane.

        Args:
            plane: The plane.
            before: Its strokes of the last time, which give the order.
        """
        boxes: list[BoxXyxy] = []
        strokes: list[Clicks] = []
        for _, kind, vertices, positive in self._shapes_in(plane):
            xy = [plane.xy(vertex) for vertex in vertices]
            if kind in STROKE_SHAPES:
                strokes.append(scribble_clicks(np.array(xy), positive, plane.size_hw))
            else:
                (x0, y0), (x1, y1) = np.min(xy, axis=0), np.max(xy, axis=0)
                boxes.append((float(x0), float(y0), float(x1), float(y1)))
        for _, position, positive in self._points_in(plane):
            strokes.append((Click(*plane.xy(position), positive),))
        return Prompts(in_order(before, strokes), boxes[-1] if boxes else None)

    def remove_prompts(self, plane: Plane) -> None:
        """Take all prompts of a plane away; those of other planes stay."""
        self._remove(self.points, [number for number, _, _ in self._points_in(plane)])
        self._remove(self.shapes, [number for number, _, _, _ in self._shapes_in(plane)])

    def remove_newest(self, plane: Plane) -> bool:
        """Take the newest point of a plane away, or its newest shape; False: there is none."""
        points = [number for number, _, _ in self._points_in(plane)]
        shapes = [number for number, _, _, _ in self._shapes_in(plane)]
        layer, numbers = (self.points, points) if points else (self.shapes, shapes)
        self._remove(layer, numbers[-1:])
        return bool(numbers)

    def positive(self) -> bool:
        """The sign of new prompts."""
        return bool(self.points.feature_defaults[SIGN].iloc[0] != "negative")

    def set_positive(self, positive: bool) -> None:
        """Choose the sign of new prompts; those that are there keep theirs."""
        for layer in (self.points, self.shapes):
            layer.selected_data = set()  # a new current colour would also paint what is selected
            layer.feature_defaults = {SIGN: "positive" if positive else "negative"}
        self.points.current_face_color = COLOURS[positive]
        self.points.current_symbol = SYMBOLS[positive]
        self.shapes.current_edge_color = COLOURS[positive]

    def mask(self, plane: Plane) -> BoolArray:
        """What `current_object` shows in a plane, bool (H, W), painted edits included."""
        return plane.of(self.current.data) > 0

    def show(self, plane: Plane, mask: BoolArray | None) -> None:
        """Let `current_object` show a mask, bool (H, W); None: nothing."""
        pixels = self.current.data[plane.index]
        if mask is None:
            pixels[...] = 0
        else:
            pixels[...] = mask.T if plane.is_turned else mask
        self.current.refresh()

    def commit(self, plane: Plane, mask: BoolArray, number: int | None) -> int:
        """
        Write a mask into `committed_objects`, over what lies there.

        Args:
            plane: Where.
            mask: bool (H, W).
            number: Of the object, whose other pixels in the plane become background; None: the
                next number that is free.

        Returns:
            The number.
        """
        if number is None:
            number = self._free_number(plane)
        else:
            self.committed.data_setitem(
                plane.where((plane.of(self.committed.data) == number) & ~mask), 0
            )
        self.committed.data_setitem(plane.where(mask), number)
        self.committed.refresh()  # its thumbnail, too
        self._next_id = max(self._next_id, number + 1)
        return number

    def add_found(self, labels: NDArray[np.int32], plane: Plane) -> Any:
        """A new layer with a label map, (H, W), in a plane."""
        found = np.zeros(self.shape, np.int32)
        found[plane.index] = labels.T if plane.is_turned else labels
        active = self.viewer.layers.selection.active
        facts = {METADATA: {"image": self.committed.metadata[METADATA]["image"]}}
        layer = self.viewer.add_labels(found, name="found_objects", metadata=facts, **self._placing)
        self.viewer.layers.selection.active = active
        return layer

    def _free_number(self, plane: Plane) -> int:
        """The next number, after those that somebody painted by hand, too."""
        pixels = self.committed.data
        if pixels.size > MAX_SEARCHED_PIXELS:
            pixels = plane.of(pixels)
        return max(self._next_id, int(pixels.max()) + 1)

    @property
    def _mark_px(self) -> float:
        return max(3.0, max(self.shape[-2:]) / PIXELS_PER_MARK)

    def _adopt(self) -> None:
        """Take up the layers that an earlier widget made for the same image layer."""
        for layer in self.viewer.layers:
            facts = layer.metadata.get(METADATA, {})
            if facts.get(OF) == id(self.image):
                setattr(self, facts[ROLE], layer)

    def _role(self, role: str) -> dict[str, Any]:
        return {METADATA: {OF: id(self.image), ROLE: role}}

    def _prompt_style(self, name: str) -> dict[str, Any]:
        return {
            **self._placing,
            "metadata": self._role(ROLES[name]),
            "features": {SIGN: np.empty(0, dtype="<U8")},
            "feature_defaults": {SIGN: "positive"},
        }

    def _labels(self, name: str, dtype: type, **more: Any) -> Any:
        # zeros that nobody wrote to take no memory, even those of a long stack
        return self.viewer.add_labels(
            np.zeros(self.shape, dtype),
            name=name,
            opacity=OPACITY,
            metadata=self._role(ROLES[name]),
            **more,
            **self._placing,
        )

    def _points_in(self, plane: Plane) -> Iterator[tuple[int, Any, bool]]:
        signs = list(self.points.features[SIGN])
        for number, position in enumerate(self.points.data):
            if plane.holds(position):
                yield number, position, signs[number] != "negative"

    def _shapes_in(self, plane: Plane) -> Iterator[tuple[int, str, Any, bool]]:
        signs = list(self.shapes.features[SIGN])
        for number, vertices in enumerate(self.shapes.data):
            if all(plane.holds(vertex) for vertex in vertices):
                yield number, self.shapes.shape_type[number], vertices, signs[number] != "negative"

    @staticmethod
    def _remove(layer: Any, numbers: list[int]) -> None:
        if numbers:
            layer.selected_data = set(numbers)
            layer.remove_selected()


def level_shapes(image: Any) -> list[tuple[int, ...]]:
    """Shapes of an image layer's levels without colours, the finest first."""
    levels = image.data if image.multiscale else [image.data]
    return [tuple(level.shape[: image.ndim]) for level in levels]


def placing(image: Any, finest: tuple[int, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """
    Where a layer of another resolution lies so that it covers an image layer.

    Args:
        image: The image layer.
        finest: Shape of its finest level, which its scale is meant for.
        shape: Of the layer to be placed.
    """
    placed = {name: getattr(image, name) for name in PLACING if hasattr(image, name)}
    if shape != finest:
        factor = np.array(finest) / np.array(shape)
        scale = np.asarray(image.scale, dtype=float)
        # the outer edges coincide: the centre of a large pixel is not that of its first small one
        placed["translate"] = np.asarray(image.translate) + scale * (factor - 1) / 2
        placed["scale"] = scale * factor
    return placed
