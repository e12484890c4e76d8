"""Finding everything on screen: a long job that shows how far it is and can be stopped."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from latentcut.integrations.napari.planes import Plane
from latentcut.integrations.napari.trail import Prompts
from latentcut.integrations.napari.worker import Outcome

if TYPE_CHECKING:
    from latentcut.integrations.napari.widget import SegmentWidget


STOPPED = "The search was stopped."


class Stopped(Exception):
    """The user has stopped the search."""


class Search(QObject):
    """
    Runs the search for a widget.

    Args:
        widget: Whose plane is searched.

    Attributes:
        moved_on: Emitted with how many of how many places were tried.
    """

    moved_on = Signal(int, int)

    def __init__(self, widget: SegmentWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._stop: threading.Event | None = None
        self.moved_on.connect(self._show)

    def start_or_stop(self) -> None:
        """Start a search of the plane on screen, or stop the one that runs."""
        if self._stop is not None:
            self.stop()
            self._widget.panel.say(STOPPED)
            return
        widget = self._widget
        plane = widget.current_plane()
        if plane is None:
            return
        stop = self._stop = threading.Event()
        question = widget.question(plane, Prompts())
        widget.panel.show_progress(0, 1)
        widget.panel.say("Looking for everything …")
        widget.worker.ask(
            partial(widget.desk.everything, question, partial(self._progress, stop)),
            partial(self._finished, plane),
        )

    def abandon(self) -> None:
        """End the search when the widget is closed: nothing of it is touched any more."""
        if self._stop is not None:
            self._stop.set()

    def stop(self) -> None:
        """Stop the search, if one runs; nobody hears of it again."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None
            self._widget.panel.show_progress(0, 0)

    def _progress(self, stop: threading.Event, done: int, total: int) -> None:
        """Called in the worker's thread."""
        if stop.is_set():
            raise Stopped
        self.moved_on.emit(done, total)

    def _show(self, done: int, total: int) -> None:
        if self._stop is not None:
            self._widget.panel.show_progress(done, total)

    def _finished(self, plane: Plane, outcome: Outcome) -> None:
        panel, layers = self._widget.panel, self._widget.layers
        if isinstance(outcome.error, Stopped) or layers is None:
            return
        self._stop = None
        panel.show_progress(0, 0)
        if outcome.error is not None:
            self._widget.show_error(outcome.error)
        else:
            layers.add_found(outcome.value, plane)
            panel.say(
                f"{outcome.value.max()} things are on the new layer 'found_objects'. "
                "Pick a number there, and 'Edit picked object' takes it up."
            )
