"""The command: several processes on one port, their deaths, the end, and what is refused."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx
import pytest
from api_servers import (
    API_TOKEN,
    PHOTO,
    RunningApi,
    ask,
    eventually,
    is_alive,
    launched,
    send,
)

from latentcut.errors import WorkerDied
from latentcut.web.api.settings import ApiSettings
from latentcut.web.api.workers import Workers, threads_each
from latentcut.web.serve import listen

NEEDS_PROC = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


class Load:
    """Clients that ask without pause, each with a new connection, until they are told to stop."""

    def __init__(self, running: RunningApi, image_id: str, num_clients: int = 4) -> None:
        self.running, self.image_id = running, image_id
        self.statuses: list[int] = []
        self.broken: list[str] = []  # requests that got no answer: by their error
        self.is_over = False
        self.threads = [threading.Thread(target=self._press) for _ in range(num_clients)]

    def _press(self) -> None:
        while not self.is_over:
            try:
                with self.running.client() as client:
                    self.statuses.append(ask(client, self.image_id).status_code)
            except httpx.ConnectError:
                return  # nobody listens any more
            except httpx.HTTPError as error:
                self.broken.append(type(error).__name__)

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        for thread in self.threads:
            thread.join()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A server of two workers, for tests that leave it with two."""
    running = launched(tmp_path_factory.mktemp("pair") / "serve.log", "--workers", "2")
    assert eventually(lambda: len(running.worker_pids()) == 2)
    yield running
    assert running.stop() == 0
    running.process.stdout.close()


@NEEDS_PROC
def test_a_worker_that_is_killed_under_load_is_replaced_and_the_others_answer(pair):
    running = pair
    with running.client() as client:
        image_id = send(client)
    before = running.worker_pids()

    with Load(running, image_id) as load:
        assert eventually(lambda: len(load.statuses) > 10)
        os.kill(before[0], signal.SIGKILL)
        num_answers = len(load.statuses)
        assert eventually(lambda: len(load.statuses) > num_answers + 20)
        assert eventually(lambda: len(set(running.worker_pids()) - set(before)) == 1)
        assert eventually(lambda: len(running.worker_pids()) == 2)

    assert set(load.statuses) == {200}
    assert len(load.broken) <= 4  # what the killed one was answering: one for each client at most


@NEEDS_PROC
def test_a_signal_under_load_ends_the_server_after_the_answers_in_work(launch_api):
    running = launch_api("--workers", "2")
    with running.client() as client:
        image_id = send(client)
    held = running.client()  # a connection that is kept open and says nothing is not waited for
    held.get("/health")

    with Load(running, image_id) as load, begun_upload(running) as upload:
        assert eventually(lambda: len(load.statuses) > 10)
        running.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: not listens(running.port))
        upload.sendall(PHOTO[-100:])
        answer = b"".join(iter(lambda: upload.recv(65_536), b""))
        exit_code = running.process.wait(30)

    held.close()
    assert answer.startswith(b"HTTP/1.1 201 Created")
    assert exit_code == 0
    assert set(load.statuses) == {200}


@contextmanager
def begun_upload(running: RunningApi):
    """A connection on which all of a request but the last 100 bytes of its body was sent."""
    head = (
        f"POST /api/v1/images HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n"
        f"Authorization: Bearer {API_TOKEN}\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(PHOTO)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"  # it is being answered
        connection.sendall(PHOTO[:-100])
        yield connection


def listens(port: int) -> bool:
    """Whether anybody accepts connections on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


@NEEDS_PROC
def test_an_image_sent_to_one_worker_is_known_to_all(pair):
    with pair.client() as client:
        image_id = send(client)

    statuses = []
    for _ in range(12):  # a new connection each: any of them may accept it
        with pair.client() as client:
            statuses.append(ask(client, image_id).status_code)

    assert statuses == [200] * 12


@NEEDS_PROC
def test_workers_end_when_the_first_process_is_killed(launch_api):
    running = launch_api("--workers", "2")
    assert eventually(lambda: len(running.worker_pids()) == 2)
    workers = running.worker_pids()

    running.process.kill()

    assert eventually(lambda: not any(is_alive(pid) for pid in workers))


@NEEDS_PROC
def test_figures_of_all_workers_are_added_up_and_those_of_the_dead_stay(pair):
    def num_answers() -> float:
        with pair.client() as client:
            lines = client.get("/metrics").text.splitlines()
        route = '{method="POST",route="/api/v1/images/{image_id}/predict",status="200"}'
        return sum(float(line.split()[1]) for line in lines if route in line)

    with pair.client() as client:
        image_id = send(client)
        ask(client, image_id)
    num_before = num_answers()
    for _ in range(6):
        with pair.client() as client:
            ask(client, image_id)
    before = pair.worker_pids()
    os.kill(before[0], signal.SIGKILL)
    assert eventually(lambda: len(set(pair.worker_pids()) - set(before)) == 1)

    assert num_answers() == num_before + 6


@NEEDS_PROC
def test_what_clients_sent_is_gone_with_the_server(launch_api, tmp_path):
    running = launch_api()
    with running.client() as client:
        ask(client, send(client))
    during = [path.name for path in tmp_path.glob("latentcut-serve-*")]

    running.stop()

    assert len(during) == 1
    assert list(tmp_path.glob("latentcut-serve-*")) == []


def test_workers_that_never_come_up_are_not_started_for_ever(tmp_path):
    said: list[str] = []
    settings = ApiSettings(bundle=tmp_path / "no bundle", spool=tmp_path)
    with listen("127.0.0.1", 0) as sock, pytest.raises(WorkerDied) as caught:
        Workers(settings, sock, said.append).run()

    assert str(caught.value) == (
        "a worker that had not answered yet was ended with exit code 1, perhaps because memory "
        "ran out: fewer --workers need less"
    )
    assert said == ["a worker was ended with exit code 1; another one is started"] * 2


def test_all_cores_are_shared_out_among_the_workers():
    cores = os.cpu_count()

    shared = [threads_each(ApiSettings(workers=number)) for number in (1, 2, 1000)]

    assert shared == [cores, max(1, cores // 2), 1]
    assert threads_each(ApiSettings(workers=2, threads=7)) == 7


def command(*arguments: str, token: str | None = API_TOKEN) -> subprocess.CompletedProcess[str]:
    """Run ``latentcut serve`` that ends by itself."""
    environment = {name: value for name, value in os.environ.items() if name != "LATENTCUT_TOKEN"}
    if token is not None:
        environment["LATENTCUT_TOKEN"] = token
    return subprocess.run(
        [sys.executable, "-m", "latentcut", "serve", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )


def test_a_port_in_use_is_refused_instead_of_another_one_taken():
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        ended = command("--port", str(port))

    assert ended.returncode == 1
    assert ended.stderr == (f"Error: the port {port} of 127.0.0.1 is in use; give another --port\n")


def test_a_server_for_the_network_needs_a_token():
    ended = command("--host", "0.0.0.0", "--no-token")

    assert ended.returncode == 2
    assert "everyone could use the server" in " ".join(ended.stderr.replace("│", " ").split())


@pytest.mark.parametrize("token", ["short", "", "sixteen letters é", "a\tb" * 10])
def test_a_token_that_keeps_nobody_out_is_refused(token):
    ended = command(token=token)

    told = " ".join(ended.stderr.replace("│", " ").split())
    assert ended.returncode == 2
    assert "a token has at least 16 characters, all of them plain ASCII" in told


def test_a_bundle_or_root_that_is_none_is_refused_before_anything_is_started(tmp_path):
    bundle = command("--bundle", str(tmp_path / "none"))
    root = command("--root", str(tmp_path / "none"))

    assert (bundle.returncode, root.returncode) == (1, 1)
    assert bundle.stderr == (
        f"Error: {tmp_path / 'none'} does not exist or is not a bundle folder (with model.json)\n"
    )
    assert (
        root.stderr == f"Error: {tmp_path / 'none'} does not exist or is not a folder of images\n"
    )


def test_a_person_is_told_the_address_and_a_new_token(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "latentcut", "serve", "--port", "0", "--threads", "1"],
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "LATENTCUT_TOKEN"},
    )
    lines = [process.stdout.readline().rstrip("\n") for _ in range(4)]
    url, token = lines[0].split()[1], lines[1].split()[1]
    answer = httpx.get(f"{url}/model", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()

    assert answer.status_code == 200
    assert lines[0] == f"Answers   {url} with 1 worker"
    assert lines[2] == (
        "          a new one for each start; set LATENTCUT_TOKEN to choose your own"
    )
    assert lines[3] == "Ctrl+C stops. What clients send is forgotten at the end."
    assert rest == "Stopped.\n"
    assert process.wait(30) == 0
    process.stdout.close()


def test_a_token_may_come_from_a_file(tmp_path, launch_api):
    (tmp_path / "token").write_text("the-token-of-a-file\n# and a note\n")
    running = launch_api("--token-file", str(tmp_path / "token"))

    with running.client("the-token-of-a-file") as client, running.client() as other:
        statuses = [client.get("/metrics").status_code, other.get("/metrics").status_code]

    assert statuses == [200, 401]


def test_packages_that_are_missing_are_named(monkeypatch):
    from latentcut.cli import serve
    from latentcut.errors import MissingExtra

    monkeypatch.setattr(serve, "NEEDED", ("no_such_package_of_ours",))

    with pytest.raises(MissingExtra) as caught:
        serve.check_packages()

    assert str(caught.value) == (
        "latentcut serve needs packages that are not installed: run pip install 'latentcut[serve]'"
    )
