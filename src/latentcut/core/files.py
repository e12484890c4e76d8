"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from latentcut.errors import FileMissing

# network and user-space file systems that cannot flush a folder say so with one of these
FOLDER_CANNOT_BE_FLUSHED = (errno.EINVAL, errno.ENOTSUP)


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """
    Write a whole file, or leave what was there before.

    The bytes go to a temporary file in the same folder, are flushed to the disk
    and take the final name in one step. After a crash at any moment the name
    holds either the old content or the new one.

    Args:
        path: Where the file shall lie. An existing file is replaced; where the
            path is a symbolic link, the link is replaced, not what it points to.

        data: The whole content. It may be empty.

    Raises:
        FileMissing: The folder does not exist.

        OSError: The disk is full, the folder is read-only, or `path` is a
            folder. The temporary file is removed and the old content is intact.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileMissing(target.parent, "a folder")
    # not derived from the target's name, which may already be as long as names can be
    temporary = target.parent / f".latentcut-{secrets.token_hex(8)}.tmp"
    try:
        # O_EXCL: never write through a link somebody placed there; 0o666 leaves it to the umask
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut; systems without folder handles skip it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in FOLDER_CANNOT_BE_FLUSHED:
            raise
    finally:
        os.close(descriptor)
