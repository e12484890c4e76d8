"""What the API server is told: address, token, folders it may read, and every limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from latentcut.web.settings import HeadlessSettings, ServerLimits

DEFAULT_PORT = 8760
IMAGE_JSON_BYTES = 32_000_000  # of a request that holds an image in base64, 24 MB of file
# ten minutes: finding everything on a large image, on a slow computer
LIMITS = ServerLimits(long_request_s=600.0)


@dataclass(frozen=True)
class ApiSettings(HeadlessSettings):
    """
    An API server. Worker processes get a copy.

    Attributes:
        roots: Folders whose images may be named by their path; none: no paths.
        workers: Processes that answer, each with so many threads.
        spool: Folder for what clients sent, shared by the workers.
        spool_bytes: Bound of images in it.
        limits: What a request and the memory of one worker may take.
    """

    port: int = DEFAULT_PORT
    limits: ServerLimits = LIMITS
    roots: tuple[Path, ...] = ()
    workers: int = 1
    spool: Path = Path("latentcut-spool")
    spool_bytes: int = 1_000_000_000

    @property
    def image_limits(self) -> ServerLimits:
        """The limits of requests whose JSON holds an image."""
        return replace(self.limits, json_bytes=IMAGE_JSON_BYTES)

    @property
    def open_paths(self) -> tuple[str, ...]:
        """What container platforms ask for, which know no token."""
        return "/health", "/ready"

    @property
    def token_hint(self) -> str:
        """What somebody without the token should do."""
        return "send Authorization: Bearer and the token that latentcut serve printed or was given"


def takes_long(path: str) -> bool:
    """Whether a request may take long."""
    return path.endswith("/everything")
