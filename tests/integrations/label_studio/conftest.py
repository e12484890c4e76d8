"""A Label Studio that serves a photo to whoever has its key, and backends that ask it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from PIL import Image
from studio_servers import KEY, Studio, running_backend, running_studio

from latentcut.integrations.label_studio.app import Connection
from latentcut.integrations.label_studio.fetching import Images
from latentcut.web.memory import RememberingPredictor


@pytest.fixture
def studio(photo) -> Iterator[Studio]:
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG")
    with running_studio() as studio:
        studio.files["/data/upload/1/a.png"] = file.getvalue()
        yield studio


@pytest.fixture
def start_backend(studio, predictor) -> Iterator[Callable[..., httpx.Client]]:
    """Start backends in threads; they end with the test."""
    with ExitStack() as stack:

        def start(model=None, api_key=KEY, **options) -> httpx.Client:
            connection = Connection(Images(studio.url, api_key), **options)
            answering = model or RememberingPredictor(predictor, 64_000_000)
            return stack.enter_context(running_backend(connection, answering))

        yield start
