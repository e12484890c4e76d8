"""The workplace: a folder, its project, the model and the queue, as the routes see them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from latentcut import __version__
from latentcut.core.bundle import Bundle, default_bundle_path, read_bundle
from latentcut.errors import NoImages, StoreUnavailable
from latentcut.store.project import ProjectStore
from latentcut.store.rows import ImageRow
from latentcut.web.documents import (
    DocumentAnswer,
    LabelsAnswer,
    PreferencesAnswer,
    ProjectAnswer,
    StatusAnswer,
    document_answer,
    image_answer,
)
from latentcut.web.folder import IMAGE_SUFFIXES, ImageFolder, Scan
from latentcut.web.gallery import Gallery
from latentcut.web.inference import InferenceQueue
from latentcut.web.learning import Learner
from latentcut.web.memory import RememberingPredictor, Searches
from latentcut.web.settings import Settings

NUM_AHEAD = 2  # images after the opened one that are prepared while nothing waits
MIN_CHECK_INTERVAL_S = 1.0
STOP_TIMEOUT_S = 2.0


class Model:
    """The predictor of a bundle, loaded when it is first needed."""

    def __init__(self, bundle: Bundle, threads: int, max_bytes: int) -> None:
        self.bundle, self._threads, self._max_bytes = bundle, threads, max_bytes
        self._lock = threading.Lock()
        self._predictor: RememberingPredictor | None = None

    def load(self) -> RememberingPredictor:
        """The predictor. Raises BundleBroken."""
        from latentcut.core.predictor import predictor_of

        with self._lock:
            if self._predictor is None:
                inner = predictor_of(self.bundle, self._threads)
                self._predictor = RememberingPredictor(inner, self._max_bytes)
            return self._predictor


class Workplace:
    """
    Everything behind the routes. Its methods may be called from any thread.

    Args:
        settings: What the server was told.
        folder: The opened folder.
        scan: What it holds.
        store: The opened project.
        model: The model.
    """

    def __init__(
        self, settings: Settings, folder: ImageFolder, scan: Scan, store: ProjectStore, model: Model
    ) -> None:
        self.settings, self.folder, self.scan = settings, folder, scan
        self.store, self.model = store, model
        self.gallery = Gallery(folder, store, settings.limits)
        self.queue = InferenceQueue(settings.limits.waiting)
        self.searches = Searches()
        self.learner = Learner(store, model.bundle.info.num_masks)
        self._scan_lock = threading.Lock()
        self._check_lock = threading.Lock()
        self._checked: tuple[float, str | None] = (float("-inf"), None)
        self._order: tuple[int, ...] = ()  # ids of the images that are there, as listed

    def start(self) -> None:
        """Begin to answer; the model is loaded meanwhile."""
        self.queue.start()
        self.queue.prepare([self.model.load, self.learner.preferences])

    def close(self) -> None:
        """Finish what is being saved and give the project back."""
        self.queue.stop(STOP_TIMEOUT_S)
        self.store.close()

    def project(self) -> ProjectAnswer:
        """The images, labels and settings; files that came or went are noticed."""
        self._look_again()
        rows = self._listed()
        return ProjectAnswer(
            name=self.folder.root.name,
            version=__version__,
            num_masks=self.model.bundle.info.num_masks,
            images=[image_answer(row, self.gallery.problem(row.id)) for row in rows],
            labels=self.labels(),
            settings=self.store.settings(),
            preferences=self.preferences(),
        )

    def preferences(self) -> PreferencesAnswer:
        """Whether g's choice follows what was learned, and from how many objects that was."""
        return PreferencesAnswer(
            enabled=self.store.uses_preferences(), num_learned=self.learner.num_learned()
        )

    def labels(self) -> LabelsAnswer:
        """The labels."""
        found = self.store.labels()
        return LabelsAnswer(revision=found.revision, labels=found.labels)

    def status(self) -> StatusAnswer:
        """Whether saving works now; found out at most once a second."""
        reason = self._store_trouble()
        return StatusAnswer(
            store="ok" if reason is None else "unavailable",
            reason=reason,
            folder="ok" if self.folder.is_there else "missing",
            waiting=self.queue.num_waiting,
            encoded=self.gallery.encoded_ids(),
        )

    def open_document(self, image_id: int) -> DocumentAnswer:
        """
        An image with its objects and all masks; it is made ready for clicks, then the next two.

        Raises:
            NotInProject: There is no such image.
            FileMissing: Its file is gone.
            UnreadableImage: It cannot be opened, and why.
        """
        opened = self.gallery.open(image_id)
        document = self.store.document(image_id)
        masks = self.store.masks(record.mask for record in document.objects)
        self._prepare_from(image_id)
        height, width = opened.pixels.shape[:2]  # known even if it could not be saved
        answer = document_answer(document, masks)
        return answer.model_copy(update={"width": width, "height": height})

    def _listed(self) -> tuple[ImageRow, ...]:
        rows = self.store.images()
        self._order = tuple(row.id for row in rows if not row.missing)
        return rows

    def _prepare_from(self, image_id: int) -> None:
        """Have the opened image and the next ones decoded and encoded while nothing waits."""
        if image_id not in self._order:  # a script that never asked for the list
            self._listed()
        start = self._order.index(image_id) if image_id in self._order else 0
        steps: list[Callable[[], object]] = [self.model.load, self.learner.preferences]
        for near in self._order[start : start + 1 + NUM_AHEAD]:
            steps += [partial(self.gallery.open, near), partial(self._encode, near)]
        self.queue.prepare(steps)

    def _encode(self, image_id: int) -> None:
        self.gallery.encode(image_id, self.model.load())

    def _look_again(self) -> None:
        """Find images that were added or taken away; a folder that is gone changes nothing."""
        with self._scan_lock, suppress(OSError, StoreUnavailable):
            scan = self.folder.scan()
            if scan.images != self.scan.images:
                self.store.sync_images(scan.images)
            self.scan = scan

    def _store_trouble(self) -> str | None:
        with self._check_lock:
            checked_at, reason = self._checked
            if time.monotonic() - checked_at >= MIN_CHECK_INTERVAL_S:
                reason = None
                try:
                    self.store.check_writable()
                except StoreUnavailable as error:
                    reason = str(error)
                self._checked = time.monotonic(), reason
            return reason


def open_workplace(settings: Settings) -> Workplace:
    """
    Open a folder: find its images, open or make its project, read the model.

    Raises:
        FileMissing: It is no folder, or there is no such bundle.
        NoImages: It holds no image.
        StoreUnavailable: The project cannot be written.
        ProjectBroken, ProjectTooNew: The project file cannot be used.
        BundleBroken: The bundle cannot be used.
    """
    folder = ImageFolder(settings.folder)
    scan = folder.scan()
    if not scan.images:
        raise NoImages(settings.folder, IMAGE_SUFFIXES)
    bundle = read_bundle(settings.bundle or default_bundle_path())
    store = open_store(settings)
    try:
        store.sync_images(scan.images)
    except BaseException:
        store.close()
        raise
    model = Model(bundle, settings.threads, settings.limits.predictions_bytes)
    return Workplace(settings, folder, scan, store, model)


def open_store(settings: Settings) -> ProjectStore:
    """The project; a folder that cannot be written in is an error that says what to do."""
    path = settings.project_path
    try:
        return ProjectStore.open(path, create=True)
    except StoreUnavailable as error:
        if settings.project is not None:
            raise
        raise StoreUnavailable(
            f"the project cannot be made in {settings.folder}: {error}; or keep it elsewhere: "
            "give --project and the path of a file"
        ) from error
