"""A file layer of SQLite whose writes or flushes fail for as long as one wants."""

from __future__ import annotations

import errno

import apsw


class FaultyDisk(apsw.VFS):
    """
    The system's file layer, until told to fail.

    Attributes:
        fault: Class of the APSW error that writing raises; None: all is well.
        where: "write" or "flush".
        files: Endings of the file names it concerns; empty: all files.
    """

    def __init__(self):
        self.name = f"faulty-{id(self)}"
        self.fault, self.where, self.files = None, "write", ("",)
        super().__init__(self.name, "")

    def xOpen(self, name, flags):
        return FaultyFile(self, name, flags)

    def xGetLastError(self):
        return errno.EIO, ""

    def fail(self, fault, where="write", files=("",)):
        self.fault, self.where, self.files = fault, where, files

    def heal(self):
        self.fault = None


class FaultyFile(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        super().__init__("", name, flags)

    def _obey(self, where):
        disk = self.disk
        if disk.fault is not None and where == disk.where and self.path.endswith(disk.files):
            raise disk.fault("the test wants it so")

    def xWrite(self, data, offset):
        self._obey("write")
        super().xWrite(data, offset)

    def xSync(self, flags):
        self._obey("flush")
        super().xSync(flags)
