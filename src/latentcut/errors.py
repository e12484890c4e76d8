"""
Every error that latentcut raises on purpose. Imports nothing of ours.

Each class names a situation; its attributes hold the facts, so that nobody has
to parse the text. The command line prints the text after ``Error: ``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class LatentcutError(Exception):
    """Base of them all; the command line and servers catch this and nothing wider."""

    def __reduce__(self) -> tuple[Any, ...]:
        # the default calls the class with the finished sentence, which most classes here do
        # not take; errors must survive the way out of a worker process
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[LatentcutError], args: tuple[Any, ...], facts: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class UnreadableImage(LatentcutError, ValueError):
    """The content is of an allowed format but cannot be decoded: broken, cut off or empty."""

    def __init__(self, given: str, reason: str) -> None:
        super().__init__(given, reason)  # the facts, so that the error survives pickling
        self.given, self.reason = given, reason

    def __str__(self) -> str:
        return f"{self.given} cannot be read as an image: {self.reason}"


class UnsupportedImage(LatentcutError, ValueError):
    """The content is of a kind outside the allow-list, whatever the file is called."""

    def __init__(self, given: str, found: str, allowed: str) -> None:
        super().__init__(given, found, allowed)
        self.given, self.found, self.allowed = given, found, allowed

    def __str__(self) -> str:
        return f"{self.given} is {self.found}: {self.allowed}"


class ImageTooLarge(LatentcutError, ValueError):
    """A byte, pixel or side limit is exceeded; found before decoding."""

    def __init__(self, given: str, measured: str, limit: int, unit: str, limit_name: str) -> None:
        super().__init__(given, measured, limit, unit, limit_name)
        self.given, self.measured = given, measured
        self.limit, self.unit, self.limit_name = limit, unit, limit_name

    def __str__(self) -> str:
        return (
            f"{self.given} has {self.measured}, but at most {self.limit:,} {self.unit} are "
            f"allowed ({self.limit_name}): give a smaller image or raise the limit"
        )


class FileMissing(LatentcutError, FileNotFoundError):
    """A path that was given does not exist or is not of the expected kind."""

    def __init__(self, path: object, expected: str) -> None:
        super().__init__(f"{path} does not exist or is not {expected}")
        self.path, self.expected = path, expected

    def __str__(self) -> str:
        return str(self.args[0])


class ClickOutsideImage(LatentcutError, ValueError):
    """A click was placed outside the image it belongs to."""

    def __init__(self, x: float, y: float, size_hw: tuple[int, int]) -> None:
        height, width = size_hw
        super().__init__(
            f"click (x={_plain(x)}, y={_plain(y)}) is outside the image, "
            f"which is {width} px wide and "
            f"{height} px high: x must be 0 to {width - 1} and y 0 to {height - 1}"
        )
        self.x, self.y, self.size_hw = x, y, size_hw


class BadBox(LatentcutError, ValueError):
    """A box was given that holds nothing of the image it belongs to."""

    def __init__(self, box_xyxy: tuple[float, float, float, float], size_hw: tuple[int, int]):
        height, width = size_hw
        x0, y0, x1, y1 = (_plain(value) for value in box_xyxy)
        super().__init__(
            f"box (x0={x0}, y0={y0}, x1={x1}, y1={y1}) holds nothing of the image, which is "
            f"{width} px wide and {height} px high: x0 must be less than x1 and y0 less than y1, "
            f"and some of x 0 to {width - 1} and y 0 to {height - 1} must lie between them"
        )
        self.box_xyxy, self.size_hw = box_xyxy, size_hw


class BadScribble(LatentcutError, ValueError):
    """A scribble is no line of positions."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"a scribble needs at least one position (x, y) of finite numbers, given {given}"
        )


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


class NoClicks(LatentcutError, ValueError):
    """A prediction needs at least one click or a previous mask to start from."""

    def __init__(self) -> None:
        super().__init__("there is no click, box or previous mask: give at least one of them")


class MaskSizeMismatch(LatentcutError, ValueError):
    """A mask does not have the height and width of the image it is used with."""

    def __init__(self, given_shape: tuple[int, ...], size_hw: tuple[int, int]) -> None:
        super().__init__(
            f"the mask has shape {given_shape}, but the image is {size_hw[0]} px high and "
            f"{size_hw[1]} px wide: the mask must have shape {size_hw}"
        )
        self.given_shape, self.size_hw = given_shape, size_hw


class BadMask(LatentcutError, ValueError):
    """A mask array or its run-length code breaks the rules of its format."""

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(found, allowed)
        self.found, self.allowed = found, allowed

    def __str__(self) -> str:
        return f"{self.found}: {self.allowed}"


class NoSuchCandidate(LatentcutError, IndexError):
    """A candidate index is outside 0 .. M-1."""

    def __init__(self, index: int, num_masks: int) -> None:
        super().__init__(
            f"candidate {index} does not exist: there are {num_masks}, "
            f"numbered 0 to {num_masks - 1}"
        )
        self.index, self.num_masks = index, num_masks


class NothingToUndo(LatentcutError, RuntimeError):
    """Undo or redo was asked for at the end of the history."""


class BundleBroken(LatentcutError, ValueError):
    """A bundle folder is incomplete, altered or made for another version."""


class BadConfig(LatentcutError, ValueError):
    """A config file or override has an unknown key or a value that is not allowed."""


class DatasetBroken(LatentcutError, ValueError):
    """A data set folder misses a file or holds one that does not fit."""


class CheckpointBroken(LatentcutError, ValueError):
    """A checkpoint cannot be read or belongs to another config."""


class OutputExists(LatentcutError, FileExistsError):
    """A file that would be written belongs to another run."""

    def __str__(self) -> str:
        return str(self.args[0])


class MissingExtra(LatentcutError, ImportError):
    """A command needs packages that only an extra installs."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed: run pip install 'latentcut[{extra}]'"
        )
        self.extra = extra


class RevisionConflict(LatentcutError, RuntimeError):
    """Something was changed elsewhere since it was read; nothing was written."""

    def __init__(self, what: str, expected: int, found: int) -> None:
        super().__init__(
            f"{what} is at revision {found}, not {expected}: it was changed elsewhere; "
            "load it again and repeat the change"
        )
        self.what, self.expected, self.found = what, expected, found


class NotInProject(LatentcutError, LookupError):
    """An image, object, mask or label that the project does not have."""

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"there is no {kind} {key} in this project")
        self.kind, self.key = kind, key


class LabelInUse(LatentcutError, ValueError):
    """A label that objects still have was to be removed."""

    def __init__(self, name: str, num_objects: int) -> None:
        super().__init__(
            f"label {name!r} is used by {num_objects} objects: give them another label first"
        )
        self.name, self.num_objects = name, num_objects


class BadAction(LatentcutError, ValueError):
    """An action that does not fit the image or object it is meant for."""


class ProjectBroken(LatentcutError, ValueError):
    """A project file cannot be read as one."""


class ProjectTooNew(LatentcutError, ValueError):
    """A project was written by a newer version; it was not touched."""


class StoreUnavailable(LatentcutError, OSError):
    """The project cannot be written now: disk full, read-only or gone. Nothing was lost."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class BadAnnotationFile(LatentcutError, ValueError):
    """An annotation file that is to be imported breaks the rules of its format."""


class NoImages(LatentcutError, FileNotFoundError):
    """A folder that was to be annotated holds no image."""

    def __init__(self, folder: object, suffixes: Iterable[str]) -> None:
        super().__init__(
            f"{folder} holds no images: looked for names that end in {', '.join(suffixes)}, also "
            "in its sub-folders; give a folder with at least one"
        )
        self.folder, self.suffixes = folder, tuple(suffixes)

    def __str__(self) -> str:
        return str(self.args[0])


class WorkerDied(LatentcutError, RuntimeError):
    """Processes ended before they were told to, so often that another try makes no sense."""

    def __init__(self, name: str, exit_code: int | None) -> None:
        how = "" if exit_code is None else f" with exit code {exit_code}"
        if exit_code is not None and exit_code < 0:
            how = f" by signal {-exit_code}"
        super().__init__(
            f"{name} was ended{how}, perhaps because memory ran out: fewer --workers need less"
        )
        self.name, self.exit_code = name, exit_code


class ServerBusy(LatentcutError, RuntimeError):
    """The server's queue is full; the same request may be sent again in a moment."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} requests are waiting already: try again in a second")
        self.waiting = waiting


class Superseded(LatentcutError, RuntimeError):
    """A newer request of the same object came in before this one was begun."""


class NotKept(LatentcutError, LookupError):
    """An image or mask that the API server does not have, or no longer."""

    def __init__(self, kind: str, key: str, way_out: str) -> None:
        super().__init__(f"there is no {kind} {key} here, or no longer: {way_out}")
        self.kind, self.key = kind, key


class PathNotServed(LatentcutError, ValueError):
    """A path that the API server may not read."""

    def __init__(self, path: str, has_roots: bool) -> None:
        if has_roots:
            reason = "it is not inside a folder that the server was started with"
        else:
            reason = "no folder is served: start the server with --root, or send the file itself"
        super().__init__(f"{path} cannot be opened: {reason}")
        self.path, self.has_roots = path, has_roots


class PromptUnusable(LatentcutError, ValueError):
    """What another tool sent to be answered cannot be used."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part} cannot be used: {reason}")
        self.part, self.reason = part, reason


class CvatRefused(LatentcutError, RuntimeError):
    """A CVAT server did not do what the agent asked it for."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"{server}: {reason}")
        self.server, self.reason = server, reason


class LabelmeUnknown(LatentcutError, RuntimeError):
    """The installed labelme is not one that models can be added to."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"labelme {version} keeps its list of models elsewhere than 6.3 does: "
            "run pip install 'labelme>=6.3,<7'"
        )
        self.version = version


class ClusterUnusable(LatentcutError, RuntimeError):
    """There is no Ray cluster at an address, or its workers cannot begin."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"the Ray cluster {address!r} cannot be used: {reason}")
        self.address, self.reason = address, reason


class BadPrompts(LatentcutError, ValueError):
    """A file of prompts cannot be read as what its name says."""


class ImageNotFetched(LatentcutError, RuntimeError):
    """An image that a task names cannot be had, or may not be asked for."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(server, reason)
        self.server, self.reason = server, reason

    def __str__(self) -> str:
        return f"the image cannot be had from {self.server}: {self.reason}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names there are, the most similar one first in the sentence."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(names)}"
