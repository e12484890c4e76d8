"""
Make docs/images/napari.png: the plugin in a napari window, clicked by a program.

Run:    python docs/pictures/napari_window.py
Needs:  pip install 'latentcut[napari]', and a display. Without a screen: xvfb-run -s
        "-screen 0 1400x1000x24" python docs/pictures/napari_window.py
"""

from __future__ import annotations

import time
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtTest import QTest

TARGET = Path(__file__).resolve().parents[1] / "images" / "napari.png"
SIZE = (1180, 760)
EYE = [(92, 108), (92, 196), (146, 196), (146, 108)]  # corners of a box: row, column
CAT = [((160, 235), True), ((215, 70), True), ((140, 410), False)]
WAIT_S = 120


def wait_for_answer(widget: object, num_strokes: int) -> None:
    """Let the window live until an answer to so many prompts is shown."""
    end = time.monotonic() + WAIT_S
    while widget.answer is None or len(widget.answer.question.prompts.strokes) != num_strokes:
        if time.monotonic() > end:
            raise TimeoutError("no answer came")
        QTest.qWait(50)
    QTest.qWait(300)


def main() -> None:
    """Click, commit, click, and take the picture."""
    viewer = napari.Viewer()
    viewer.window.resize(*SIZE)
    viewer.open_sample("latentcut", "cat")
    _, widget = viewer.window.add_plugin_dock_widget("latentcut")
    QTest.qWait(500)
    viewer.reset_view()
    points = viewer.layers["point_prompts"]
    viewer.layers["prompts"].add_rectangles([EYE])
    wait_for_answer(widget, 0)
    widget.commit()
    for number, (position, positive) in enumerate(CAT, start=1):
        if widget.layers.positive() != positive:
            widget.toggle_sign()
        points.add([position])
        wait_for_answer(widget, number)
    points.selected_data = set()
    QTest.qWait(500)
    picture = Image.fromarray(np.asarray(viewer.screenshot(canvas_only=False, flash=False)))
    picture = picture.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE)
    picture.save(TARGET, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size // 1000} kB")
    viewer.close()


if __name__ == "__main__":
    main()
