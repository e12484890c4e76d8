"""Nothing is lost on the way to the disk, and the page never says "saved" too early."""

from __future__ import annotations

import time

from shell_servers import Running

from latentcut.errors import StoreUnavailable


class FullDisk:
    """Makes a store fail as on a full disk, until there is room again."""

    def __init__(self, server: Running, monkeypatch) -> None:
        self.store, self.monkeypatch = server.store, monkeypatch

    def fill(self) -> None:
        def fail(*_, **__):
            raise StoreUnavailable("the disk is full")

        self.monkeypatch.setattr(self.store, "commit", fail)

    def free(self) -> None:
        self.monkeypatch.undo()


def clicks_of(server: Running) -> list[tuple[int, int]]:
    clicks = server.document()["objects"][0]["parts"][-1]["clicks"]
    return [(round(click["x"]), round(click["y"])) for click in clicks]


def test_saved_is_said_only_after_the_answer(annotator):
    annotator.server.door.delay_s = 1.0

    annotator.click()

    annotator.see("#save-status[data-look=saving]", "Saving", timeout_ms=900)
    annotator.saved()
    assert len(annotator.server.document()["objects"]) == 1


def test_clicks_placed_while_one_is_under_way_travel_as_one(annotator):
    annotator.server.door.delay_s = 0.8

    for x in (160, 150, 170, 165):
        annotator.click(x, 120)

    annotator.candidates()
    assert [len(action["clicks"]) for action in annotator.server.door.actions()] == [1, 3]
    assert clicks_of(annotator.server) == [(160, 120), (150, 120), (170, 120), (165, 120)]


def test_undo_while_a_click_is_under_way_takes_it_back_for_good(annotator):
    annotator.click()
    annotator.candidates()
    annotator.server.door.delay_s = 0.8

    annotator.click(140, 120)
    annotator.see("#save-status[data-look=saving]")
    annotator.press("Control+z")

    annotator.candidates()
    assert clicks_of(annotator.server) == [(160, 120)]
    annotator.page.wait_for_timeout(1_000)  # nothing comes late
    assert clicks_of(annotator.server) == [(160, 120)]
    annotator.see("#undo-button[aria-label='Undo click']:enabled")


def test_undo_takes_a_waiting_click_before_the_one_under_way(annotator):
    annotator.server.door.delay_s = 0.8
    annotator.click()
    annotator.see("#save-status[data-look=saving]")
    annotator.click(140, 120)
    annotator.click(150, 120)

    annotator.press("Control+z")

    annotator.candidates()
    assert clicks_of(annotator.server) == [(160, 120), (140, 120)]


def test_undoing_the_first_click_leaves_no_object(annotator):
    annotator.server.door.delay_s = 0.8
    annotator.click()
    annotator.see("#save-status[data-look=saving]")

    annotator.press("Control+z")

    annotator.saved()
    assert annotator.objects() == []
    assert annotator.server.document()["objects"] == []


def test_a_full_disk_is_told_within_two_seconds_and_saving_goes_on_by_itself(
    annotator, monkeypatch
):
    disk = FullDisk(annotator.server, monkeypatch)
    disk.fill()

    annotator.click()

    annotator.see("#banner:not([hidden])", "the disk is full", timeout_ms=2_000)
    annotator.see("#save-status[data-look=failed]", "Not saved")
    assert annotator.server.document()["objects"] == []
    disk.free()
    annotator.candidates()
    annotator.page.locator("#banner").wait_for(state="hidden")
    assert len(annotator.server.document()["objects"]) == 1


def test_clicks_placed_while_the_disk_is_full_are_kept(annotator, monkeypatch):
    disk = FullDisk(annotator.server, monkeypatch)
    disk.fill()
    annotator.click()
    annotator.see("#banner:not([hidden])", timeout_ms=2_000)

    annotator.click(150, 120)
    annotator.click(170, 120)
    disk.free()

    annotator.candidates()
    assert clicks_of(annotator.server) == [(160, 120), (150, 120), (170, 120)]


def test_a_lost_connection_is_told_and_mended(annotator):
    annotator.page.context.set_offline(True)

    annotator.click()

    annotator.see("#banner:not([hidden])", "the server does not answer", timeout_ms=2_000)
    annotator.page.context.set_offline(False)
    annotator.candidates()
    assert clicks_of(annotator.server) == [(160, 120)]


def test_a_click_whose_answer_got_lost_is_not_made_twice(annotator):
    annotator.click()
    annotator.candidates()
    annotator.server.door.forget = 1

    annotator.click(150, 120)

    annotator.see("#save-status[data-look=failed]")
    annotator.candidates()
    assert clicks_of(annotator.server) == [(160, 120), (150, 120)]


def test_a_new_object_whose_answer_got_lost_stays_in_work(annotator):
    annotator.server.door.forget = 1

    annotator.click()

    annotator.see("#save-status[data-look=failed]")
    annotator.candidates()
    annotator.click(150, 120)
    annotator.candidates()
    assert len(annotator.server.document()["objects"]) == 1


def test_a_busy_server_is_asked_again(annotator):
    annotator.server.door.busy = 2

    annotator.click()

    annotator.see("#save-status[data-look=busy]", "Busy")
    annotator.candidates()
    assert len(annotator.server.door.actions()) == 3


def test_a_change_in_another_tab_is_told_and_the_click_joins_it(annotator):
    annotator.click()
    annotator.candidates()
    annotator.server.paint(60, 60)

    annotator.click(150, 120)

    annotator.see("#notes", "changed in another tab")
    annotator.candidates()
    assert len(annotator.objects()) == 2
    assert clicks_of(annotator.server) == [(160, 120), (150, 120)]


def test_a_click_on_an_object_that_another_tab_deleted_is_left_out(annotator):
    annotator.click()
    annotator.candidates()
    annotator.server.act(kind="delete", object=1)

    annotator.click(150, 120)

    annotator.see("#notes", "your last step was left out")
    annotator.saved()
    assert annotator.objects() == []
    assert annotator.server.document()["objects"] == []


def test_a_new_key_from_another_tab_lets_saving_go_on(annotator):
    settings = annotator.server.app.state.settings
    object.__setattr__(settings, "token", "another-token")  # as after a restart

    annotator.click()

    annotator.see("#banner:not([hidden])", "Open the address printed in the terminal", 2_500)
    other = annotator.page.context.new_page()
    other.goto(f"{annotator.server.url}/?token=another-token")
    annotator.candidates()
    assert clicks_of_with(settings, annotator.server) == 1


def clicks_of_with(settings, server: Running) -> int:
    """Number of objects, asked for with the key that holds now."""
    import httpx

    headers = {"Authorization": f"Bearer {settings.token}"}
    return len(httpx.get(f"{server.url}/api/v1/images/1", headers=headers).json()["objects"])


def test_a_step_goes_on_being_saved_while_another_image_is_open(annotator):
    annotator.server.door.delay_s = 1.0
    annotator.click()

    annotator.press("d")

    annotator.see("#image-name", "b.png")
    annotator.saved()
    assert len(annotator.server.document(1)["objects"]) == 1
    annotator.see("#film-strip [role=option]", "a.png1 objectin work")


def test_leaving_with_unsaved_work_asks_first(annotator):
    annotator.server.door.delay_s = 3.0
    annotator.click()
    annotator.see("#save-status[data-look=saving]")
    asked = []
    annotator.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))

    annotator.page.evaluate("() => { setTimeout(() => location.reload(), 0) }")

    deadline = time.monotonic() + 5
    while not asked and time.monotonic() < deadline:
        annotator.page.wait_for_timeout(50)
    assert asked == ["beforeunload"]
    annotator.saved()


def test_an_image_asked_for_while_the_server_is_away_opens_when_it_is_back(annotator):
    annotator.page.context.set_offline(True)
    annotator.press("d")
    annotator.see("#banner:not([hidden])", "The server does not answer", timeout_ms=2_500)

    annotator.page.context.set_offline(False)

    annotator.look_ready()
    annotator.see("#image-name", "b.png")
    annotator.click()
    annotator.saved()
    assert len(annotator.server.document(2)["objects"]) == 1
