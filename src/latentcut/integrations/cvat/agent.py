"""
The agent: a function on a CVAT server, found or made by name, and the loop that answers for it.

Everything that CVAT's own tools do is left to them: this calls the command line of cvat-cli and the
client of cvat-sdk. Needs the extra ``cvat``: importing this module imports both.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
from dataclasses import dataclass
from typing import Any

import urllib3.exceptions
from cvat_cli import __main__ as cvat_cli
from cvat_sdk import Client
from cvat_sdk.core.auth import ClientAuthParameters, get_auth_factory, make_client_from_cli
from cvat_sdk.core.exceptions import AuthStoreError
from cvat_sdk.exceptions import ApiException

from latentcut.errors import CvatRefused

MODULE = "latentcut.integrations.cvat.interaction"
KIND, PROVIDER = "interactor", "native"
PAGE_SIZE = 100
NO_AGENTS = (
    "it has no functions for agents, which are part of CVAT Online and CVAT Enterprise; for a CVAT "
    "that you host yourself use latentcut cvat-nuclio"
)
STATUSES = {
    401: "it does not know this user or token: set CVAT_ACCESS_TOKEN, or give --auth",
    403: "this user may not do that",
    404: NO_AGENTS,
    405: NO_AGENTS,
}


@dataclass(frozen=True)
class Connection:
    """
    How a CVAT server is reached.

    Attributes:
        server: Its address, with or without ``https://`` and a port.
        auth: ``USER`` or ``USER:PASSWORD``; None: the token in ``CVAT_ACCESS_TOKEN``.
        organization: Short name of the organization; None: the user's own workspace.
        insecure: Do not check certificates.
    """

    server: str
    auth: str | None = None
    organization: str | None = None
    insecure: bool = False

    @property
    def arguments(self) -> list[str]:
        """The same as options of cvat-cli."""
        return [
            *("--server-host", self.server),
            *(("--auth", self.auth) if self.auth else ()),
            *(("--organization", self.organization) if self.organization else ()),
            *(("--insecure",) if self.insecure else ()),
        ]

    def client(self) -> Client:
        """A client that is logged in."""
        parameters = ClientAuthParameters(
            server_host=self.server,
            auth=None if self.auth is None else get_auth_factory(self.auth),
            organization=self.organization,
            insecure=self.insecure,
        )
        return make_client_from_cli(parameters, logger=logging.getLogger(__name__))


def find_function(connection: Connection, name: str) -> int | None:
    """
    The number of the function of this name that agents can answer for; None: there is none.

    Raises:
        CvatRefused: The server cannot be reached, refuses, has no such functions at all, or has
            several of this name.
    """
    try:
        with connection.client() as client:
            found = [entry for entry in _listed(client, name) if _fits(entry, name)]
    except ApiException as error:
        reason = STATUSES.get(error.status, f"it answered with HTTP status {error.status}")
        raise CvatRefused(connection.server, reason) from error
    except (urllib3.exceptions.HTTPError, AuthStoreError) as error:
        raise CvatRefused(connection.server, f"it cannot be reached: {error}") from error
    if len(found) > 1:
        numbers = ", ".join(str(entry["id"]) for entry in found)
        reason = f"it has several functions called {name!r}: give one of --function-id {numbers}"
        raise CvatRefused(connection.server, reason)
    return int(found[0]["id"]) if found else None


def make_function(connection: Connection, name: str) -> int:
    """
    Make a function of this name, private to the user or the organization; its number.

    Raises:
        CvatRefused: cvat-cli failed; it has said why.
    """
    output = io.StringIO()
    create = ["function", "create-native", name, "--function-module", MODULE]
    with contextlib.redirect_stdout(output):
        _run(connection, create, "it did not make the function")
    return int(output.getvalue())


def run_agent(
    connection: Connection,
    function_id: int,
    bundle: str | None = None,
    threads: int = 0,
    once: bool = False,
) -> None:
    """
    Answer the requests of a function, until interrupted.

    Args:
        connection: How the server is reached.
        function_id: The number of the function.
        bundle: Folder of the model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.
        once: Answer what waits, and return.

    Raises:
        CvatRefused: cvat-cli failed; it has said why.
    """
    parameters = [f"threads=int:{threads}"]
    if bundle is not None:
        parameters.append(f"bundle=str:{bundle}")
    run = ["function", "run-agent", str(function_id), "--function-module", MODULE]
    for parameter in parameters:
        run += ["-p", parameter]
    _run(connection, run + ["--burst"] * once, "the agent ended")


def _run(connection: Connection, command: list[str], failure: str) -> None:
    cvat_cli.logger.handlers.clear()  # every run adds one, and all of them would repeat each line
    if cvat_cli.main([*connection.arguments, *command]) != 0:
        raise CvatRefused(connection.server, f"{failure}; the reason is said above")


def _listed(client: Client, name: str) -> list[dict[str, Any]]:
    """The functions of the server, those of other names perhaps among them."""
    wanted = json.dumps({"==": [{"var": "name"}, name]})
    entries: list[dict[str, Any]] = []
    page = 1
    while True:
        query = [("filter", wanted), ("page", page), ("page_size", PAGE_SIZE)]
        _, response = client.api_client.call_api("/api/functions", "GET", query_params=query)
        answer = json.loads(response.data)
        entries += answer["results"]
        if not answer.get("next"):
            return entries
        page += 1


def _fits(entry: dict[str, Any], name: str) -> bool:
    return (entry["name"], entry["kind"], entry["provider"]) == (name, KIND, PROVIDER)
