"""What the dock widget looks like; it decides nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentcut.integrations.napari.desk import THUMBNAIL_PX, Answer
from latentcut.integrations.napari.pixels import RgbImage

COLUMNS = 3
SELECTED_STYLE = """
QToolButton { border: 3px solid transparent; padding: 1px; }
QToolButton:checked { border-color: #2684ff; }
"""
HIGHEST_NUMBER = 2_000_000_000


class Candidates(QWidget):
    """
    The candidates as small pictures, the selected one pressed.

    Attributes:
        chosen: Emitted with the index of a picture that was clicked.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.buttons: list[QToolButton] = []

    def show_answer(self, answer: Answer | None) -> None:
        """Show the candidates of an answer; None: no pictures."""
        count = 0 if answer is None else answer.prediction.num_masks
        while len(self.buttons) < count:
            self._add_button()
        for number, button in enumerate(self.buttons):
            button.setVisible(number < count)
            if answer is not None and number < count:
                prediction = answer.prediction
                button.setIcon(icon(answer.thumbnails[number]))
                button.setChecked(number == prediction.selected)
                expected = float(prediction.expected_iou[number])
                button.setToolTip(f"Candidate {number + 1}: expected IoU {expected:.2f}")

    def _add_button(self) -> None:
        number = len(self.buttons)
        button = QToolButton(self)
        button.setCheckable(True)
        button.setStyleSheet(SELECTED_STYLE)
        button.setIconSize(QSize(THUMBNAIL_PX, THUMBNAIL_PX))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the picture
        button.setAccessibleName(f"Candidate {number + 1}")
        button.clicked.connect(lambda _=False: self.chosen.emit(number))
        self.grid.addWidget(button, number // COLUMNS, number % COLUMNS)
        self.buttons.append(button)


class Panel(QWidget):
    """
    The controls.

    Args:
        owner: The widget that they are laid out in.
    """

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self.image = QComboBox()
        self.segment = button("Segment (S)", "Ask about the prompts on screen.")
        self.automatic = QCheckBox("after every prompt")
        self.automatic.setChecked(True)
        self.sign = button("", "The sign of the next clicks and paths.")
        self.undo = button("Undo", "Take the newest click, box or path away.")
        self.clear = button("Clear (Shift+C)", "Take all prompts on screen away.")
        self.commit = button("Commit (C)", "Keep the object, and begin the next one.")
        self.edit = button(
            "Edit picked object", "Go on with the selected number of the selected label layer."
        )
        self.everything = button("Find everything", "Segment all that is on screen, unasked.")
        self.candidates = Candidates()
        self.number = QSpinBox()
        self.number.setRange(0, HIGHEST_NUMBER)
        self.number.setSpecialValueText("next")
        self.number.setToolTip("Number of the committed object; the same in slices of one thing.")
        self.name = QLineEdit()
        self.name.setPlaceholderText("optional")
        self.name.setToolTip("Category of the committed object in a COCO file.")
        self.progress = QProgressBar()
        self.progress.setVisible(False)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lay_out(owner)

    def _lay_out(self, owner: QWidget) -> None:
        form = QFormLayout()
        form.addRow("Image", self.image)
        form.addRow("Next prompt", self.sign)
        answers = QFormLayout()
        answers.addRow("Object number", self.number)
        answers.addRow("Label", self.name)
        column = QVBoxLayout(self)
        column.addLayout(form)
        asking = QHBoxLayout()
        asking.addWidget(self.segment)
        asking.addWidget(self.automatic)
        column.addLayout(asking)
        column.addWidget(QLabel("Candidates (Tab: the next one)"))
        column.addWidget(self.candidates)
        column.addLayout(answers)
        for pair in ((self.commit, self.clear), (self.undo, self.edit)):
            row = QHBoxLayout()
            for each in pair:
                row.addWidget(each)
            column.addLayout(row)
        column.addWidget(self.everything)
        column.addWidget(self.progress)
        column.addWidget(self.status)
        column.addStretch(1)
        outer = QVBoxLayout(owner)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self)

    def list_images(self, images: list[Any], chosen: Any) -> None:
        """Offer image layers; the chosen one stays chosen."""
        self.image.clear()
        for image in images:
            self.image.addItem(image.name, image)
        if chosen in images:
            self.image.setCurrentIndex(images.index(chosen))

    def is_automatic(self) -> bool:
        """Whether every prompt is answered at once."""
        return bool(self.automatic.isChecked())

    def wanted_number(self) -> int | None:
        """The number for the object that is committed; None: the next free one."""
        return int(self.number.value()) or None

    def label(self) -> str:
        """The category for the object that is committed; may be empty."""
        return str(self.name.text()).strip()

    def show_sign(self, positive: bool) -> None:
        """Say which sign the next prompts have."""
        self.sign.setText("positive (T)" if positive else "negative (T)")

    def show_answer(self, answer: Answer | None) -> None:
        """Show the candidates and what is expected of the selected one."""
        self.candidates.show_answer(answer)
        if answer is not None:
            prediction = answer.prediction
            expected = float(prediction.expected_iou[prediction.selected])
            self.say(
                f"Candidate {prediction.selected + 1} of {prediction.num_masks}, "
                f"expected IoU {expected:.2f}. C commits it."
            )

    def show_busy(self, text: str | None) -> None:
        """Say what is being done; None: nothing any more."""
        if text is not None:
            self.say(text)

    def show_progress(self, done: int, total: int) -> None:
        """How far a long job is; total 0: there is none."""
        self.progress.setVisible(total > 0)
        self.progress.setMaximum(max(1, total))
        self.progress.setValue(done)
        self.everything.setText("Stop" if total > 0 else "Find everything")

    def say(self, sentence: str) -> None:
        """A line for the user."""
        self.status.setText(sentence)


def button(text: str, help_text: str) -> QPushButton:
    """A button that leaves the keyboard to the picture."""
    made = QPushButton(text)
    made.setToolTip(help_text)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return made


def icon(picture: RgbImage) -> QIcon:
    """A picture, uint8 (h, w, 3), for a button."""
    height, width = picture.shape[:2]
    pixels = np.ascontiguousarray(picture).tobytes()
    image = QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QIcon(QPixmap.fromImage(image))
