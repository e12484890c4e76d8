"""What a project teaches of its people's choices, kept up to date in memory."""

from __future__ import annotations

import threading
from contextlib import suppress

import numpy as np
from pydantic import ValidationError

from latentcut.annotation.actions import Outcome
from latentcut.annotation.compose import MaskBook
from latentcut.core.preferences import Lesson, Look, Preferences, learn
from latentcut.errors import BadMask
from latentcut.store.lessons import Evidence, LessonRow
from latentcut.store.project import ProjectStore

MAX_OBJECTS = 300  # the newest ones; of each label the newest 100 of these count


class Learner:
    """
    The preferences of a project. Threads may share it.

    They are worked out from the objects as they are, each time anew, so undo, redo and other
    programs that work on the project need not be watched. Objects of a label teach that label;
    a label whose own objects teach nothing yet follows what all of them teach together.

    Args:
        store: The project.
        num_masks: M; objects that were made with another number teach nothing.
    """

    def __init__(self, store: ProjectStore, num_masks: int) -> None:
        self._store, self._num_masks = store, num_masks
        self._lock = threading.Lock()
        self._rows: tuple[LessonRow, ...] = ()
        self._lessons: dict[LessonRow, Lesson | None] = {}
        self._learned: dict[int | None, Preferences] = {}  # by label

    def preferences(self, label: int | None = None) -> Preferences:
        """What g's choice shall follow for objects of a label; neutral when switched off."""
        return self.learned(label) if self._store.uses_preferences() else Preferences()

    def learned(self, label: int | None) -> Preferences:
        """What the objects as they are teach about a label, whether it is used or not."""
        with self._lock:
            self._look_again()
            if label not in self._learned:
                own = [lesson for row, lesson in self._sound() if row.label == label]
                preferences = learn(own)
                if preferences.is_neutral:
                    preferences = learn([lesson for _, lesson in self._sound()])
                self._learned[label] = preferences
            return self._learned[label]

    def num_learned(self) -> int:
        """How many objects teach something; at most 300."""
        return len(self._store.evidence(MAX_OBJECTS))

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

    def _look_again(self) -> None:
        rows = self._store.evidence(MAX_OBJECTS)
        if rows == self._rows:
            return
        looks = self._store.looks(row.object_id for row in rows if row not in self._lessons)
        self._lessons = {
            row: self._lessons[row] if row in self._lessons else self._lesson(row, looks)
            for row in rows
        }
        self._rows, self._learned = rows, {}

    def _lesson(self, row: LessonRow, looks: dict[int, str]) -> Lesson | None:
        try:
            lesson = Look.model_validate_json(looks[row.object_id]).lesson(row.agreement)
        except (KeyError, ValidationError, BadMask):  # forgotten meanwhile, or of a stranger
            return None
        is_sound = (
            len(lesson.features) == len(row.agreement) == self._num_masks
            and np.isfinite(lesson.agreement).all()
        )
        return lesson if is_sound else None

    def _sound(self) -> list[tuple[LessonRow, Lesson]]:
        return [(row, lesson) for row, lesson in self._lessons.items() if lesson is not None]
