"""
A user of ``latentcut labelme`` in a process of its own, with labelme's real window.

    python labelme_driver.py PHOTO.jpg CLICKS MODE OUTPUT.json PICTURE.png

CLICKS is JSON: [[x, y, positive], ...] in pixels of the photo, for MODE "points"; two corners for
"box". The label "thing" is typed into labelme's dialog, and the file is saved by its menu.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback

from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QMainWindow

PHOTO, CLICKS, MODE, OUTPUT, PICTURE = sys.argv[1:]


def window() -> QMainWindow:
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow))


def answer_dialog() -> None:
    dialog = QApplication.activeModalWidget()
    if dialog is None:
        QTimer.singleShot(50, answer_dialog)
        return
    QTest.keyClicks(dialog.edit, "thing")
    QTest.keyClick(dialog.edit, Qt.Key_Return)


def on_screen(canvas, x: float, y: float) -> QPoint:
    """A position of the photo as one of the canvas."""
    origin = canvas._compute_image_origin_offset()
    return QPoint(
        round((x + 0.5 + origin.x()) * canvas.scale), round((y + 0.5 + origin.y()) * canvas.scale)
    )


def move_mouse(canvas, place: QPoint, keys) -> None:
    """Labelme notes whether Shift is held when the mouse moves; QTest's moves hold no keys."""
    move = QMouseEvent(QEvent.MouseMove, QPointF(place), Qt.NoButton, Qt.NoButton, keys)
    QApplication.sendEvent(canvas, move)


def use() -> None:
    main = window()
    main.resize(1280, 860)
    QApplication.processEvents()
    canvas = main._canvas_widgets.canvas
    mode = {"points": "ai_points_to_shape", "box": "ai_box_to_shape"}[MODE]
    getattr(main._actions, f"create_{mode}_mode").trigger()
    clicks = json.loads(CLICKS)
    for index, (x, y, positive) in enumerate(clicks):
        place = on_screen(canvas, x, y)
        keys = Qt.NoModifier if positive else Qt.ShiftModifier
        if MODE == "points" and index == len(clicks) - 1:
            keys |= Qt.ControlModifier  # the last one
        if index == len(clicks) - 1:
            QTimer.singleShot(0, answer_dialog)
        move_mouse(canvas, place, keys)
        QTest.mouseClick(canvas, Qt.LeftButton, keys, place)
        QApplication.processEvents()
    main._canvas_widgets.canvas.set_editing(True)
    main.save_labels(label_path=OUTPUT)
    QApplication.processEvents()
    main.grab().save(PICTURE)


def use_and_leave() -> None:
    try:
        use()
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(0)


run = QApplication.exec_


def exec_(*_: object) -> int:
    threading.Timer(60, os._exit, (1,)).start()  # a dialog nobody expects would stay open
    QTimer.singleShot(300, use_and_leave)
    return run()


QApplication.exec_ = exec_

from latentcut.cli.app import app  # noqa: E402

app(["labelme", "--threads", "1", PHOTO], prog_name="latentcut")
