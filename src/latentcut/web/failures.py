"""
What went wrong, as an answer: one table from our errors to HTTP statuses.

An answer never holds a stack trace, an absolute path or a token; a log entry about an error
that nobody foresaw holds its class and place, not its text, which may quote what was sent.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latentcut import errors

logger = logging.getLogger(__name__)

STATUSES: dict[type[errors.LatentcutError], int] = {
    errors.PathNotServed: 403,
    errors.FileMissing: 404,
    errors.NotInProject: 404,
    errors.NotKept: 404,
    errors.LabelInUse: 409,
    errors.NothingToUndo: 409,
    errors.OutputExists: 409,
    errors.Superseded: 409,
    errors.RevisionConflict: 412,
    errors.ImageTooLarge: 413,
    errors.UnsupportedImage: 415,
    errors.BundleBroken: 503,
    errors.ServerBusy: 503,
    errors.StoreUnavailable: 507,
    errors.LatentcutError: 422,  # what a person or a file got wrong
}
CODES: dict[type[Exception], str] = {
    errors.ServerBusy: "busy"
}  # the others are called as their class
RETRY = {"Retry-After": "1"}
HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}
CLIENT_GONE = 499  # nobody reads it


class Problem(HTTPException):
    """Something about a request that HTTP has a status for, with a code and a sentence."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.code, self.message = code, message

    def response(self) -> Response:
        """The answer."""
        return error_response(self.status_code, self.code, self.message, self.headers)


class ClientGone(Exception):
    """The client closed the connection before its answer was there."""


def error_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An error as JSON."""
    body = json.dumps({"error": {"code": code, "message": message}})
    return Response(body, status, headers, media_type="application/json")


def register(app: FastAPI, folders: Sequence[Path]) -> None:
    """
    Answer every error of an app; paths below these folders are cut to begin with their name.

    The handlers are async for the reason told in `routes/parameters.py`.
    """

    async def ours(_: Request, error: Exception) -> Response:
        kind = type(error)
        status = next(STATUSES[base] for base in kind.__mro__ if base in STATUSES)
        message = without_paths(str(error), folders)
        return error_response(status, code_of(kind), message, RETRY if status == 503 else None)

    async def problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = HTTP_CODES.get(error.status_code, "bad_request")
        return error_response(error.status_code, code, str(error.detail).lower(), error.headers)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _described(error)

    async def gone(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    app.add_exception_handler(errors.LatentcutError, ours)
    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ClientGone, gone)


def code_of(kind: type[Exception]) -> str:
    """The code of an error class: RevisionConflict is revision_conflict."""
    return CODES.get(kind) or re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def without_paths(message: str, folders: Sequence[Path]) -> str:
    """The message with names of folders in the place of where they lie on this computer."""
    for folder in folders:
        for path in (folder.resolve(), folder.absolute()):
            if path.name:  # else it is the root of a disk
                message = message.replace(str(path), path.name)
    home = Path.home()
    return message.replace(str(home), "~") if home.name else message


def _described(error: RequestValidationError) -> Response:
    """The first thing that does not fit, and where. What was sent is not repeated."""
    found = error.errors()
    if found and all(entry["loc"][:1] == ("path",) for entry in found):
        return error_response(404, "not_found", "there is nothing at this address")
    first = found[0]
    place = ".".join(str(step) for step in first["loc"][1:]) or "the body"
    return error_response(422, "does_not_fit", f"{place}: {first['msg'].lower()}")


class Failures:
    """Answers 500 to what nobody foresaw; the log gets the class and the place."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_begun = False

        async def noted(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            logger.error("%s at %s", type(error).__name__, place_of(error))
            if not is_begun:
                message = "the server met an error that it did not foresee; its log says where"
                await error_response(500, "internal", message)(scope, receive, send)


def place_of(error: BaseException) -> str:
    """The last five places an error came through: files without folders, lines, functions."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return ", ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
