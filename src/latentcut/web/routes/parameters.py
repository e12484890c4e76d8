"""
What several routes take: the workplace, ids from the address, the expected revision.

All of it is async, although nothing is waited for: FastAPI moves the others to a thread each,
which under load takes longer than all the rest of a request.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header, Path, Request
from pydantic import BeforeValidator

from latentcut.web.failures import Problem
from latentcut.web.workplace import Workplace

MAX_DIGITS = 15


async def workplace_of(request: Request) -> Workplace:
    """The workplace of the app that answers."""
    workplace: Workplace = request.app.state.workplace
    return workplace


def plain_number(text: object) -> object:
    """A number in an address: digits and nothing else."""
    if not isinstance(text, str) or not re.fullmatch(f"[0-9]{{1,{MAX_DIGITS}}}", text):
        raise ValueError("no number")
    return text


async def expected_revision(
    if_match: Annotated[str | None, Header(description='The revision as of ETag: "3".')] = None,
) -> int:
    """
    The revision that a change was made to.

    Raises:
        Problem: There is no If-Match header, or it holds something else.
    """
    if if_match is None:
        message = 'send If-Match with the revision that the change was made to, such as "3"'
        raise Problem(428, "no_revision", message)
    found = re.fullmatch(f'"?([0-9]{{1,{MAX_DIGITS}}})"?', if_match.strip())
    if found is None:
        raise Problem(400, "bad_revision", 'If-Match must be a revision in quotes, such as "3"')
    return int(found[1])


Desk = Annotated[Workplace, Depends(workplace_of)]
Number = Annotated[int, BeforeValidator(plain_number), Path()]
Revision = Annotated[int, Depends(expected_revision)]
