"""Who may use the API: names, other sites, the token."""

from __future__ import annotations

import pytest
from api_servers import API_TOKEN, api_in_thread, problem_of

from latentcut.web.api.settings import ApiSettings


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_container_platforms_may_ask_without_the_token(path, api):
    with api.client(token=None) as stranger:
        answer = stranger.get(path)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/metrics"),
        ("GET", "/api/v1/model"),
        ("GET", "/api/v1/openapi.json"),
        ("POST", "/api/v1/images"),
        ("POST", "/api/v1/predict"),
        ("GET", "/?token=" + API_TOKEN),
        ("GET", "/no such page"),
    ],
)
@pytest.mark.parametrize("token", [None, "wrong", API_TOKEN + "x"])
def test_everything_else_needs_the_token_as_a_header(method, path, token, api):
    with api.client(token=token) as stranger:
        answer = stranger.request(method, path)

    assert problem_of(answer) == (
        401,
        "no_token",
        "no or wrong token: send Authorization: Bearer and the token that latentcut serve printed "
        "or was given",
    )
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in answer.headers


def test_a_server_without_a_token_lets_every_program_of_the_computer_in(predictor, tmp_path):
    with (
        api_in_thread(predictor, tmp_path, token=None) as running,
        running.client(token=None) as client,
        running.client(token="any") as other,
    ):
        answers = [client.get("/api/v1/model"), other.get("/api/v1/model")]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("header", ["Origin", "Sec-Fetch-Site"])
@pytest.mark.parametrize("path", ["/api/v1/images", "/metrics", "/api/v1/predict"])
def test_a_page_of_another_site_is_refused_even_without_a_token(header, path, predictor, tmp_path):
    sent = {header: "http://evil.com" if header == "Origin" else "cross-site"}
    with (
        api_in_thread(predictor, tmp_path, token=None) as running,
        running.client(token=None) as client,
    ):
        answer = client.post(path, headers=sent)

    assert problem_of(answer) == (
        403,
        "cross_site",
        "the request comes from a page of another site: refused",
    )


def test_a_name_that_was_made_to_point_here_is_refused_with_the_way_to_allow_it(api, client):
    answer = client.get("/health", headers={"Host": "evil.com"})

    assert problem_of(answer) == (
        400,
        "wrong_host",
        f"this server answers to {api.url}/ only: use that address, or start it with --allow-host "
        "and the name",
    )


@pytest.mark.parametrize(
    ("header", "is_accepted"),
    [
        ("masks.example", True),
        ("masks.example:443", True),
        ("masks.example:8760", True),
        ("127.0.0.1:8760", True),
        ("evil.masks.example", False),
        ("masks.example.evil.com", False),
        ("127.0.0.1:8761", False),
    ],
)
def test_a_name_that_was_allowed_is_accepted_with_the_port_of_whatever_stands_in_front(
    header, is_accepted
):
    settings = ApiSettings(names=("masks.example",))

    assert settings.accepts_host(header) is is_accepted


def test_every_answer_carries_the_security_headers(api, client):
    answers = [client.get("/health"), client.get("/nothing"), client.get("/api/v1/model")]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_token_is_no_part_of_what_settings_show():
    assert API_TOKEN not in repr(ApiSettings(token=API_TOKEN))
