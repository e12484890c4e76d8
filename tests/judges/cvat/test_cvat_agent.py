"""``latentcut cvat-agent`` with cvat-cli's real agent, against as much of CVAT as that asks for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cvat_sdk.masks import decode_mask
from fake_cvat import TOKEN, FakeCvat, running

import latentcut
from latentcut import Click
from latentcut.core.replay import replayed

SAMPLES = Path(__file__).resolve().parents[3] / "src" / "latentcut" / "samples"
PHOTO = SAMPLES / "chelsea.jpg"
POSITIVE, NEGATIVE = [[235.5, 160.5]], [[410.5, 140.5]]


@pytest.fixture
def cvat():
    with running(FakeCvat(PHOTO)) as fake:
        yield fake


def command_of(cvat, *options):
    address = ["--server", cvat.url, "--threads", "1"]
    return [sys.executable, "-m", "latentcut", "cvat-agent", *address, *options]


def environment(tmp_path, token=TOKEN):
    return {**os.environ, "CVAT_ACCESS_TOKEN": token, "HOME": str(tmp_path)}


def run(cvat, tmp_path, *options, token=TOKEN):
    return subprocess.run(
        command_of(cvat, *options),
        env=environment(tmp_path, token),
        capture_output=True,
        text=True,
        timeout=120,
    )


def mask_of(result):
    (shape,) = result["shapes"]
    return decode_mask(shape["points"], image_width=451, image_height=300)


def test_the_agent_registers_itself_and_answers_clicks_with_the_models_masks(cvat, tmp_path):
    predictor = latentcut.load(threads=1)
    encoded, clicks = predictor.encode(PHOTO), (Click(235, 160), Click(410, 140, positive=False))
    first = replayed(predictor, encoded, clicks[:1]).mask
    second = replayed(predictor, encoded, clicks).mask
    cvat.ask(POSITIVE)
    cvat.ask(POSITIVE, NEGATIVE)

    done = run(cvat, tmp_path, "--function", "cuts", "--once")

    assert (done.returncode, cvat.failed) == (0, {}), done.stderr
    assert cvat.functions == {
        40: {
            "id": 40,
            "provider": "native",
            "kind": "interactor",
            "name": "cuts",
            "visibility": "private",
            "min_pos_points": 0,
            "min_neg_points": 0,
            "startswith_box": False,
            "startswith_box_optional": True,
        }
    }
    assert [
        (mask_of(cvat.done[key]) == mask).all()
        for key, mask in zip(("r0", "r1"), (first, second), strict=True)
    ] == [True, True]
    assert cvat.seen.count(("GET", "/api/tasks/7/data/")) == 1  # the image is asked for once


def test_a_second_start_finds_the_function_by_its_name(cvat, tmp_path):
    run(cvat, tmp_path, "--function", "cuts", "--once")
    cvat.ask([], [], [[60, 20], [440, 290]])

    done = run(cvat, tmp_path, "--function", "cuts", "--once")

    assert (done.returncode, list(cvat.functions), list(cvat.done)) == (0, [40], ["r0"])


def test_a_request_that_cannot_be_answered_is_failed_with_a_reason_and_the_agent_goes_on(
    cvat, tmp_path
):
    cvat.ask([[9999, 3]])
    cvat.ask(POSITIVE)

    done = run(cvat, tmp_path, "--once")

    assert done.returncode == 0
    assert cvat.failed == {
        "r0": (
            "Underlying function returned incorrect result: click (x=9998.5, y=2.5) is outside "
            "the image, which is 451 px wide and 300 px high: x must be 0 to 450 and y 0 to 299"
        )
    }
    assert list(cvat.done) == ["r1"]


def test_without_once_it_waits_for_requests_until_it_is_interrupted(cvat, tmp_path):
    cvat.ask(POSITIVE)
    agent = subprocess.Popen(
        command_of(cvat),
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        is_answered = cvat.all_done.wait(timeout=60)
        cvat.all_done.clear()
        cvat.ask(POSITIVE, NEGATIVE)
        is_answered_later = cvat.all_done.wait(timeout=60)
        os.killpg(agent.pid, signal.SIGINT)  # as Ctrl+C does
        output, _ = agent.communicate(timeout=60)
    finally:
        agent.kill()

    assert (is_answered, is_answered_later, list(cvat.done)) == (True, True, ["r0", "r1"])
    assert agent.returncode == 0
    assert output == (
        f"Function 40 of {cvat.url}. In CVAT: AI tools, Interactors, latentcut.\n"
        "Ctrl+C stops.\n"
        "Stopped.\n"
    )


def test_two_functions_of_one_name_must_be_told_apart_by_number(cvat, tmp_path):
    run(cvat, tmp_path, "--function", "cuts", "--once")
    cvat.functions[41] = {**cvat.functions[40], "id": 41}

    done = run(cvat, tmp_path, "--function", "cuts", "--once")

    assert done.returncode == 1
    assert done.stderr == (
        f"Error: {cvat.url}: it has several functions called 'cuts': give one of "
        "--function-id 40, 41\n"
    )


def test_a_cvat_without_agents_is_told_apart_and_the_other_way_is_named(tmp_path):
    with running(FakeCvat(PHOTO, has_functions=False)) as cvat:
        done = run(cvat, tmp_path, "--once")

        assert done.returncode == 1
        assert done.stderr == (
            f"Error: {cvat.url}: it has no functions for agents, which are part of CVAT Online "
            "and CVAT Enterprise; for a CVAT that you host yourself use latentcut cvat-nuclio\n"
        )


def test_a_wrong_token_is_said(cvat, tmp_path):
    done = run(cvat, tmp_path, "--once", token="wrong")

    assert done.returncode == 1
    assert done.stderr == (
        f"Error: {cvat.url}: it does not know this user or token: set CVAT_ACCESS_TOKEN, or give "
        "--auth\n"
    )
