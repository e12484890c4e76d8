"""
The keys: S, T, C, Shift+C and Tab.

Layers ask for keys before the viewer does, and some of these mean other things on layers of points
and shapes. So each of our own layers gets them for itself; layers of others keep what they have.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QApplication, QDockWidget, QShortcut

if TYPE_CHECKING:
    from latentcut.integrations.napari.widget import SegmentWidget


class Keys:
    """
    Binds keys for a widget.

    Args:
        widget: Whose methods they call.
    """

    def __init__(self, widget: SegmentWidget) -> None:
        self._viewer = widget.viewer
        self._widget = widget
        self._actions: dict[str, Callable[[], object]] = {
            "S": widget.segment,
            "T": widget.toggle_sign,
            "C": widget.commit,
            "Shift-C": widget.clear,
        }
        self._shortcut: Any = None
        self._bound: list[Any] = []
        self.bind(self._viewer)

    def bind(self, target: Any) -> bool:
        """Let a layer, or the viewer, answer the keys; False: it does already."""
        if any(target is known for known in self._bound):
            return False
        self._bound.append(target)
        for key, action in self._actions.items():
            target.bind_key(key, _ignoring_argument(action), overwrite=True)
        return True

    def bind_tab(self) -> None:
        """
        Let Tab take the next candidate wherever the picture has the keyboard.

        Qt moves the keyboard to the next control with it before napari hears of it, so it is a
        shortcut of the window; among the controls of a dock it does what it always does.
        """
        if self._shortcut is None:
            self._shortcut = QShortcut(QKeySequence(Qt.Key.Key_Tab), self._widget.window())
            self._shortcut.activated.connect(self._tab)

    def release(self) -> None:
        """Give all keys back."""
        for target in self._bound:
            for key in self._actions:
                target.bind_key(key, None, overwrite=True)
        self._bound.clear()
        if self._shortcut is not None:
            with suppress(RuntimeError):  # Qt has deleted it with its window
                self._shortcut.setEnabled(False)
                self._shortcut.deleteLater()
            self._shortcut = None

    def _tab(self) -> None:
        focused = QApplication.focusWidget()
        if _is_in_dock(focused) or not self._widget.next_candidate():
            self._widget.window().focusNextChild()


def _ignoring_argument(action: Callable[[], object]) -> Callable[[Any], None]:
    """A key's function, which napari calls with the layer or viewer."""

    def pressed(_: Any) -> None:
        action()

    return pressed


def _is_in_dock(control: Any) -> bool:
    while control is not None:
        if isinstance(control, QDockWidget):
            return True
        control = control.parentWidget()
    return False
