"""
What the HTTP API costs: requests per second and waiting time, against calls in this process.

    make bench                                    (or: python benchmarks/bench_serve.py)

Direct calls, a server of one worker and one of two are measured in turn, several rounds, in the
same run, so that the ratios mean something on a busy machine, too. Every predictor has one thread.
A question is one click on a photo that is known already; the answer holds all candidates as codes.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path

TOKEN = "the-token-of-the-benchmark"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
CLICKS = ((225, 120), (180, 60), (300, 200), (120, 250))
WORKERS = (1, 2)
COUNT = itertools.count()


class Asked:
    """Seconds each question took, and how long all of them took together."""

    def __init__(self, latencies_s: list[float], wall_s: float) -> None:
        self.latencies_s, self.wall_s = sorted(latencies_s), wall_s

    @property
    def per_second(self) -> float:
        """Questions answered in a second."""
        return len(self.latencies_s) / self.wall_s

    def percentile_ms(self, percent: int) -> float:
        """Waiting time that so many per cent do not exceed, in ms."""
        place = min(len(self.latencies_s) - 1, percent * len(self.latencies_s) // 100)
        return 1000 * self.latencies_s[place]


def place(number: int) -> tuple[float, float]:
    """Where to click; never twice at the same place, since the server remembers its answers."""
    x, y = CLICKS[number % len(CLICKS)]
    return x + 1e-4 * next(COUNT), y


def ask_directly(predictor, encoded, num: int) -> Asked:
    """Questions one after the other, in this process; masks are made and encoded, too."""
    from latentcut.core.clicks import Click
    from latentcut.core.masks import coco_rle

    latencies, begun = [], time.perf_counter()
    for number in range(num):
        started = time.perf_counter()
        prediction = predictor.predict(encoded, [Click(*place(number))])
        for index in range(prediction.num_masks):
            coco_rle(prediction.candidate(index))
        latencies.append(time.perf_counter() - started)
    return Asked(latencies, time.perf_counter() - begun)


def ask_server(port: int, image_id: str, num: int, clients: int) -> Asked:
    """The same questions from several clients side by side, a connection each."""
    latencies: list[float] = []

    def press() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number in range(num // clients):
            x, y = place(number)
            body = json.dumps({"clicks": [{"x": x, "y": y}]})
            started = time.perf_counter()
            connection.request("POST", f"/api/v1/images/{image_id}/predict", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            latencies.append(time.perf_counter() - started)
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Asked(latencies, time.perf_counter() - begun)


@contextmanager
def server(workers: int, photo: bytes):
    """A server that knows the photo: its port, and the photo's id."""
    command = [sys.executable, "-m", "latentcut", "serve", "--port", "0", "--threads", "1"]
    process = subprocess.Popen(
        [*command, "--workers", str(workers), "--json"],
        stdout=subprocess.PIPE,
        env={**os.environ, "LATENTCUT_TOKEN": TOKEN},
    )
    try:
        port = json.loads(process.stdout.readline())["port"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {**HEADERS, "Content-Type": "image/jpeg"}
        connection.request("POST", "/api/v1/images", photo, headers)
        image_id = json.load(connection.getresponse())["image_id"]
        connection.close()
        for _ in range(4):  # every worker encodes the photo once
            ask_server(port, image_id, 16, 16)
        yield port, image_id
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    import latentcut

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--questions", type=int, default=80, help="in each round")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()

    photo = (resources.files("latentcut") / "samples" / "chelsea.jpg").read_bytes()
    predictor = latentcut.load(threads=1)
    encoded = predictor.encode(photo)
    ask_directly(predictor, encoded, 10)
    rounds: dict[str, list[Asked]] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(server(workers, photo)) for workers in WORKERS]
        for _ in range(options.rounds):
            asked = ask_directly(predictor, encoded, options.questions)
            rounds.setdefault("direct calls", []).append(asked)
            for workers, (port, image_id) in zip(WORKERS, servers, strict=True):
                for clients in (1, options.clients):
                    asked = ask_server(port, image_id, options.questions, clients)
                    name = f"{workers} worker{'s' * (workers > 1)}, {clients} clients"
                    rounds.setdefault(name, []).append(asked)

    figures = {}
    print(f"{options.rounds} rounds of {options.questions} questions, medians of rounds")
    print(f"{'':24} {'a second':>9} {'ratio':>6} {'p50 ms':>8} {'ratio':>6} {'p95 ms':>8}")
    base = rounds["direct calls"]
    for name, runs in rounds.items():
        pairs = list(zip(runs, base, strict=True))
        figures[name] = found = {
            "per_second": statistics.median(run.per_second for run in runs),
            "rate_ratio": statistics.median(run.per_second / d.per_second for run, d in pairs),
            "p50_ms": statistics.median(run.percentile_ms(50) for run in runs),
            "p50_ratio": statistics.median(
                run.percentile_ms(50) / d.percentile_ms(50) for run, d in pairs
            ),
            "p95_ms": statistics.median(run.percentile_ms(95) for run in runs),
        }
        print(
            f"{name:24} {found['per_second']:9.1f} {found['rate_ratio']:6.2f} "
            f"{found['p50_ms']:8.1f} {found['p50_ratio']:6.2f} {found['p95_ms']:8.1f}"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
