"""Names are data: whatever is in them, they are shown as they are and do nothing."""

from __future__ import annotations

import pytest
from shell_servers import draw_pictures, serving

MARKUP = '<img src="/nowhere.png" onerror="alert(1)">'
NASTY = (
    MARKUP,
    "<script>alert(2)</script>",
    '"><svg onload=alert(3)>',
    "' onmouseover='alert(4)",
    "javascript:alert(5)",
    "{{7*7}} ${7*7} #{7*7}",
    "&lt;b&gt; &amp; &#x41;",
    "\u202egnp.tac\u202c",
    "\u05e9\u05dc\u05d5\u05dd cat",
    "=cmd|'/c calc'!A1",
    "../../etc/passwd",
    "con",
    "a\u0301\u0302\u0303 zalgo",
    "\U0001f408\u200d\U0001f5a4",
    "x" * 200,
)
FILE_NAMES = (
    "<img src=nowhere onerror=alert(6)>.png",
    "'\" onload=alert(7).png",
    "\u202egnp.tac.png",
    "#image=2&x=%00.png",
    "y" * 200 + ".png",
)


@pytest.fixture
def folder(tmp_path):
    return draw_pictures(tmp_path / "pictures", FILE_NAMES)


@pytest.fixture
def watched(annotator):
    """The page, and what it opened or asked for outside of what it always does."""
    seen: list[str] = []
    annotator.page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    annotator.page.on("request", lambda request: seen.extend(unexpected(request.url)))
    annotator.seen = seen
    return annotator


def unexpected(url: str) -> list[str]:
    path = "/" + url.split("/", 3)[-1]
    return [] if path.startswith(("/api/v1/", "/static/", "/?", "/#")) or path == "/" else [url]


def foreign_elements(annotator) -> int:
    """Elements that only markup in a name could have made."""
    return annotator.page.locator(
        "[onerror], [onload], [onmouseover], body script, img[src*=nowhere], svg[onload]"
    ).count()


def test_names_of_labels_are_only_text(watched):
    watched.page.set_default_timeout(20_000)
    for name in NASTY:
        watched.add_label(name)

    watched.page.reload()
    watched.look_ready()

    shown = watched.page.locator("#label-list .row-name").all_text_contents()
    assert shown == [*NASTY, "No label"]
    assert (watched.seen, foreign_elements(watched)) == ([], 0)


def test_names_of_objects_are_only_text(watched):
    for name in NASTY:
        made = watched.server.paint(60, 60)
        watched.server.act(kind="rename", object=made["object"], name=name)

    watched.page.reload()
    watched.look_ready()
    watched.page.locator("#object-list .row-main").first.click()
    watched.page.locator("#object-list .more-button").first.click()

    shown = watched.page.locator("#object-list .row-name").all_text_contents()
    assert shown == list(reversed(NASTY))
    assert (watched.seen, foreign_elements(watched)) == ([], 0)


def test_names_of_files_are_only_text(watched):
    watched.page.reload()
    watched.look_ready()
    for _ in FILE_NAMES:
        watched.press("d")
        watched.look_ready()

    shown = watched.page.locator("#film-strip .strip-name").all_text_contents()
    assert sorted(shown) == sorted(FILE_NAMES)
    assert (watched.seen, foreign_elements(watched)) == ([], 0)


def test_the_name_of_a_folder_is_only_text(chromium, tmp_path, predictor):
    folder = draw_pictures(tmp_path / "<img src=nowhere onerror=alert(8)>", ("a.png",))
    with serving(folder, predictor) as server:
        context = chromium.new_context()
        page = context.new_page()
        seen: list[str] = []
        page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
        page.goto(server.page_url)

        page.locator("#project-name", has_text="<img src=nowhere").wait_for()
        title, images = page.title(), page.locator("img[src*=nowhere]").count()
        context.close()

    assert title == "a.png – <img src=nowhere onerror=alert(8)>"
    assert (seen, images) == ([], 0)
