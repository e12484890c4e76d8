"""
Worker processes on one port, and whoever starts them, starts others in their place, and ends them.

All accept connections from one socket, so the port answers as long as one of them lives. Workers
are started anew (``spawn``): nothing of the first process is shared but the socket and a pipe. When
the pipe closes, because the server is told to stop or because the first process was killed, a
worker finishes what it is answering and ends.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from latentcut.errors import LatentcutError, WorkerDied
from latentcut.web.api.settings import ApiSettings

GRACE_S = 15.0  # for a worker to end after it was told to, before it is killed
MAX_EARLY_DEATHS = 3  # in a row: what ends before it answers will not do better next time
READY = b"ready"
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(eq=False)
class Worker:
    """
    A process that answers.

    Attributes:
        process: The process.
        pipe: Says "ready" once; closing it tells the worker to end.
        is_ready: Whether it has answered that it serves.
    """

    process: multiprocessing.process.BaseProcess
    pipe: Connection
    is_ready: bool = False


class Workers:
    """
    Keeps a number of workers alive until it is told to stop.

    Args:
        settings: What they are told; threads are shared out among them.
        sock: Listens already; closed at the end.
        say: Where notes for a person go.
    """

    def __init__(
        self, settings: ApiSettings, sock: socket.socket, say: Callable[[str], None]
    ) -> None:
        self.settings = replace(settings, threads=threads_each(settings))
        self._sock, self._say = sock, say
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[Worker] = []
        self._num_early_deaths = 0
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._is_stopping = False

    def stop(self) -> None:
        """End the workers; may be called from a signal handler or another thread."""
        self._is_stopping = True
        self._wake_writer.send(b"x")

    def run(self) -> None:
        """
        Serve until ``stop``.

        Raises:
            WorkerDied: Workers end before they answer, one after the other.
        """
        metrics_folder(self.settings).mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            while not self._is_stopping:
                while len(self._workers) < self.settings.workers:
                    self._workers.append(self._started())
                self._wait()
        finally:
            self._end_all()
            self._wake_reader.close()
            self._wake_writer.close()

    def _started(self) -> Worker:
        ours, theirs = self._context.Pipe()
        arguments = (self.settings, self._sock, theirs)
        process = self._context.Process(target=work, args=arguments, name="latentcut worker")
        process.start()
        theirs.close()
        return Worker(process, ours)

    def _wait(self) -> None:
        """Wait for something to happen, and see to it."""
        sentinels = {worker.process.sentinel: worker for worker in self._workers}
        pipes = {worker.pipe: worker for worker in self._workers if not worker.is_ready}
        events = wait([self._wake_reader, *sentinels, *pipes])
        for pipe, worker in pipes.items():  # first: a worker may have said it, and then ended
            if pipe in events:
                self._hear(worker)
        for sentinel, worker in sentinels.items():
            if sentinel in events:
                self._replace(worker)

    def _hear(self, worker: Worker) -> None:
        try:
            worker.is_ready = worker.pipe.recv_bytes() == READY
            self._num_early_deaths = 0
        except (EOFError, OSError):
            worker.process.join()  # it is ending: its sentinel follows

    def _replace(self, worker: Worker) -> None:
        """Forget a worker that has ended; another one is started in its place."""
        worker.process.join()
        code = worker.process.exitcode
        self._forget(worker)
        if self._is_stopping:
            return
        if not worker.is_ready:
            self._num_early_deaths += 1
            if self._num_early_deaths >= MAX_EARLY_DEATHS:
                raise WorkerDied("a worker that had not answered yet", code)
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        self._say(f"a worker was ended {how}; another one is started")

    def _forget(self, worker: Worker) -> None:
        self._workers.remove(worker)
        worker.pipe.close()
        if worker.process.pid is not None:
            drop_gauges(metrics_folder(self.settings), worker.process.pid)
        worker.process.close()

    def _end_all(self) -> None:
        """Tell all to end, wait for what they are answering, and kill who does not end."""
        for worker in self._workers:
            worker.pipe.close()
        self._sock.close()  # who comes now is refused, instead of waiting for nobody
        deadline = time.monotonic() + GRACE_S
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def serve_workers(settings: ApiSettings, sock: socket.socket, say: Callable[[str], None]) -> None:
    """
    Answer requests on a socket until SIGINT or SIGTERM; what is being answered is finished.

    Args:
        settings: What the server is told; its spool is taken as it is.
        sock: Listens already.
        say: Where notes for a person go.

    Raises:
        WorkerDied: The workers cannot be started.
    """
    workers = Workers(settings, sock, say)
    before = {
        number: signal.signal(number, lambda *_: workers.stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        workers.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def temporary_spool() -> Iterator[Path]:
    """A folder for what clients send, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="latentcut-serve-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def work(settings: ApiSettings, sock: socket.socket, pipe: Connection) -> None:
    """The life of a worker; the entry of its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches all: the first process decides
    # before anything imports prometheus_client, which looks at it once
    os.environ[METRICS_VARIABLE] = str(metrics_folder(settings))

    from latentcut.web.api.app import create_api
    from latentcut.web.serve import Server

    class WorkerServer(Server):
        """Ends when the pipe closes or on SIGTERM; Ctrl+C is the first process's."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = signal.signal(signal.SIGTERM, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(signal.SIGTERM, before)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            pipe.send_bytes(READY)

    try:
        server = WorkerServer(create_api(settings), settings.limits)
    except LatentcutError as error:
        sys.exit(f"Error: {error}")

    def end_with_the_pipe() -> None:
        try:
            pipe.recv_bytes()
        except (EOFError, OSError):
            server.should_exit = True

    threading.Thread(target=end_with_the_pipe, name="latentcut end", daemon=True).start()
    server.run(sockets=[sock])


def threads_each(settings: ApiSettings) -> int:
    """Threads per prediction in each worker: all cores shared out, unless a number was given."""
    return settings.threads or max(1, (os.cpu_count() or 1) // settings.workers)


def metrics_folder(settings: ApiSettings) -> Path:
    """Where the workers write their figures."""
    return settings.spool / "metrics"


def drop_gauges(folder: Path, pid: int) -> None:
    """Take the gauges of a worker that has ended out of the sums; its counters stay."""
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)
