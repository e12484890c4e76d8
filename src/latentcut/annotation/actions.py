"""
What each action changes; the actions themselves are data, see ``annotation.kinds``.

An action is applied to the records as they are and returns the records that change; who
calls it stores them. Nothing here reads or writes files, so an action that fails changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError

from latentcut.annotation.compose import (
    BoolArray,
    MaskBook,
    draw_strokes,
    finish,
    pieces,
    with_mask,
)
from latentcut.annotation.kinds import (
    Action,
    BoxAction,
    ChooseAction,
    ClickAction,
    DeleteAction,
    DoneAction,
    FoundAction,
    FoundThing,
    LabelAction,
    Mode,
    ReorderAction,
    ScribbleAction,
    SplitAction,
    StrokeAction,
)
from latentcut.annotation.records import ClickRecord, ObjectRecord, Part, Stroke, to_clicks
from latentcut.core.clicks import check_clicks
from latentcut.core.encoded import EncodedImage
from latentcut.core.masks import mask_area, mask_from_coco_rle
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor
from latentcut.core.preferences import Look, Preferences
from latentcut.core.scribbles import scribble_clicks
from latentcut.errors import BadAction, MaskSizeMismatch, NoSuchCandidate, NotInProject


@dataclass
class Workbench:
    """
    What an action is applied to.

    Attributes:
        objects: The image's objects, by position.
        book: Its masks; new ones are found in ``book.new`` afterwards.
        new_object_ids: Gives so many ids that were never used.
        label_ids: The project's labels.
        predictor: The model.
        encoded: Gives the encoded image; only asked by actions that need the model.
        preferences: Gives what was learned of this project's choices for a label, or for
            objects without one; asked by first clicks.
    """

    objects: tuple[ObjectRecord, ...]
    book: MaskBook
    new_object_ids: Callable[[int], Sequence[int]]
    label_ids: frozenset[int]
    predictor: Predictor
    encoded: Callable[[], EncodedImage]
    preferences: Callable[[int | None], Preferences] = lambda label: Preferences()

    def object(self, object_id: int) -> ObjectRecord:
        """The object of an id. Raises NotInProject."""
        for record in self.objects:
            if record.id == object_id:
                return record
        raise NotInProject("object", object_id)

    def new_object(self, label: int | None) -> ObjectRecord:
        """An empty object in front of all others."""
        self.check_label(label)
        empty = self.book.add(np.zeros(self.book.size_hw, dtype=bool))
        (object_id,) = self.new_object_ids(1)
        position = self.front_position
        return ObjectRecord(id=object_id, label=label, position=position, mask=empty, area=0)

    @property
    def front_position(self) -> int:
        """The position in front of all objects."""
        return 1 + max((record.position for record in self.objects), default=-1)

    def check_label(self, label: int | None) -> None:
        """Raise NotInProject unless the label exists or is None."""
        if label is not None and label not in self.label_ids:
            raise NotInProject("label", label)


@dataclass(frozen=True)
class Outcome:
    """
    What an action changes.

    Attributes:
        kind: The action's.
        changes: New records by object id; None: the object is removed.
        object_id: The object that was worked on; None: no single one.
        done: The image's new mark; None: as before.
        prediction: The model's answer behind the object's newest part, if it was asked.
        look: What the candidates of a new object look like, if clicks made it.
    """

    kind: str
    changes: dict[int, ObjectRecord | None]
    object_id: int | None = None
    done: bool | None = None
    prediction: Prediction | None = None
    look: Look | None = None


def needs_model(action: Action) -> bool:
    """Whether the action runs the network."""
    return isinstance(action, ClickAction | BoxAction | ScribbleAction | ChooseAction)


def apply_action(action: Action, bench: Workbench) -> Outcome:
    """
    Work out what an action changes.

    Raises:
        NotInProject: An object or label does not exist.
        BadAction: The action does not fit the object as it is.
        ClickOutsideImage, BadBox: A click or box does not lie in the image.
        NoSuchCandidate: The candidate's index is not 0 to M - 1.
        BadMask, MaskSizeMismatch: A found thing's mask is none, or none of this image.
    """
    if isinstance(action, ClickAction | BoxAction | ScribbleAction):
        return _prompt(action, bench)
    if isinstance(action, ChooseAction):
        return _choose(action, bench)
    if isinstance(action, StrokeAction):
        return _stroke(action, bench)
    if isinstance(action, ReorderAction):
        return _reorder(action, bench)
    if isinstance(action, SplitAction):
        return _split(action, bench)
    if isinstance(action, FoundAction):
        return Outcome(action.kind, _take_found(action, bench))
    if isinstance(action, DoneAction):
        return Outcome(action.kind, {}, done=action.done)
    record = bench.object(action.object)
    if isinstance(action, DeleteAction):
        return Outcome(action.kind, {record.id: None})
    if isinstance(action, LabelAction):
        bench.check_label(action.label)
        changed = record.model_copy(update={"label": action.label})
    else:
        changed = record.model_copy(update={"name": action.name})
    return Outcome(action.kind, {record.id: changed}, record.id)


def predict_part(record: ObjectRecord, bench: Workbench) -> Prediction | None:
    """
    The model's answer behind the newest part, once more: the same candidates to the last bit.

    They have the scores they had then, whatever was learned since. None for an object whose
    newest part never asked the model.
    """
    if not record.parts or record.parts[-1].selected is None:
        return None
    part = record.parts[-1]
    return _as_scored_then(part, _predict(part, bench))


def _as_scored_then(part: Part, prediction: Prediction) -> Prediction:
    if part.preference is None:
        return prediction
    try:
        return Preferences(weights=part.preference).applied(prediction)
    except ValidationError:  # weights of another kind, from a project of another program
        return prediction


def _predict(part: Part, bench: Workbench) -> Prediction:
    previous = None if part.previous is None else bench.book.mask(part.previous)
    if previous is not None and not previous.any():
        previous = None  # an empty mask says nothing about where the object is
    clicks = to_clicks(part.clicks)
    return bench.predictor.predict(bench.encoded(), clicks, previous, box=part.box)


def _prompt(action: ClickAction | BoxAction | ScribbleAction, bench: Workbench) -> Outcome:
    record = (
        bench.new_object(action.label) if action.object is None else bench.object(action.object)
    )
    part = _open_part(record, action.mode, bench)
    if isinstance(action, BoxAction):
        part = part.model_copy(update={"box": action.box})
    else:
        part = part.model_copy(update={"clicks": part.clicks + _clicks_of(action, bench)})
    prediction, look = _predict(part, bench), None
    if is_first_look(part) and not record.parts:
        look = Look.of(prediction) if action.object is None else None
        prediction, part = _preferred(part, prediction, bench.preferences(record.label))
    part = _taken(part, prediction, bench, by_user=False)
    kept = record.parts[:-1] if action.mode == "refine" else record.parts
    changed = finish(record.model_copy(update={"parts": (*kept, part)}), bench.book)
    return Outcome(action.kind, {record.id: changed}, record.id, prediction=prediction, look=look)


def _clicks_of(action: ClickAction | ScribbleAction, bench: Workbench) -> tuple[ClickRecord, ...]:
    """The clicks of an action; a scribble stands for a few."""
    if isinstance(action, ClickAction):
        return action.clicks
    clicks = scribble_clicks(action.points, action.positive, bench.book.size_hw)
    return tuple(ClickRecord(x=each.x, y=each.y, positive=each.positive) for each in clicks)


def is_first_look(part: Part) -> bool:
    """Whether a part asks what is meant at all: by clicks alone, starting from no mask."""
    return part.box is None and part.previous is None


def _preferred(
    part: Part, prediction: Prediction, preferences: Preferences
) -> tuple[Prediction, Part]:
    """The prediction as this project's people would rank it, and the part with the note of it."""
    if preferences.is_neutral:
        return prediction, part
    noted = part.model_copy(update={"preference": preferences.weights})
    return preferences.applied(prediction), noted


def _open_part(record: ObjectRecord, mode: Mode, bench: Workbench) -> Part:
    """
    The part that new clicks belong to, with the mask that the network shall start from.

    Refining an object of one part starts from what the person sees, strokes included; with
    several parts, from the newest one's own mask, since the others are not its business.
    """
    op = "new" if mode == "refine" else mode
    if mode != "refine" and record.parts:
        return Part(op=op, mask=record.mask)
    if len(record.parts) > 1:
        newest = record.parts[-1]
        return newest.model_copy(update={"previous": newest.mask, "preference": None})
    previous = record.mask if record.area else None
    if not record.parts:
        return Part(previous=previous, mask=record.mask)
    return record.parts[0].model_copy(update={"previous": previous, "preference": None})


def _taken(part: Part, prediction: Prediction, bench: Workbench, by_user: bool) -> Part:
    """The part with the prediction's selected candidate."""
    selected = prediction.selected
    return part.model_copy(
        update={
            "selected": selected,
            "by_user": by_user,
            "score": float(prediction.scores[selected]),
            "expected_iou": float(prediction.expected_iou[selected]),
            "mask": bench.book.add(prediction.mask),
        }
    )


def _choose(action: ChooseAction, bench: Workbench) -> Outcome:
    record = bench.object(action.object)
    prediction = predict_part(record, bench)
    if prediction is None:
        raise BadAction(
            f"object {record.id} has no candidates: its newest part was imported or painted; "
            "click on it to get some"
        )
    chosen = prediction.choose(action.index)
    part = _taken(record.parts[-1], chosen, bench, by_user=True)
    changed = finish(record.model_copy(update={"parts": (*record.parts[:-1], part)}), bench.book)
    return Outcome(action.kind, {record.id: changed}, record.id, prediction=chosen)


def _stroke(action: StrokeAction, bench: Workbench) -> Outcome:
    if action.object is None and action.tool == "eraser":
        raise BadAction("an eraser stroke needs an object: select one first")
    record = (
        bench.new_object(action.label) if action.object is None else bench.object(action.object)
    )
    stroke = Stroke(tool=action.tool, radius_px=action.radius_px, points=action.points)
    # strokes come last, so the newest one can be drawn on the result there is
    mask = draw_strokes(bench.book.mask(record.mask).copy(), [stroke])
    longer = record.model_copy(update={"strokes": (*record.strokes, stroke)})
    changed = with_mask(longer, mask, bench.book)
    return Outcome(action.kind, {record.id: changed}, record.id)


def _reorder(action: ReorderAction, bench: Workbench) -> Outcome:
    by_id = {record.id: record for record in bench.objects}
    if sorted(action.objects) != sorted(by_id):
        raise BadAction(
            f"the new order names the objects {sorted(action.objects)}, but the image has "
            f"{sorted(by_id)}: name each of them once"
        )
    changes: dict[int, ObjectRecord | None] = {
        object_id: by_id[object_id].model_copy(update={"position": position})
        for position, object_id in enumerate(action.objects)
        if by_id[object_id].position != position
    }
    return Outcome(action.kind, changes)


def _split(action: SplitAction, bench: Workbench) -> Outcome:
    record = bench.object(action.object)
    parts = pieces(bench.book.mask(record.mask))
    if len(parts) < 2:
        raise BadAction(f"object {record.id} is in one piece: there is nothing to split off")
    changes: dict[int, ObjectRecord | None] = {}
    ids = [record.id, *bench.new_object_ids(len(parts) - 1)]
    for number, mask in enumerate(parts):
        part = Part(mask=bench.book.add(mask))
        piece = record.model_copy(update={"parts": (part,), "strokes": ()})
        if number:
            position = bench.front_position + number - 1
            own = {"id": ids[number], "position": position, "name": ""}
            piece = piece.model_copy(update=own)
        changes[piece.id] = finish(piece, bench.book)
    return Outcome(action.kind, changes, record.id)


def _take_found(action: FoundAction, bench: Workbench) -> dict[int, ObjectRecord | None]:
    bench.check_label(action.label)
    things = [(thing, _mask_of(thing, bench)) for thing in action.things]
    things.sort(key=lambda pair: -mask_area(pair[1]))  # small things in front of what holds them
    ids = bench.new_object_ids(len(things))
    made: dict[int, ObjectRecord | None] = {}
    for number, (object_id, (thing, mask)) in enumerate(zip(ids, things, strict=True)):
        mask_id = bench.book.add(mask)
        part = Part(
            clicks=(thing.click,),
            selected=thing.candidate,
            expected_iou=thing.expected_iou,
            mask=mask_id,
        )
        position = bench.front_position + number
        record = ObjectRecord(
            id=object_id, label=action.label, position=position, parts=(part,), mask=mask_id, area=0
        )
        made[object_id] = with_mask(record, mask, bench.book)
    return made


def _mask_of(thing: FoundThing, bench: Workbench) -> BoolArray:
    """A found thing's mask, bool (H, W), with all that is said of it checked."""
    check_clicks(to_clicks((thing.click,)), bench.book.size_hw)
    if thing.candidate >= bench.predictor.num_masks:
        raise NoSuchCandidate(thing.candidate, bench.predictor.num_masks)
    if thing.mask.size != bench.book.size_hw:
        raise MaskSizeMismatch(thing.mask.size, bench.book.size_hw)
    mask = mask_from_coco_rle(thing.mask.model_dump(), max_pixels=bench.book.num_pixels)
    if not mask.any():
        raise BadAction("a found thing has an empty mask: leave it out")
    return mask
