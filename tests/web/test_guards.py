"""Who may talk to the server (C2, C3, C4), and what every answer carries."""

from __future__ import annotations

import re

import httpx
import pytest
from web_servers import TOKEN, act, error_of, raw

from latentcut.web.guards import SECURITY_HEADERS
from latentcut.web.settings import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
NUMBERS = {"image_id": "1", "object_id": "1", "column": "0", "row": "0", "mask_id": "0" * 32}


def status_line(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def get(host: str, *more: str, path: str = "/health") -> bytes:
    lines = [f"GET {path} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), *more]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:PORT", "localhost", "localhost:PORT", "[::1]", "[::1]:PORT"]
)
def test_the_server_answers_to_each_name_of_this_computer_with_and_without_port(host, server):
    port = server.port

    answer = raw(port, get(host.replace("PORT", str(port))))

    assert status_line(answer) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "evil.com:PORT",
        "127.0.0.1.evil.com",
        "localhost.",
        "localhost.:PORT",
        "localhost.evil.com",
        "127.0.0.1:1",
        "127.0.0.1:",
        "127.0.0.1:0PORT",
        "127.0.0.1:PORT@evil.com",
        "evil.com@127.0.0.1:PORT",
        "127.0.0.2",
        "127.1",
        "2130706433",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
        "::1",
        "",
        "127.0.0.1, evil.com",
        "127.0.0.1 evil.com",
        "\xe9vil",
    ],
)
def test_any_other_name_is_refused(host, server):
    port = server.port

    answer = raw(port, get(host.replace("PORT", str(port))))

    assert status_line(answer) == 400


@pytest.mark.parametrize(
    "request_lines",
    [
        ["GET /health HTTP/1.1", "Host: 127.0.0.1", "Host: evil.com"],
        ["GET /health HTTP/1.1", "Host: 127.0.0.1", "Host: 127.0.0.1"],
        ["GET /health HTTP/1.1"],
        ["GET /health HTTP/1.0"],
        ["GET http://evil.com/health HTTP/1.1", "Host: 127.0.0.1"],
        ["GET http://127.0.0.1/health HTTP/1.1", "Host: 127.0.0.1"],
        ["OPTIONS * HTTP/1.1", "Host: 127.0.0.1"],
        ["GET evil.com:80 HTTP/1.1", "Host: 127.0.0.1"],
    ],
    ids=["two", "same twice", "none", "none in 1.0", "address", "own address", "star", "authority"],
)
def test_requests_that_name_their_host_in_another_way_are_refused(request_lines, server):
    answer = raw(server.port, "\r\n".join([*request_lines, "", ""]).encode())

    assert status_line(answer) == 400


def test_a_wrong_name_gets_an_error_that_says_which_is_right(server):
    running = server

    answer = httpx.get(f"{running.url}/health", headers={"Host": "evil.com"})

    message = f"this server answers to {running.url}/ only: open that address"
    assert answer.json() == {"error": {"code": "wrong_host", "message": message}}


@pytest.mark.parametrize(
    ("host", "name", "is_accepted"),
    [
        ("0.0.0.0", "192.168.1.5:8750", True),
        ("0.0.0.0", "[fe80::1]:8750", True),
        ("0.0.0.0", "evil.com:8750", False),
        ("0.0.0.0", "192.168.1.5:8751", False),
        ("0.0.0.0", "fe80::1", False),
        ("0.0.0.0", "[192.168.1.5]", False),
        ("192.168.1.5", "192.168.1.5:8750", True),
        ("192.168.1.5", "192.168.1.6:8750", False),
        ("::1", "[::1]:8750", True),
    ],
)
def test_a_server_for_the_network_answers_to_numeric_addresses_only(
    host, name, is_accepted, tmp_path
):
    settings = Settings(folder=tmp_path, host=host)

    assert settings.accepts_host(name) == is_accepted


def routes_of(client: httpx.Client) -> list[tuple[str, str]]:
    """Method and address of every route in the OpenAPI file, with numbers filled in."""
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    filled = {path: re.sub(r"{(\w+)}", lambda m: NUMBERS.get(m[1], "coco"), path) for path in paths}
    return [(method, filled[path]) for path, methods in paths.items() for method in methods]


def test_every_route_of_the_openapi_file_needs_the_token(server):
    running = server
    with running.client() as client:
        routes = routes_of(client)
    others = [("get", "/api/v1/openapi.json"), ("get", "/static/main.js"), ("get", "/nowhere")]

    with running.stranger() as stranger:
        answers = [stranger.request(method, path) for method, path in [*routes, *others]]

    assert len(routes) >= 15
    assert {error_of(answer) for answer in answers} == {(401, "no_token")}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Cookie": f"latentcut_1={TOKEN}"},
        {"Cookie": f"token={TOKEN}"},
    ],
)
def test_a_wrong_token_is_none(headers, server):
    with server.stranger(headers=headers) as stranger:
        assert error_of(stranger.get("/api/v1/project")) == (401, "no_token")


def test_the_token_in_the_address_counts_on_the_page_alone(server):
    with server.stranger() as stranger:
        assert error_of(stranger.get(f"/api/v1/project?token={TOKEN}")) == (401, "no_token")


def test_the_page_without_token_says_what_to_open(server):
    with server.stranger() as stranger:
        answers = [stranger.get("/"), stranger.get("/?token=wrong"), stranger.get("/?token=")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert {answer.headers["content-type"] for answer in answers} == {"text/html; charset=utf-8"}
    assert all("<code>latentcut annotate</code>" in answer.text for answer in answers)
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_the_token_becomes_a_strict_cookie_and_leaves_the_address(server):
    running = server
    with running.stranger() as browser:
        welcome = browser.get(f"/?token={TOKEN}")
        page = browser.get("/")
        project = browser.get("/api/v1/project")

    cookie = f"latentcut_{running.port}={TOKEN}; HttpOnly; Path=/; SameSite=strict"
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
    assert welcome.headers["set-cookie"] == cookie
    assert (page.status_code, project.status_code) == (200, 200)


def test_a_link_in_another_page_opens_the_page_by_a_step_of_its_own(server):
    # after a redirect the browser would still hold the strict cookie back
    with server.stranger(headers={"Sec-Fetch-Site": "cross-site"}) as browser:
        welcome = browser.get(f"/?token={TOKEN}")

    assert welcome.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/">' in welcome.text
    assert "SameSite=strict" in welcome.headers["set-cookie"]


def test_health_needs_no_token(server):
    with server.stranger() as stranger:
        assert stranger.get("/health").json() == {"status": "ok"}


FOREIGN = [
    {"Origin": "http://evil.com"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://127.0.0.1:PORT"},
    {"Origin": "http://localhost:PORT"},  # another origin than 127.0.0.1
    {"Origin": "http://127.0.0.1:PORT.evil.com"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "evil"},
    {"Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=lambda h: ", ".join(map(": ".join, h.items())))
def test_requests_of_other_sites_change_nothing_and_read_nothing(headers, server):
    running = server
    foreign = {name: value.replace("PORT", str(running.port)) for name, value in headers.items()}
    with running.client() as client:
        reads = [client.get(path, headers=foreign) for path in ("/api/v1/project", "/static/x.js")]
        action = {"headers": {"If-Match": '"0"', **foreign}, "json": {"kind": "done", "done": True}}
        write = client.post("/api/v1/images/1/actions", **action)
        preflight = client.options("/api/v1/project", headers=foreign)
        revision = client.get("/api/v1/images/1").json()["revision"]

    assert {error_of(answer) for answer in (*reads, write, preflight)} == {(403, "cross_site")}
    assert revision == 0
    assert not any("access-control-allow-origin" in answer.headers for answer in reads)


def test_a_form_of_another_site_cannot_even_begin(server):
    # what a form can send: no If-Match, no JSON type
    with server.client() as client:
        answer = client.post("/api/v1/exports", data={"format": "coco"})

    assert error_of(answer) == (415, "no_json")


def test_requests_of_the_page_and_of_scripts_pass(start, pictures):
    running = start(pictures)
    senders = [{"Sec-Fetch-Site": "same-origin"}, {"Origin": running.url}, {}]
    answers = []
    for revision, headers in enumerate(senders):
        with running.client(headers=headers) as client:
            answers.append(act(client, 1, revision, kind="done", done=revision % 2 == 0))

    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_a_web_socket_is_refused(server):
    running = server
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

    answer = raw(running.port, get("127.0.0.1", *upgrade, key, path="/api/v1/status"))

    assert status_line(answer) == 401


def test_every_answer_carries_the_security_headers(server):
    running = server
    with running.client() as client, running.stranger() as stranger:
        answers = [
            client.get("/"),
            client.get("/static/main.js"),
            client.get("/api/v1/project"),
            client.get("/api/v1/images/1/view.png"),
            client.get("/api/v1/images/999"),
            client.get("/nowhere"),
            client.delete("/api/v1/project"),
            stranger.get("/"),
            stranger.get("/health"),
            stranger.get("/api/v1/project"),
            stranger.get("/health", headers={"Host": "evil.com"}),
            stranger.get("/api/v1/project", headers={"Origin": "null"}),
            client.post("/api/v1/exports", content=b"{", headers={"Content-Type": "text/plain"}),
        ]

    expected = {name.decode(): value.decode() for name, value in SECURITY_HEADERS}
    assert expected["content-security-policy"] == CSP
    assert [{n: a.headers.get(n) for n in expected} for a in answers] == [expected] * len(answers)
    assert all("server" not in answer.headers for answer in answers)


def test_answers_of_the_api_are_not_kept_and_pictures_only_by_their_browser(server):
    with server.client() as client:
        project = client.get("/api/v1/project").headers["cache-control"]
        view = client.get("/api/v1/images/1/view.png").headers["cache-control"]

    assert (project, view) == ("no-store", "private, no-cache")


def test_tokens_are_random_and_have_256_bits(tmp_path):
    tokens = {Settings(folder=tmp_path).token for _ in range(100)}

    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}  # 43 characters of 6 bits hold 256
