"""What a server is told: the folder, the address, the token, and every limit with its unit."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from latentcut.formats.exporting import EXPORT_FOLDER
from latentcut.store.project import PROJECT_FILE, PROJECT_FOLDER

DEFAULT_PORT = 8750
LOOPBACK = "127.0.0.1"
ANY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True)
class ServerLimits:
    """
    What a request and the memory may take.

    Attributes:
        body_bytes: Body of a request; an imported file is one.
        json_bytes: Body of a request that is JSON.
        json_depth: Brackets inside brackets in it.
        header_bytes: First line and headers of a request.
        idle_s: Silence before a connection is closed.
        request_s: From the first byte of a request to the last one of its answer.
        long_request_s: The same for exports and imports, which write thousands of files.
        waiting: Requests that wait for the model.
        connections: Open connections.
        opened_bytes: Decoded and encoded images in memory.
        pictures_bytes: Views, tiles and thumbnails in memory.
        predictions_bytes: Candidates of the last predictions in memory.
    """

    body_bytes: int = 64_000_000
    json_bytes: int = 8_000_000
    json_depth: int = 50
    header_bytes: int = 16_384
    idle_s: float = 30.0
    request_s: float = 60.0
    long_request_s: float = 3600.0
    waiting: int = 16
    connections: int = 1000
    opened_bytes: int = 512_000_000
    pictures_bytes: int = 128_000_000
    predictions_bytes: int = 128_000_000


class Listening:
    """What follows from the address that a server listens on."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this computer can reach the server."""
        return is_loopback(self.host)

    @property
    def page_url(self) -> str:
        """The address of the server, as browsers write it."""
        return address_of(self.host, self.port)


@dataclass(frozen=True)
class Settings(Listening):
    """
    A server.

    Attributes:
        folder: The images.
        project: The project file; None: ``.latentcut/project.db`` in the folder.
        host: Address to listen on.
        port: Port it listens on; part of the name of the cookie and of the Host header.
        token: What a browser or script must know; a new one for each start.
        bundle: The model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.
        limits: What a request and the memory may take.
    """

    folder: Path
    project: Path | None = None
    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    bundle: Path | None = None
    threads: int = 0
    limits: ServerLimits = ServerLimits()

    @property
    def project_path(self) -> Path:
        """Where the project is kept."""
        return self.project or self.folder / PROJECT_FOLDER / PROJECT_FILE

    @property
    def export_folder(self) -> Path:
        """Where exports go: beside the images, or beside a project that is kept elsewhere."""
        return (self.folder if self.project is None else self.project.parent) / EXPORT_FOLDER

    @property
    def cookie_name(self) -> str:
        """Cookies do not know ports, so the name does."""
        return f"latentcut_{self.port}"

    @property
    def url(self) -> str:
        """The address that opens the page."""
        return f"{self.page_url}?token={self.token}"

    @property
    def open_paths(self) -> tuple[str, ...]:
        """What may be asked for without the token."""
        return ("/health",)

    @property
    def token_hint(self) -> str:
        """What somebody without the token should do."""
        return (
            "open the address that latentcut annotate printed, "
            "or send Authorization: Bearer and the token"
        )

    @property
    def host_hint(self) -> str:
        """What somebody who called the server by another name should do."""
        return "open that address"

    def accepts_host(self, host: str) -> bool:
        """Whether a Host header names this server."""
        return names_address(host, self.host, self.port)


@dataclass(frozen=True)
class HeadlessSettings(Listening):
    """
    A server that programs use: it has no page, and so neither folder nor cookie.

    Attributes:
        host: Address to listen on.
        port: Port it listens on.
        token: What a client must send as ``Authorization: Bearer``; None: nothing.
        names: Other names that clients may call the server by, beside its address.
        bundle: The model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.
        limits: What a request and the memory may take.
    """

    host: str = LOOPBACK
    port: int = 0
    token: str | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    bundle: Path | None = None
    threads: int = 0
    limits: ServerLimits = ServerLimits()

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
        """What may be asked for without the token."""
        return ("/health",)

    @property
    def token_hint(self) -> str:
        """What somebody without the token should do."""
        return "send Authorization: Bearer and the token that the server was started with"

    @property
    def host_hint(self) -> str:
        """What somebody who called the server by another name should do."""
        return "use that address, or start it with --allow-host and the name"

    def accepts_host(self, host: str) -> bool:
        """Whether a Host header names this server."""
        return names_address(host, self.host, self.port, self.names)


def address_of(host: str, port: int) -> str:
    """The address of a server as browsers write it; ``localhost`` for one on all addresses."""
    return f"http://{'localhost' if host in ANY_ADDRESS else bracketed(host)}:{port}/"


def names_address(header: str, host: str, port: int, names: Iterable[str] = ()) -> bool:
    """
    Whether a Host header names a server.

    A page of another site can make its own name point here (DNS rebinding); the browser then
    sends that name. Numeric addresses cannot be made to point elsewhere, so a server on all
    addresses accepts them.

    Args:
        header: As it was sent.
        host: Address the server listens on.
        port: Port it listens on.
        names: Other names it goes by, with any port.
    """
    name, given_port = split_host(header)
    if name in names:
        return True
    if given_port not in (None, port):
        return False
    if name in (LOOPBACK, "localhost", "[::1]", bracketed(host)):
        return True
    return host in ANY_ADDRESS and is_ip_address(name)


def split_host(host: str) -> tuple[str, int | None]:
    """Name and port of a Host header; a port that is no plain number stays in the name."""
    name, colon, port = host.rpartition(":")
    if not colon or not (port.isascii() and port.isdecimal()) or port != str(int(port[:6])):
        return host, None
    return name, int(port)


def bracketed(host: str) -> str:
    """The host as it is written in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def is_ip_address(name: str) -> bool:
    """Whether a name from a Host header is a numeric address."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if (":" in bare) != (bare != name):
        return False
    try:
        ip_address(bare)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this computer alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
