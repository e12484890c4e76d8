"""What the API server is told: address, token, folders it may read, and every limit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from latentcut.web.settings import LOOPBACK, ServerLimits, address_of, is_loopback, names_address

DEFAULT_PORT = 8760
IMAGE_JSON_BYTES = 32_000_000  # of a request that holds an image in base64, 24 MB of file
# ten minutes: finding everything on a large image, on a slow computer
LIMITS = ServerLimits(long_request_s=600.0)


@dataclass(frozen=True)
class ApiSettings:
    """
    An API server. Worker processes get a copy.

    Attributes:
        host: Address to listen on.
        port: Port it listens on.
        token: What a client must send; None: nothing.
        names: Other names that clients may call the server by, beside its address.
        roots: Folders whose images may be named by their path; none: no paths.
        bundle: The model; None: the one inside the package.
        threads: Threads per prediction of one worker; 0: one for every core.
        workers: Processes that answer.
        spool: Folder for what clients sent, shared by the workers.
        spool_bytes: Bound of images in it.
        limits: What a request and the memory of one worker may take.
    """

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    token: str | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    bundle: Path | None = None
    threads: int = 0
    workers: int = 1
    spool: Path = Path("latentcut-spool")
    spool_bytes: int = 1_000_000_000
    limits: ServerLimits = LIMITS

    @property
    def image_limits(self) -> ServerLimits:
        """The limits of requests whose JSON holds an image."""
        return replace(self.limits, json_bytes=IMAGE_JSON_BYTES)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this computer can reach the server."""
        return is_loopback(self.host)

    @property
    def page_url(self) -> str:
        """The address of the server."""
        return address_of(self.host, self.port)

    @property
    def url(self) -> str:
        """The same without the slash at the end."""
        return self.page_url.rstrip("/")

    @property
    def cookie_name(self) -> str | None:
        """There is no page."""
        return None

    @property
    def open_paths(self) -> tuple[str, ...]:
        """What container platforms ask for, which know no token."""
        return "/health", "/ready"

    @property
    def token_hint(self) -> str:
        """What somebody without the token should do."""
        return "send Authorization: Bearer and the token that latentcut serve printed or was given"

    @property
    def host_hint(self) -> str:
        """What somebody who called the server by another name should do."""
        return "use that address, or start it with --allow-host and the name"

    def accepts_host(self, host: str) -> bool:
        """Whether a Host header names this server."""
        return names_address(host, self.host, self.port, self.names)


def takes_long(path: str) -> bool:
    """Whether a request may take long."""
    return path.endswith("/everything")
