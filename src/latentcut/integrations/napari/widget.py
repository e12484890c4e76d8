"""The dock widget: prompts in, candidates to choose from, objects committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QWidget

from latentcut.errors import LatentcutError
from latentcut.integrations.napari.desk import Answer, BoolArray, Desk, Question
from latentcut.integrations.napari.everything import Search
from latentcut.integrations.napari.keys import Keys
from latentcut.integrations.napari.layers import METADATA, WorkLayers
from latentcut.integrations.napari.panel import Panel
from latentcut.integrations.napari.planes import Plane
from latentcut.integrations.napari.trail import Prompts, Strokes
from latentcut.integrations.napari.worker import Outcome, Worker

SETTLING_MS = 30  # after a change of the prompts, for the others that come with it
SETTLED = ("added", "removed", "changed")  # what napari calls changes of prompts that are complete

NO_IMAGE = "Open an image, or choose an image layer."
NO_PLANE = "Prompts need the 2D view of the image: leave the 3D view."
NO_PROMPTS = "Click on a thing; or draw a box, or a path along it, on the layer 'prompts'."
NOTHING_TO_COMMIT = "There is nothing to commit: the current object is empty here."
NOT_TO_EDIT = "Choose a label layer of the image's size, and pick a number that occurs here."


@dataclass(frozen=True)
class Start:
    """An object that is worked on again: its mask, and the layer and number it comes from."""

    mask: BoolArray
    layer: Any
    number: int


class SegmentWidget(QWidget):
    """
    Segments what is on screen of an image layer.

    Args:
        napari_viewer: The viewer, which napari gives to an argument of this name.
        desk: Answers; None: with the model inside the package.
    """

    def __init__(self, napari_viewer: Any, desk: Desk | None = None) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.desk = desk or Desk()
        self.worker = Worker(self)
        self.panel = Panel(self)
        self.layers: WorkLayers | None = None
        self.answer: Answer | None = None
        self._sets: dict[int, WorkLayers] = {}
        self._versions: dict[int, int] = {}
        self._strokes: dict[Plane, Strokes] = {}
        self._starts: dict[Plane, Start] = {}
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLING_MS)
        self._settling.timeout.connect(self._settled)
        self._listing = QTimer(self)
        self._listing.setSingleShot(True)
        self._listing.setInterval(0)
        self._listing.timeout.connect(self._list_images)
        self.search = Search(self)
        self._connect()
        self._list_images()

    def _connect(self) -> None:
        panel, layers = self.panel, self.viewer.layers
        panel.image.activated.connect(lambda _: self.use_chosen_image())
        panel.segment.clicked.connect(lambda: self.segment())
        panel.sign.clicked.connect(lambda: self.toggle_sign())
        panel.commit.clicked.connect(lambda: self.commit())
        panel.clear.clicked.connect(lambda: self.clear())
        panel.undo.clicked.connect(lambda: self.undo())
        panel.edit.clicked.connect(lambda: self.edit())
        panel.everything.clicked.connect(lambda: self.search.start_or_stop())
        panel.candidates.chosen.connect(self.choose)
        dims = self.viewer.dims.events
        self._listens = [(layers.events.inserted, self._layers_changed)]
        self._listens += [(layers.events.removed, self._layers_changed)]
        self._listens += [(e, self._moved) for e in (dims.current_step, dims.order, dims.ndisplay)]
        for event, method in self._listens:
            event.connect(method)
        self.keys = Keys(self)

    # ------------------------------------------------------------ images and layers

    def images(self) -> list[Any]:
        """The image layers of the viewer, in order."""
        return [layer for layer in self.viewer.layers if layer._type_string == "image"]

    def use_chosen_image(self) -> None:
        """Work on the image layer that is chosen in the panel; its layers are made if missing."""
        image = self.panel.image.currentData()
        if image is None:
            self.layers = None
            self.panel.say(NO_IMAGE)
            return
        if id(image) not in self._sets:
            self._sets[id(image)] = WorkLayers(self.viewer, image)
            image.events.data.connect(partial(self._image_changed, id(image)))
        self.layers = self._sets[id(image)]
        self.layers.make()
        for layer in self.layers.all:
            if self.keys.bind(layer) and layer in (self.layers.points, self.layers.shapes):
                layer.events.data.connect(self._prompts_changed)
        self.panel.show_sign(self.layers.positive())
        self._forget_answer()
        self.panel.say(NO_PROMPTS)

    def _layers_changed(self, event: Any = None) -> None:
        """List the images when napari has finished with a new layer, which it then selects."""
        self._listing.start()

    def _list_images(self) -> None:
        """Bring the choice of images up to date; begin with the first, as soon as there is one."""
        images = self.images()
        gone = self.layers is not None and self.layers.image not in images
        self.panel.list_images(images, None if self.layers is None else self.layers.image)
        if gone or (self.layers is None and images):
            self.use_chosen_image()
        elif not images:
            self.panel.say(NO_IMAGE)

    def _image_changed(self, key: int, event: Any = None) -> None:
        self._versions[key] = self._versions.get(key, 0) + 1

    # ------------------------------------------------------------ asking

    def segment(self) -> None:
        """Ask about the prompts in the plane on screen."""
        plane = self.current_plane()
        if plane is None or self.layers is None:
            return
        prompts = self.layers.prompts(plane, self._strokes.get(plane, ()))
        self._strokes[plane] = prompts.strokes
        start = self._starts.get(plane)
        if not prompts:
            self._forget_answer()
            self.layers.show(plane, None if start is None else start.mask)
            self.panel.say(NO_PROMPTS)
            return
        question = self.question(plane, prompts)
        self._ask(partial(self.desk.answer, question))

    def question(self, plane: Plane, prompts: Prompts) -> Question:
        """A question about a plane of the image in work."""
        assert self.layers is not None
        layers, image = self.layers, self.layers.image
        start = self._starts.get(plane)
        return Question(
            source=(id(image), self._versions.get(id(image), 0)),
            plane=plane,
            read=partial(layers.pixels, plane),
            is_rgb=bool(image.rgb),
            prompts=prompts,
            start=None if start is None else start.mask,
        )

    def choose(self, index: int) -> None:
        """Take another candidate."""
        if self.answer is not None:
            self._ask(partial(self.desk.choose, self.answer.question, index))

    def next_candidate(self) -> bool:
        """Take the candidate after the selected one; False: there are none."""
        if self.answer is None:
            return False
        prediction = self.answer.prediction
        self.choose((prediction.selected + 1) % prediction.num_masks)
        return True

    def _ask(self, job: Callable[[], Answer]) -> None:
        self.search.stop()
        self.panel.show_busy("Thinking …")
        self.worker.ask(job, self._answered)

    def _answered(self, outcome: Outcome) -> None:
        self.panel.show_busy(None)
        if outcome.error is not None:
            self.show_error(outcome.error)
            return
        answer: Answer = outcome.value
        plane = answer.question.plane
        if self.layers is None or plane != self.layers.plane():
            return
        self.answer = answer
        self.layers.show(plane, answer.prediction.mask)
        self.panel.show_answer(answer)

    def show_error(self, error: BaseException) -> None:
        """Say what went wrong; what is not the user's doing goes to napari's own reports, too."""
        self.panel.say(str(error) or type(error).__name__)
        if not isinstance(error, LatentcutError):
            from napari.utils.notifications import notification_manager

            notification_manager.receive_error(type(error), error, error.__traceback__)

    # ------------------------------------------------------------ what the keys and buttons do

    def toggle_sign(self) -> None:
        """Let new prompts be negative if they were positive, and the other way round."""
        if self.layers is not None:
            positive = not self.layers.positive()
            self.layers.set_positive(positive)
            self.panel.show_sign(positive)

    def commit(self) -> None:
        """Keep the current object of the plane on screen, and begin the next one."""
        plane = self.current_plane()
        if plane is None or self.layers is None:
            return
        mask = self.layers.mask(plane)
        if not mask.any():
            self.panel.say(NOTHING_TO_COMMIT)
            return
        number = self.panel.wanted_number()
        start = self._starts.get(plane)
        if number is None and start is not None and start.layer is self.layers.committed:
            number = start.number
        number = self.layers.commit(plane, mask, number)
        self._note_facts(plane, number)
        self.clear()
        self.panel.say(f"Object {number} is committed.")

    def _note_facts(self, plane: Plane, number: int) -> None:
        """Keep with the layer how an object was made; its file will say so."""
        assert self.layers is not None
        facts: dict[str, Any] = {"label": self.panel.label() or None}
        if self.answer is not None and self.answer.question.plane == plane:
            facts["attributes"] = {"parts": [part_of(self.answer)]}
        self.layers.committed.metadata[METADATA]["objects"][plane.place, number] = facts

    def clear(self) -> None:
        """Take all prompts of the plane on screen away, and the current object with them."""
        plane = self.current_plane()
        if plane is None or self.layers is None:
            return
        self._starts.pop(plane, None)
        self._strokes.pop(plane, None)
        self._forget_answer()
        self.layers.remove_prompts(plane)
        self._settling.stop()
        self.layers.show(plane, None)
        self.panel.say(NO_PROMPTS)

    def undo(self) -> None:
        """Take the newest prompt of the plane on screen away."""
        plane = self.current_plane()
        if plane is not None and self.layers is not None and self.layers.remove_newest(plane):
            self.segment()

    def edit(self) -> None:
        """Go on with an object of a label layer: clicks then start from its mask."""
        plane = self.current_plane()
        if plane is None or self.layers is None:
            return
        layer = self.viewer.layers.selection.active
        if getattr(layer, "_type_string", "") != "labels" or layer is self.layers.current:
            layer = self.layers.committed
        mask = None
        if not layer.multiscale and layer.data.shape == self.layers.shape:
            mask = plane.of(layer.data) == layer.selected_label
        if mask is None or not layer.selected_label or not mask.any():
            self.panel.say(NOT_TO_EDIT)
            return
        self.clear()
        self._starts[plane] = Start(mask, layer, int(layer.selected_label))
        self.layers.show(plane, mask)
        self.viewer.layers.selection.active = self.layers.points
        self.panel.say(f"Object {layer.selected_label} of '{layer.name}': click to correct it.")

    # ------------------------------------------------------------ events of the viewer

    def _prompts_changed(self, event: Any) -> None:
        action = getattr(event.action, "value", event.action)
        if action in SETTLED and self.panel.is_automatic():
            self._settling.start()

    def _settled(self) -> None:
        if self.layers is not None and set(self.layers.all) >= {self.layers.points}:
            self.segment()

    def _moved(self, event: Any = None) -> None:
        """Another plane is on screen: its prompts count now."""
        self._forget_answer()
        if self.layers is not None and self.panel.is_automatic():
            plane = self.layers.plane()
            if plane is not None and (self._strokes.get(plane) or plane in self._starts):
                self._settling.start()

    def current_plane(self) -> Plane | None:
        """The plane on screen, with its layers; None, and a sentence, when there is none."""
        if self.layers is None or self.layers.image not in self.viewer.layers:
            self.panel.say(NO_IMAGE)
            return None
        if len(self.layers.all) < 4:
            self.use_chosen_image()
        plane = self.layers.plane()
        if plane is None:
            self.panel.say(NO_PLANE)
        return plane

    def _forget_answer(self) -> None:
        self.answer = None
        self.panel.show_answer(None)

    def showEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        """Take Tab, which needs the window that the widget has by now."""
        super().showEvent(event)
        self.keys.bind_tab()

    def changeEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        """End the work when the dock is closed: napari then takes the widget out of it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.release()

    def closeEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        """End the work."""
        self.release()
        super().closeEvent(event)

    def release(self) -> None:
        """Let go of everything outside of the widget; harmless when done twice."""
        self.search.abandon()
        self.worker.stop()
        self.keys.release()
        listens, self._listens = self._listens, []
        for event, method in listens:
            event.disconnect(method)
        for layers in self._sets.values():
            for layer in (layers.points, layers.shapes):
                layer.events.data.disconnect(self._prompts_changed)
        self._sets.clear()


def part_of(answer: Answer) -> dict[str, Any]:
    """How a mask was made, as the files of this package say it."""
    prompts, prediction = answer.question.prompts, answer.prediction
    return {
        "op": "new",
        "clicks": [{"x": c.x, "y": c.y, "positive": c.positive} for c in prompts.clicks],
        "box": None if prompts.box is None else list(prompts.box),
        "selected": prediction.selected,
        "score": float(prediction.scores[prediction.selected]),
        "expected_iou": float(prediction.expected_iou[prediction.selected]),
    }
