"""The switch that lets the first mask follow what was chosen before, and forgetting it."""

from __future__ import annotations


def open_settings(annotator):
    annotator.page.click("#settings-button")
    return annotator.page.locator("dialog[open]")


def switch_of(dialog):
    return dialog.get_by_label("Learn which candidate I mean")


def test_the_settings_say_how_much_was_learned_and_forget_it_on_demand(annotator):
    annotator.click()
    annotator.candidates()
    annotator.take_another()
    annotator.saved()

    dialog = open_settings(annotator)
    annotator.see("dialog[open] [role=status]", "Learned from 1 object.")
    assert switch_of(dialog).is_checked()
    dialog.get_by_role("button", name="Forget what was learned").click()

    annotator.see("dialog[open] [role=status]", "Nothing was learned yet.")
    assert dialog.get_by_role("button", name="Forget what was learned").is_disabled()
    assert annotator.server.get("/project")["preferences"] == {"enabled": True, "num_learned": 0}
    assert len(annotator.objects()) == 1


def test_learning_is_switched_off_and_stays_off_after_a_reload(annotator):
    dialog = open_settings(annotator)
    annotator.see("dialog[open] [role=status]", "Nothing was learned yet.")

    with annotator.page.expect_response("**/project/preferences"):
        switch_of(dialog).uncheck()
    annotator.page.reload()
    annotator.look_ready()

    assert annotator.server.get("/project")["preferences"]["enabled"] is False
    dialog = open_settings(annotator)
    annotator.see("dialog[open] [role=status]", "Nothing was learned yet.")
    assert not switch_of(dialog).is_checked()


def test_a_switch_that_the_server_does_not_take_says_so(annotator):
    dialog = open_settings(annotator)
    annotator.see("dialog[open] [role=status]", "Nothing was learned yet.")
    annotator.server.door.busy = 1

    switch_of(dialog).uncheck()

    annotator.see("dialog[open] [role=status]", "This could not be changed: made by the test: busy")
    assert switch_of(dialog).is_disabled()
    assert annotator.server.get("/project")["preferences"]["enabled"] is True
