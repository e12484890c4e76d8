"""What a server counts, and where it lists it."""

from __future__ import annotations

import re
import threading

from api_servers import api_in_thread, ask, eventually, send
from web_servers import counting

from latentcut.web.settings import ServerLimits


def figures(client) -> dict[str, float]:
    """All figures, by name and labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in lines}


def test_requests_are_counted_by_method_route_and_status(predictor, tmp_path):
    with api_in_thread(predictor, tmp_path) as running, running.client() as client:
        image_id = send(client)
        ask(client, image_id)
        ask(client, image_id)
        ask(client, "0" * 64)
        client.get("/nowhere/" + "x" * 50)
        client.request("BREW", "/api/v1/images")
        told = figures(client)

    predict = '/api/v1/images/{image_id}/predict"'
    counts = {name: count for name, count in told.items() if "requests_total" in name}
    assert counts == {
        'latentcut_requests_total{method="POST",route="/api/v1/images",status="201"}': 1,
        f'latentcut_requests_total{{method="POST",route="{predict},status="200"}}': 2,
        f'latentcut_requests_total{{method="POST",route="{predict},status="404"}}': 1,
        'latentcut_requests_total{method="GET",route="none",status="404"}': 1,
        'latentcut_requests_total{method="none",route="/api/v1/images",status="405"}': 1,
    }


def test_the_model_is_timed_for_encoding_and_predicting(predictor, tmp_path):
    with api_in_thread(predictor, tmp_path) as running, running.client() as client:
        image_id = send(client)
        for _ in range(3):
            ask(client, image_id)
        told = figures(client)

    assert told['latentcut_model_seconds_count{step="encode"}'] == 1
    assert told['latentcut_model_seconds_count{step="predict"}'] == 3
    assert told['latentcut_model_seconds_sum{step="predict"}'] > 0


def test_what_waits_and_what_was_refused_is_counted(predictor, tmp_path):
    slow = counting(predictor, delay_s=0.5)
    with (
        api_in_thread(slow, tmp_path, limits=ServerLimits(waiting=1)) as running,
        running.client() as client,
    ):
        image_id = send(client)

        def press() -> None:
            with running.client() as other:
                ask(other, image_id)

        threads = [threading.Thread(target=press) for _ in range(2)]
        threads[0].start()
        assert eventually(lambda: slow.backend.num_runs == 1)
        threads[1].start()
        assert eventually(lambda: running.app.state.desk.service.queue.num_waiting == 1)
        ask(client, image_id)
        during = figures(client)
        for thread in threads:
            thread.join()
        after = figures(client)

    assert (during["latentcut_waiting"], during["latentcut_refused_total"]) == (1, 1)
    assert (after["latentcut_waiting"], after["latentcut_refused_total"]) == (0, 1)


def test_figures_hold_no_addresses_ids_or_names_of_clients(predictor, tmp_path):
    with api_in_thread(predictor, tmp_path) as running, running.client() as client:
        image_id = send(client)
        ask(client, image_id)
        text = client.get("/metrics").text

    assert image_id not in text
    assert re.search(r"\d+\.\d+\.\d+\.\d+", text) is None
