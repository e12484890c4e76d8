"""
A real napari window on a display of its own.

napari draws with OpenGL, which Qt's offscreen platform does not have. So these tests need a
display: that of the session, or one that `Xvfb` gives. Without either they are skipped, and say so.
"""

from __future__ import annotations

import ctypes.util
import itertools
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import Any

import pytest

WAIT_S = 120.0  # for an answer; only a broken program takes so long
NEEDED = {"xcb-cursor": "libxcb-cursor0", "xcb-icccm": "libxcb-icccm4"}
NEEDED |= {"xcb-keysyms": "libxcb-keysyms1", "EGL": "libegl1"}


@pytest.fixture(scope="session")
def display(tmp_path_factory):
    """Environment for Qt, set before it is first imported."""
    missing = [package for name, package in NEEDED.items() if not ctypes.util.find_library(name)]
    if missing:
        pytest.skip(f"Qt cannot open windows here: apt install {' '.join(missing)}")
    server = None
    if not os.environ.get("DISPLAY"):
        if shutil.which("Xvfb") is None:
            pytest.skip("there is no display for napari's window: apt install xvfb")
        read_end, write_end = os.pipe()
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1400x1000x24"],
            pass_fds=[write_end],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            os.environ["DISPLAY"] = f":{pipe.readline().strip()}"
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    os.environ["NAPARI_CONFIG"] = str(tmp_path_factory.mktemp("napari") / "settings.yaml")
    yield os.environ["DISPLAY"]
    if server is not None:
        del os.environ["DISPLAY"]
        server.terminate()
        server.wait()


@dataclass
class Desktop:
    """A napari window with the plugin's widget, and a hand on mouse and keyboard."""

    viewer: Any
    widget: Any
    dock: Any

    @property
    def canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas.native

    def place(self, row: float, column: float) -> Any:
        """Where on the canvas a place of the world is."""
        from qtpy.QtCore import QPoint

        camera = self.viewer.scene.camera
        down = self.canvas.height() / 2 + (row - camera.center[-2]) * camera.zoom
        across = self.canvas.width() / 2 + (column - camera.center[-1]) * camera.zoom
        return QPoint(round(across), round(down))

    def close(self) -> None:
        """Close the plugin's dock, as its cross does."""
        if self.dock is not None:
            self.viewer.window.remove_dock_widget(self.dock)
            self.dock = None

    def click(self, row: float, column: float) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        spot = self.place(row, column)
        QTest.mouseMove(self.canvas, spot)
        QTest.qWait(20)
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, Qt.NoModifier, spot)
        self.settle()

    def drag(self, *way: tuple[float, float]) -> None:
        """Press at the first place (row, column), move through the others, let go at the last."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        spots = [self.place(*place) for place in way]
        QTest.mouseMove(self.canvas, spots[0])
        QTest.mousePress(self.canvas, Qt.MouseButton.LeftButton, Qt.NoModifier, spots[0])
        for before, after in itertools.pairwise(spots):
            for share in (0.25, 0.5, 0.75, 1.0):
                QTest.mouseMove(self.canvas, before + (after - before) * share)
                QTest.qWait(10)
        QTest.mouseRelease(self.canvas, Qt.MouseButton.LeftButton, Qt.NoModifier, spots[-1])
        self.settle()

    def key(self, name: str, shift: bool = False) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        modifier = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
        QTest.keyClick(self.canvas, getattr(Qt.Key, f"Key_{name}"), modifier)
        self.settle()

    def settle(self) -> None:
        """Let the window live until everything that was asked is answered."""
        from qtpy.QtTest import QTest

        end = time.monotonic() + WAIT_S
        QTest.qWait(30)
        while self.widget._settling.isActive() or self.widget.worker.is_busy:
            assert time.monotonic() < end, "no answer came"
            QTest.qWait(10)

    @property
    def current(self) -> Any:
        """What the layer `current_object` holds, bool."""
        return self.viewer.layers["current_object"].data > 0

    @property
    def committed(self) -> Any:
        return self.viewer.layers["committed_objects"].data

    @property
    def status(self) -> str:
        return self.widget.panel.status.text()


@pytest.fixture(scope="session")
def viewer(display):
    """One window for all tests: opening it takes longer than most of them."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1250, 850)
    yield viewer
    viewer.close()


@pytest.fixture
def open_desktop(viewer):
    """Open the plugin on a picture; at the end the window is as it was."""
    from qtpy.QtTest import QTest

    opened = []

    def open_dock(pixels: Any = None, **facts: Any) -> Desktop:
        if pixels is not None:
            viewer.add_image(pixels, name="picture", **facts)
        dock, widget = viewer.window.add_plugin_dock_widget("latentcut")
        desktop = Desktop(viewer, widget, dock)
        opened.append(desktop)
        desktop.canvas.window().activateWindow()
        QTest.qWaitForWindowActive(desktop.canvas.window(), 5000)
        viewer.reset_view()
        desktop.canvas.setFocus()
        desktop.settle()
        return desktop

    yield open_dock
    for desktop in opened:
        desktop.close()
    viewer.layers.clear()
    viewer.dims.ndisplay = 2
    viewer.dims.order = tuple(range(viewer.dims.ndim))
    QTest.qWait(50)
