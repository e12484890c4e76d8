"""
Disks that lose their power: a recorder of everything SQLite writes, and what may be left of it.

What was flushed is on the disk. Of what was written since, any part may be: a write may be there,
be missing, or be there in some of its sectors. A file that was made or deleted since the last
flush may still be as it was before. Ordered by the file system, a later one of these two is never
there without the earlier one.
"""

from __future__ import annotations

from pathlib import Path

import apsw

SECTOR_BYTES = 512


class Recorder(apsw.VFS):
    """
    SQLite's own file layer, which also notes what it does in `events`.

    An event is (what, file name, offset or size, bytes): "create", "write", "truncate", "flush",
    "delete", or one that the test notes itself.
    """

    def __init__(self, name):
        super().__init__(name, "")
        self.name, self.events = name, []

    def note(self, what, name="", number=0, content=b""):
        self.events.append((what, name, number, content))

    def xOpen(self, name, flags):
        return RecordedFile(self, name, flags)

    def xDelete(self, name, sync_folder):
        super().xDelete(name, sync_folder)
        self.note("delete", Path(name).name)
        if sync_folder:
            self.note("flush", Path(name).name)


class RecordedFile(apsw.VFSFile):
    def __init__(self, recorder, name, flags):
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.recorder, self.name = recorder, Path(path).name if path else ""
        is_new = bool(path) and not Path(path).exists()
        super().__init__("", name, flags)
        if is_new and Path(path).exists():
            recorder.note("create", self.name)

    def xWrite(self, data, offset):
        super().xWrite(data, offset)
        self.recorder.note("write", self.name, offset, bytes(data))

    def xTruncate(self, size):
        super().xTruncate(size)
        self.recorder.note("truncate", self.name, size)

    def xSync(self, flags):
        super().xSync(flags)
        self.recorder.note("flush", self.name)


class Disk:
    """Files as far as they are safe, and what is still on its way, name by name."""

    def __init__(self):
        self.safe = {}  # bytearray; a name without an entry does not exist
        self.on_the_way = {}

    def take(self, event):
        """Carry on with the next event of a recorder."""
        what, name, _, _ = event
        if what == "flush":
            for earlier in self.on_the_way.pop(name, []):
                self.safe[name] = _after(self.safe.get(name), earlier)
            if self.safe.get(name) is None:
                self.safe.pop(name, None)
        elif what in ("create", "write", "truncate", "delete"):
            self.on_the_way.setdefault(name, []).append(event)

    def cut(self, rng, folder):
        """Write into a folder what the power cut has left."""
        for name in self.safe.keys() | self.on_the_way.keys():
            content = self.safe.get(name)
            content = None if content is None else bytearray(content)
            for event in self.on_the_way.get(name, []):
                if event[0] in ("create", "delete") and rng.random() < 0.5:
                    break  # nothing after it is there either
                content = _after(content, event, rng)
            if content is not None:
                (folder / name).write_bytes(content)


def _after(content, event, rng=None):
    """A file after an event; with random numbers, as much of the event as a power cut leaves."""
    what, _, number, data = event
    if what == "delete":
        return None
    content = bytearray() if content is None else content
    if what == "truncate" and (rng is None or rng.random() < 0.5):
        del content[number:]
    if what == "write":
        for start, piece in _pieces(number, data, rng):
            content.extend(bytes(max(0, start - len(content))))
            content[start : start + len(piece)] = piece
    return content


def _pieces(offset, data, rng):
    """What is left of a write: all, nothing, or some of its sectors, one time in three each."""
    fate = 0 if rng is None else rng.randrange(3)
    if fate == 0:
        return [(offset, data)]
    if fate == 1:
        return []
    starts = range(0, len(data), SECTOR_BYTES)
    return [(offset + s, data[s : s + SECTOR_BYTES]) for s in starts if rng.random() < 0.5]
