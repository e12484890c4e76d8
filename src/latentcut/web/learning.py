"""What a project teaches of its people's choices, kept up to date in memory."""

from __future__ import annotations

import threading
from contextlib import suppress

import numpy as np
from pydantic import ValidationError

from latentcut.annotation.actions import Outcome
from latentcut.annotation.compose import MaskBook
from latentcut.annotation.records import MaskId
from latentcut.core.preferences import MAX_LESSONS, Lesson, Look, Preferences, learn
from latentcut.errors import BadMask
from latentcut.store.lessons import Evidence, LessonRow
from latentcut.store.project import ProjectStore

Key = tuple[int, MaskId]  # an object and what it became


class Learner:
    """
    The preferences of a project. Threads may share it.

    They are worked out from the objects as they are, each time anew, so undo, redo and other
    programs that work on the project need not be watched.

    Args:
        store: The project.
        num_masks: M; objects that were made with another number teach nothing.
    """

    def __init__(self, store: ProjectStore, num_masks: int) -> None:
        self._store, self._num_masks = store, num_masks
        self._lock = threading.Lock()
        self._lessons: dict[Key, Lesson | None] = {}
        self._learned = Preferences()

    def preferences(self) -> Preferences:
        """What g's choice shall follow now; neutral where that is switched off."""
        return self.learned() if self._store.uses_preferences() else Preferences()

    def learned(self) -> Preferences:
        """What the objects as they are teach, whether it is used or not."""
        rows = self._store.evidence(MAX_LESSONS)
        with self._lock:
            if [(row.object_id, row.mask) for row in rows] != list(self._lessons):
                known = self._lessons
                self._lessons = {
                    (row.object_id, row.mask): known.get((row.object_id, row.mask))
                    or self._lesson(row)
                    for row in rows
                }
                lessons = [lesson for lesson in self._lessons.values() if lesson is not None]
                self._learned = learn(lessons)
            return self._learned

    def evidence(self, outcome: Outcome, book: MaskBook) -> Evidence:
        """What an action teaches: how its objects began, if they are new, and what they became."""
        records = [record for record in outcome.changes.values() if record is not None]
        new = {} if outcome.look is None else {records[0].id: outcome.look.model_dump_json()}
        looks = self._store.looks(record.id for record in records) | new
        agreements = {}
        for record in records:
            if record.id in looks and record.area:
                # of a stranger's project, which may hold anything: then there is no lesson
                with suppress(ValidationError, BadMask):
                    look = Look.model_validate_json(looks[record.id])
                    agreements[record.id, record.mask] = look.agreement(book.mask(record.mask))
        return Evidence(new, agreements)

    def _lesson(self, row: LessonRow) -> Lesson | None:
        try:
            lesson = Look.model_validate_json(row.look).lesson(row.agreement)
        except (ValidationError, BadMask):
            return None
        is_sound = (
            len(lesson.features) == len(row.agreement) == self._num_masks
            and np.isfinite(lesson.agreement).all()
        )
        return lesson if is_sound else None
