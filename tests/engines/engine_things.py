"""What worker processes must be able to import: functions that double, end, confuse or wait."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from latentcut.errors import BadConfig


def doubling() -> Callable[[int], int]:
    return lambda number: 2 * number


def end_now() -> None:
    """Ends this process as the system ends those that take too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def deadly_once(folder: Path) -> Callable[[int], int]:
    """Doubles, but the first worker that meets a 3 ends with it. Every attempt leaves a file."""

    def do(number: int) -> int:
        attempts = len(list(folder.glob(f"{number}-*")))
        (folder / f"{number}-{attempts}").touch()
        if number == 3 and attempts == 0:
            end_now()
        return 2 * number

    return do


def deadly() -> Callable[[int], int]:
    """Doubles, but every worker that meets a 3 ends with it."""

    def do(number: int) -> int:
        if number == 3:
            end_now()
        return 2 * number

    return do


def stillborn() -> Callable[[int], int]:
    end_now()
    return abs


def broken() -> Callable[[int], int]:
    raise BadConfig("this worker cannot be built")


def confused() -> Callable[[int], float]:
    return lambda number: 1 / (number - 3)


def choosy() -> Callable[[int], int]:
    def do(number: int) -> int:
        if number == 3:
            raise BadConfig("no threes")
        return number

    return do


def telling_pid(folder: Path) -> Callable[[int], int]:
    """Writes its process number into a folder, then waits until a file called go is there."""

    def do(number: int) -> int:
        (folder / f"pid-{os.getpid()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
        return 2 * number

    return do
