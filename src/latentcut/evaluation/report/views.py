"""A stored result as the report looks at it: which runs there are, by data set and user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Table = Mapping[str, Any]


class View:
    """
    A result with its runs in order.

    Args:
        result: As written by ``latentcut evaluate --json``.

    Attributes:
        datasets: Names, in the order of the runs.
        predictors: Names, in the order of the command.
        users: Names, the main one first: the protocol's own where it was measured.
        comparisons: Pairs of predictors under the main user.
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.result = result
        self.runs: Sequence[Mapping[str, Any]] = result["runs"]
        self.datasets = list(dict.fromkeys(run["dataset"] for run in self.runs))
        self.predictors = [predictor["name"] for predictor in result["predictors"]]
        users = list(dict.fromkeys(run["user"] for run in self.runs))
        own = result["protocol"].get("user")
        self.users = sorted(users, key=lambda user: user != own)
        self.comparisons = [
            comparison
            for comparison in result.get("comparisons") or []
            if comparison.get("user") in (None, *self.users[:1])
        ]

    def tables(self, dataset: str, user: str | None = None) -> dict[str, Table]:
        """
        Tables by predictor.

        Args:
            dataset: Its name.
            user: Who clicked; None: the main user.
        """
        wanted = user or (self.users[0] if self.users else "")
        found = {
            run["predictor"]: run["table"]
            for run in self.runs
            if (run["dataset"], run["user"]) == (dataset, wanted) and run.get("table")
        }
        return {name: found[name] for name in self.predictors if name in found}

    def heading(self, dataset: str) -> str:
        """Name and number of objects."""
        tables = self.tables(dataset)
        return f"{dataset}, {objects_of(tables)}" if tables else dataset


def objects_of(tables: Mapping[str, Table]) -> str:
    """How many objects tables are of, in words; they are of the same ones."""
    count = max(table["objects"] for table in tables.values())
    return f"{count} object{'s' * (count != 1)}"
