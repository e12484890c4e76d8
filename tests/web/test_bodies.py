"""The limits of requests (C8), each with one below, at and above it."""

from __future__ import annotations

import json
import socket
import time

import pytest
from web_servers import IS_SOAK, TOKEN, act, error_of, raw

from latentcut.web.bodies import checked_json, is_deeper
from latentcut.web.failures import Problem
from latentcut.web.settings import ServerLimits

SMALL = ServerLimits(body_bytes=3000, json_bytes=2000)
QUICK = ServerLimits(idle_s=0.5)
AUTHORISED = f"Host: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def settings_of(num_bytes: int) -> bytes:
    """A JSON object of exactly so many bytes."""
    return b'{"a":"' + b"x" * (num_bytes - 8) + b'"}'


def put_settings(client, content, **headers):
    kind = {"Content-Type": "application/json", **headers}
    return client.put("/api/v1/project/settings", content=content, headers=kind)


@pytest.mark.parametrize(("num_bytes", "status"), [(1999, 200), (2000, 200), (2001, 413)])
def test_json_may_have_just_so_many_bytes(num_bytes, status, start, pictures):
    with start(pictures, limits=SMALL).client() as client:
        assert put_settings(client, settings_of(num_bytes)).status_code == status


def in_pieces(data: bytes):
    for at in range(0, len(data), 700):
        yield data[at : at + 700]


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with length", "chunked"])
@pytest.mark.parametrize(
    ("num_bytes", "expected"),
    [
        (3000, (422, "bad_annotation_file")),  # read whole, and no picture
        (3001, (413, "body_too_large")),
        (30_000, (413, "body_too_large")),
    ],
)
def test_a_body_may_have_just_so_many_bytes(num_bytes, expected, is_chunked, start, pictures):
    body = b"x" * num_bytes
    with start(pictures, limits=SMALL).client() as client:
        address = "/api/v1/imports?format=png&name=1.png&image=1"
        answer = client.post(address, content=in_pieces(body) if is_chunked else body)

    assert error_of(answer) == expected


@pytest.mark.skipif(not IS_SOAK, reason="sends 192 MB; set LATENTCUT_SOAK=1")
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_default_limit_of_a_body_is_64_mb(extra, start, pictures):
    with start(pictures).client() as client:
        body = b"x" * (64_000_000 + extra)
        answer = client.post("/api/v1/imports?format=png&name=1.png&image=1", content=body)

    expected = (413, "body_too_large") if extra > 0 else (422, "bad_annotation_file")
    assert error_of(answer) == expected
    print(f"C8: body of 64 MB {extra:+d} byte -> {answer.status_code}")


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(start, pictures):
    head = f"PUT /api/v1/project/settings HTTP/1.1\r\n{AUTHORISED}Content-Length: 3001\r\n\r\n"

    answer = raw(start(pictures, limits=SMALL).port, head.encode())

    message = "the body has 3,001 bytes or more, at most 3,000 are allowed"
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert message in answer.decode()


def test_who_has_no_token_cannot_make_the_server_read_a_body(start, pictures):
    head = "PUT /api/v1/project/settings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n"

    answer = raw(start(pictures, limits=SMALL).port, head.encode())

    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(("depth", "status"), [(49, 200), (50, 200), (51, 400), (100_000, 400)])
def test_json_may_be_just_so_deep(depth, status, server):
    with server.client() as client:
        answer = put_settings(client, f'{{"a":{nested(depth - 1)}}}'.encode())

    assert answer.status_code == status


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        '{"a": 1}'.encode("utf-16"),
    ],
    ids=["empty", "cut", "quotes", "nan", "infinity", "huge", "half", "bytes", "digits", "utf-16"],
)
def test_what_is_no_json_is_refused(text, server):
    with server.client() as client:
        answer = put_settings(client, text)

    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["code"] in ("bad_json", "does_not_fit")


def test_a_pair_of_escapes_is_one_character(server):
    with server.client() as client:
        answer = put_settings(client, b'{"a": "\\ud83d\\ude00"}')

    assert answer.json() == {"a": "\N{GRINNING FACE}"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_json_of_another_type_is_refused(kind, server):
    with server.client() as client:
        answer = client.put(
            "/api/v1/project/settings", content=b"{}", headers={"Content-Type": kind}
        )

    assert error_of(answer) == (415, "no_json")


def head_of(num_bytes: int) -> bytes:
    """A request whose first line and headers have exactly so many bytes."""
    begin = f"GET /api/v1/status HTTP/1.1\r\n{AUTHORISED}".encode()
    return begin + b"X: " + b"x" * (num_bytes - len(begin) - 7) + b"\r\n\r\n"


@pytest.mark.parametrize(("num_bytes", "status"), [(16_383, 200), (16_384, 200), (16_385, 431)])
def test_headers_may_have_just_so_many_bytes(num_bytes, status, server):
    request = head_of(num_bytes)

    answer = raw(server.port, request)

    assert len(request) == num_bytes
    assert int(answer.split(b" ", 2)[1]) == status


def test_headers_without_end_are_not_collected(server):
    _, answer = seconds_until_closed(server.port, head_of(1_000_000))

    # refused before or after their end was seen, or cut off in the middle of them
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"")


@pytest.mark.skipif(not IS_SOAK, reason="20,000 clicks take half a minute; set LATENTCUT_SOAK=1")
@pytest.mark.parametrize(("num_clicks", "status"), [(10_000, 200), (10_001, 422)])
def test_an_object_may_have_10_000_clicks(num_clicks, status, start, pictures):
    # sent a thousand at a time, as much as one action may hold
    clicks = [{"x": n % 20 + 10, "y": n % 28 + 8, "positive": True} for n in range(num_clicks)]
    action = {"kind": "click", "object": None, "tab": "t"}
    with start(pictures).client() as client:
        for revision, at in enumerate(range(0, num_clicks, 1000)):
            answer = act(client, 1, revision, **action, clicks=clicks[at : at + 1000])
            action["object"] = action["object"] or answer.json()["object"]

    assert answer.status_code == status


@pytest.mark.parametrize("num_clicks", [0, 1001])
def test_one_action_holds_one_to_1000_clicks(num_clicks, server):
    clicks = [{"x": 1, "y": 1, "positive": True}] * num_clicks
    with server.client() as client:
        assert error_of(act(client, 1, 0, kind="click", clicks=clicks)) == (422, "does_not_fit")


def seconds_until_closed(port: int, *pieces: bytes, every_s: float = 0.0) -> tuple[float, bytes]:
    """Send pieces slowly, and tell how long the server kept the connection, and what it said."""
    begun = time.perf_counter()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(every_s)
            while piece := connection.recv(65_536):
                answer += piece
        except OSError:  # closed while we were sending
            pass
    return time.perf_counter() - begun, answer


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"GET /hea",),
        (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n",),
        (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",),
    ],
    ids=["nothing", "half a line", "half a head", "kept alive"],
)
def test_a_silent_connection_is_closed(pieces, start, pictures):
    lasted_s, _ = seconds_until_closed(start(pictures, limits=QUICK).port, *pieces)

    assert 0.3 < lasted_s < 8


def test_headers_that_drip_are_not_waited_for(start, pictures):
    # every piece comes in time, but the whole does not
    drips = [b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n", *[b"X: y\r\n"] * 200]

    lasted_s, _ = seconds_until_closed(start(pictures, limits=QUICK).port, *drips, every_s=0.1)

    assert lasted_s < 8


def test_a_body_that_stops_gets_408(start, pictures):
    head = f"PUT /api/v1/project/settings HTTP/1.1\r\n{AUTHORISED}Content-Length: 900\r\n\r\n"

    lasted_s, answer = seconds_until_closed(start(pictures, limits=QUICK).port, head.encode(), b"{")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"nothing came for 0.5 s: send the request again"' in answer
    assert lasted_s < 8


def test_a_body_that_drips_gets_503_when_the_request_has_taken_too_long(start, pictures):
    head = f"PUT /api/v1/project/settings HTTP/1.1\r\n{AUTHORISED}Content-Length: 900\r\n\r\n"
    drips = [head.encode(), *[b"x"] * 12]
    limits = ServerLimits(idle_s=2.0, request_s=0.7)

    _, answer = seconds_until_closed(start(pictures, limits=limits).port, *drips, every_s=0.1)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"the request took longer than 0.7 s: try again"' in answer


def test_depth_counts_brackets_inside_brackets():
    values = ["text", [], {"a": []}, {"a": [{"b": 1}, 2]}]

    depths = [next(n for n in range(9) if not is_deeper(value, n)) for value in values]

    assert depths == [0, 1, 2, 3]


def test_numbers_of_json_are_what_json_says():
    value = {"int": 1, "float": 0.5, "text": "\N{GRINNING FACE}", "none": None, "yes": True}

    assert checked_json(json.dumps(value).encode(), ServerLimits()) == value


def test_json_that_is_too_deep_is_told_with_the_limit():
    with pytest.raises(Problem) as caught:
        checked_json(nested(51).encode(), ServerLimits())

    assert caught.value.message == "the JSON is deeper than 50 brackets"
