"""Actions on images: worked out on the model's thread where it is needed, then committed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Coroutine, Iterable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool

from latentcut.annotation.actions import (
    Outcome,
    Workbench,
    apply_action,
    needs_model,
    predict_part,
)
from latentcut.annotation.advice import looks_good, next_click
from latentcut.annotation.compose import MaskBook
from latentcut.annotation.kinds import Action, BoxAction, ClickAction, ScribbleAction
from latentcut.annotation.records import MaskId, ObjectRecord
from latentcut.core.clicks import Click
from latentcut.core.encoded import EncodedImage
from latentcut.core.masks import coco_rle, mask_area
from latentcut.core.prediction import Prediction
from latentcut.errors import RevisionConflict
from latentcut.store.rows import Document
from latentcut.web.documents import (
    ActionAnswer,
    CandidateAnswer,
    CandidatesAnswer,
    DocumentAnswer,
    PointAnswer,
    PreviewAnswer,
    RleAnswer,
    changed_objects,
    document_answer,
)
from latentcut.web.failures import ClientGone, Problem
from latentcut.web.inference import Priority
from latentcut.web.memory import NotRemembered, RememberingPredictor
from latentcut.web.workplace import Workplace

PREVIEW_PX = 640  # longer side of a mask under the mouse
MAX_CANDIDATE_PIXELS = 4_000_000  # of a candidate as it is sent; larger ones are reduced


def act(
    workplace: Workplace, image_id: int, expected: int, action: Action
) -> Coroutine[Any, Any, ActionAnswer]:
    """
    Do something to an image; when the result has been awaited, it is on the disk.

    What needs the model is queued at once, before anything is awaited: under a storm of clicks
    those that find the queue full are refused without delay.

    Raises:
        RevisionConflict: The image is not at the expected revision, or moved on meanwhile.
        ServerBusy, Superseded: See InferenceQueue.
        StoreUnavailable: It could not be saved; nothing has changed.
        LatentcutError: The action does not fit; see apply_action.
    """
    started = time.perf_counter()
    is_abandoned = threading.Event()
    work = partial(do, workplace, image_id, expected, action, is_abandoned)
    found: Awaitable[tuple[DocumentAnswer, int | None]]
    if isinstance(action, ClickAction | BoxAction | ScribbleAction):
        key = (action.tab, image_id, action.object)
        found = asyncio.wrap_future(workplace.queue.submit(work, Priority.ACTION, key))
    elif needs_model(action):
        found = asyncio.wrap_future(workplace.queue.submit(work, Priority.ACTION))
    else:
        found = run_in_threadpool(work)
    return _answered(found, is_abandoned, started)


async def _answered(
    found: Awaitable[tuple[DocumentAnswer, int | None]],
    is_abandoned: threading.Event,
    started: float,
) -> ActionAnswer:
    try:
        document, object_id = await found
    except asyncio.CancelledError:
        is_abandoned.set()
        raise
    return ActionAnswer(document=document, object=object_id, took_ms=since_ms(started))


def do(
    workplace: Workplace,
    image_id: int,
    expected: int,
    action: Action,
    is_abandoned: threading.Event,
) -> tuple[DocumentAnswer, int | None]:
    """
    Work an action out and commit it; the new document and the object that was worked on.

    Both in one go on the model's thread: the next click on the same image, which waits, then
    finds the new revision and is refused before the model is run for nothing.
    """
    outcome, bench = work_out(workplace, image_id, expected, action)
    if is_abandoned.is_set():  # the page gave it up, and may have read the document since
        raise ClientGone
    return save(workplace, image_id, expected, outcome, bench.book), outcome.object_id


def work_out(
    workplace: Workplace, image_id: int, expected: int, action: Action
) -> tuple[Outcome, Workbench]:
    """What an action changes, and the bench with the masks of it; nothing is stored."""
    document = workplace.store.document(image_id)
    if document.revision != expected:
        raise RevisionConflict(f"image {image_id}", expected, document.revision)
    bench = workbench(workplace, document, workplace.model.load())
    return apply_action(action, bench), bench


def save(
    workplace: Workplace, image_id: int, expected: int, outcome: Outcome, book: MaskBook
) -> DocumentAnswer:
    """Commit an outcome; the new document with the masks of the objects that changed."""
    store = workplace.store
    records = [record for record in outcome.changes.values() if record is not None]
    needed = set(mask_ids(records))
    masks = {key: rle for key, rle in book.new.items() if key in needed}
    evidence = workplace.learner.evidence(outcome, book)
    document = store.commit(
        image_id, expected, outcome.kind, outcome.changes, masks, outcome.done, evidence
    )
    changed = [record for record in document.objects if outcome.changes.get(record.id)]
    shown = {r.mask: masks.get(r.mask) or store.mask(r.mask) for r in changed}
    return document_answer(document, shown)


def step(workplace: Workplace, image_id: int, expected: int, *, back: bool) -> ActionAnswer:
    """
    Undo or redo.

    Raises:
        RevisionConflict: The image is not at the expected revision.
        NothingToUndo: The history ends here.
    """
    started = time.perf_counter()
    store = workplace.store
    before = store.document(image_id)
    move = store.undo if back else store.redo
    document = move(image_id, expected)
    changed = changed_objects(before.objects, document)
    shown = store.masks(record.mask for record in changed)
    answer = document_answer(document, shown)
    only = changed[0].id if len(changed) == 1 else None
    return ActionAnswer(document=answer, object=only, took_ms=since_ms(started))


def preview(
    workplace: Workplace, image_id: int, x: float, y: float, tab: str, label: int | None = None
) -> Awaitable[PreviewAnswer]:
    """
    What a positive click there would give; a newer one of the same tab replaces it.

    The label is the one that a new object would get: preferences differ from label to label.
    """

    def look() -> PreviewAnswer:
        model = workplace.model.load()
        prediction = model.glance(workplace.gallery.encode(image_id, model), Click(x, y))
        prediction = workplace.learner.preferences(label).applied(prediction)
        mask = prediction.reduced(prediction.selected, PREVIEW_PX)
        expected_iou = float(prediction.expected_iou[prediction.selected])
        shown = RleAnswer.of(coco_rle(mask)) if mask.any() else None
        return PreviewAnswer(mask=shown, expected_iou=expected_iou)

    return asyncio.wrap_future(workplace.queue.submit(look, Priority.HOVER, ("hover", tab)))


async def candidates(workplace: Workplace, image_id: int, object_id: int) -> CandidatesAnswer:
    """
    All answers to the newest part of an object; right after an action they cost no model run.

    Raises:
        NotInProject: There is no such object.
        Problem: It has no candidates: its newest part was imported or painted.
    """
    recall = partial(_candidates, workplace, image_id, object_id, from_memory=True)
    try:
        return await run_in_threadpool(recall)
    except NotRemembered:
        again = partial(_candidates, workplace, image_id, object_id, from_memory=False)
        return await workplace.queue.run(again, Priority.CANDIDATES)


def _candidates(
    workplace: Workplace, image_id: int, object_id: int, *, from_memory: bool
) -> CandidatesAnswer:
    document = workplace.store.document(image_id)
    model = workplace.model.load()
    predictor = model.recall_only() if from_memory else model
    bench = workbench(workplace, document, predictor, from_memory)
    record = bench.object(object_id)
    prediction = predict_part(record, bench)
    if prediction is None:
        message = (
            f"object {object_id} has no candidates: its newest part was imported or painted; "
            "click on it to get some"
        )
        raise Problem(404, "no_candidates", message)
    part = record.parts[-1]
    assert part.selected is not None
    if part.selected != prediction.selected:
        prediction = prediction.choose(part.selected)
    return described(prediction, part.by_user)


def described(prediction: Prediction, by_user: bool) -> CandidatesAnswer:
    """A prediction as the API gives it."""
    advised = next_click(prediction)
    return CandidatesAnswer(
        selected=prediction.selected,
        by_user=by_user,
        candidates=[candidate(prediction, index) for index in range(prediction.num_masks)],
        next_click=None if advised is None else PointAnswer(x=advised[0], y=advised[1]),
        looks_good=looks_good(prediction),
    )


def candidate(prediction: Prediction, index: int) -> CandidateAnswer:
    """One answer of the model; its mask is reduced where the image is large."""
    mask = prediction.candidate(index)
    height, width = mask.shape
    reduction = (MAX_CANDIDATE_PIXELS / mask.size) ** 0.5
    area = mask_area(mask)
    if reduction < 1:
        mask = prediction.reduced(index, int(max(height, width) * reduction))
    return CandidateAnswer(
        index=index,
        score=float(prediction.scores[index]),
        expected_iou=float(prediction.expected_iou[index]),
        area=area,
        broken_clicks=prediction.broken_clicks(index),
        mask=RleAnswer.of(coco_rle(mask)),
    )


def workbench(
    workplace: Workplace,
    document: Document,
    predictor: RememberingPredictor,
    from_memory: bool = False,
) -> Workbench:
    """What an action is applied to; with from_memory, nothing is encoded for it."""
    store, gallery, image_id = workplace.store, workplace.gallery, document.image.id

    def encoded() -> EncodedImage:
        if not from_memory:
            return gallery.encode(image_id, predictor)
        known = gallery.recall(image_id)
        if known is None:
            raise NotRemembered
        return known

    height, width = size_hw(workplace, document)
    return Workbench(
        objects=document.objects,
        book=MaskBook((height, width), store.mask),
        new_object_ids=partial(store.new_object_ids, image_id),
        label_ids=frozenset(label.id for label in store.labels().labels),
        predictor=predictor,
        encoded=encoded,
        preferences=workplace.learner.preferences,
    )


def size_hw(workplace: Workplace, document: Document) -> tuple[int, int]:
    """Height and width of a document's image, which is opened if they are not known."""
    row = document.image
    if row.width is not None and row.height is not None:
        return row.height, row.width
    shape = workplace.gallery.open(row.id).pixels.shape
    return shape[0], shape[1]


def mask_ids(records: Iterable[ObjectRecord]) -> Iterable[MaskId]:
    """Every mask that records name."""
    for record in records:
        yield record.mask
        for part in record.parts:
            yield part.mask
            if part.previous is not None:
                yield part.previous


def since_ms(started: float) -> float:
    """Milliseconds since a reading of ``time.perf_counter``."""
    return round(1000 * (time.perf_counter() - started), 1)
