"""Images come from the Label Studio they belong to, and the key goes nowhere else."""

from __future__ import annotations

import base64

import pytest
from studio_servers import ACCESS_KEY, KEY, PERSONAL_KEY, running_studio

from latentcut.errors import ImageNotFetched, PromptUnusable
from latentcut.integrations.label_studio.fetching import FetchLimits, Images

PATH = "/data/upload/1/a.png"


def test_an_upload_is_fetched_with_the_key_and_kept(studio):
    images = Images(studio.url, KEY)

    first, second = images.read(PATH, 1), images.read(PATH, 1)

    assert first == second == studio.files[PATH]
    assert studio.asked == [(PATH, f"Token {KEY}")]


def test_an_image_is_asked_for_again_after_a_while(studio):
    images = Images(studio.url, KEY, limits=FetchLimits(kept_s=-1.0))
    images.read(PATH, 1)

    images.read(PATH, 1)

    assert len(studio.asked) == 2


def test_a_personal_access_token_is_exchanged_for_a_short_lived_one(studio):
    images = Images(studio.url, PERSONAL_KEY)

    content = images.read(PATH, 1)

    assert content == studio.files[PATH]
    assert studio.asked == [("/api/token/refresh/", None), (PATH, f"Bearer {ACCESS_KEY}")]


def test_a_short_lived_key_that_is_refused_is_replaced_once(studio):
    images = Images(studio.url, PERSONAL_KEY)
    images._access = "header.outdated.signature"

    content = images.read(PATH, 1)

    assert content == studio.files[PATH]
    keys = [key for _, key in studio.asked]
    assert keys == ["Bearer header.outdated.signature", None, f"Bearer {ACCESS_KEY}"]


def test_the_key_that_label_studio_sends_is_used_where_none_was_configured(studio):
    images = Images(studio.url)
    images.use_key_of_setup(KEY)

    content = images.read(PATH, 1)

    assert content == studio.files[PATH]


def test_a_configured_key_comes_before_the_one_that_was_sent(studio):
    images = Images(studio.url, KEY)
    images.use_key_of_setup("other")

    images.read(PATH, 1)

    assert studio.asked == [(PATH, f"Token {KEY}")]


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("/data/local-files/?d=my photos/ä.png", "/data/local-files/?d=my%20photos/%C3%A4.png"),
        ("/data/upload/1/a%20b.png", "/data/upload/1/a%20b.png"),
        ("s3://bucket/a b.png", "/tasks/7/presign/?fileuri=s3%3A%2F%2Fbucket%2Fa%20b.png"),
    ],
)
def test_paths_and_cloud_addresses_are_asked_for_as_label_studio_serves_them(studio, source, asked):
    studio.files[asked] = b"found"

    content = Images(studio.url, KEY).read(source, 7)

    assert content == b"found"


def test_a_label_studio_below_a_path_is_asked_there(studio):
    studio.files["/studio/data/a.png"] = b"found"
    images = Images(f"{studio.url}/studio/", KEY)

    content = images.read("/data/a.png", 1), images.read("/studio/data/a.png", 1)

    assert content == (b"found", b"found")


def test_a_data_uri_needs_no_server():
    source = "data:image/png;base64," + base64.b64encode(b"found").decode()

    content = Images("http://localhost:1").read(source, 1)

    assert content == b"found"


def test_a_redirect_to_an_allowed_server_is_followed_without_the_key(studio):
    with running_studio() as bucket:
        bucket.needs_key, bucket.files["/signed?x=1"] = False, b"found"
        studio.files[PATH] = f"{bucket.url}/signed?x=1"

        content = Images(studio.url, KEY, (bucket.url,)).read(PATH, 1)

        assert content == b"found"
        assert bucket.asked == [("/signed?x=1", None)]


def test_a_redirect_to_another_server_is_refused_and_that_server_not_asked(studio):
    with running_studio() as other:
        studio.files[PATH] = f"{other.url}/secret"

        with pytest.raises(ImageNotFetched) as caught:
            Images(studio.url, KEY).read(PATH, 1)

        assert other.asked == []
        assert str(caught.value) == (
            f"the image cannot be had from {other.url}: images are not fetched from there: "
            "allow it with --allow-origin"
        )


FORBIDDEN = "images are not fetched from there: allow it with --allow-origin"


@pytest.mark.parametrize(
    ("source", "server", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "http://169.254.169.254", FORBIDDEN),
        ("http://localhost:22/", "http://localhost:22", FORBIDDEN),
        ("http://[::1]:9/", "http://[::1]:9", FORBIDDEN),
        ("https://127.0.0.1/a.png", "https://127.0.0.1", FORBIDDEN),
        ("file:///etc/passwd", "the image's address", "it is no plain http address"),
        ("gopher://localhost/", "the image's address", "it is no plain http address"),
        ("http://ann:pw@localhost/", "the image's address", "it is no plain http address"),
        ("http://localhost:99999/", "the image's address", "it is no plain http address"),
    ],
)
def test_other_servers_are_never_asked(studio, source, server, reason):
    with pytest.raises(ImageNotFetched) as caught:
        Images(studio.url, KEY).read(source, 1)

    assert str(caught.value) == f"the image cannot be had from {server}: {reason}"


@pytest.mark.parametrize(
    ("source", "task_id", "reason"),
    [
        (None, 1, "there is no image in its data"),
        ({"url": "/a.png"}, 1, "there is no image in its data"),
        ("a.png", 1, "its image is neither a path nor an address"),
        ("//evil.example/a.png", 1, "its image is neither a path nor an address"),
        ("s3://bucket/a.png", None, "its image is in a cloud, and it has no id"),
    ],
)
def test_a_task_without_an_image_is_refused(studio, source, task_id, reason):
    with pytest.raises(PromptUnusable) as caught:
        Images(studio.url, KEY).read(source, task_id)

    assert str(caught.value) == f"the task cannot be used: {reason}"


NO_KEY = "it answers 401: give a key with --api-key-file or LABEL_STUDIO_API_KEY"


@pytest.mark.parametrize(
    ("path", "key", "limits", "reason"),
    [
        (PATH, None, FetchLimits(), NO_KEY),
        (PATH, "a.b.c", FetchLimits(), "it refuses the key (401)"),
        ("/data/none.png", KEY, FetchLimits(), "it answers 404"),
        (PATH, KEY, FetchLimits(max_bytes=10), "the image has more than 10 bytes"),
        (PATH, KEY, FetchLimits(timeout_s=0), "it does not answer in time"),
        ("/loop", KEY, FetchLimits(), "it sent on more than 3 times"),
    ],
)
def test_what_label_studio_does_not_give_is_said_in_a_sentence(studio, path, key, limits, reason):
    studio.files["/loop"] = "/loop"

    with pytest.raises(ImageNotFetched) as caught:
        Images(studio.url, key, limits=limits).read(path, 1)

    assert str(caught.value) == f"the image cannot be had from {studio.url}: {reason}"


def test_a_server_that_is_not_there_is_said_in_a_sentence():
    with pytest.raises(ImageNotFetched) as caught:
        Images("http://127.0.0.1:1").read(PATH, 1)

    assert str(caught.value) == (
        "the image cannot be had from http://127.0.0.1:1: it cannot be reached"
    )


def test_keys_are_in_no_representation():
    assert KEY not in repr(Images("http://localhost:8080", KEY))
