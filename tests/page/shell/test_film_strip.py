"""Ten thousand images in the strip."""

from __future__ import annotations

import time

NUM_IMAGES = 10_000


def many_images(route) -> None:
    """The project as it is, with a row for each of 10,000 images."""
    answer = route.fetch()
    project = answer.json()
    row = project["images"][0]
    project["images"] = [
        {**row, "id": number, "name": f"{number:05}.png", "path": f"walk/{number:05}.png"}
        for number in range(1, NUM_IMAGES + 1)
    ]
    route.fulfill(response=answer, json=project)


def test_only_the_rows_in_sight_exist(open_page):
    annotator = open_page()
    annotator.page.route("**/api/v1/project", many_images)
    annotator.page.reload()
    annotator.see("#images-count", "10,000")
    strip = annotator.page.locator("#film-strip")

    started = time.monotonic()
    for share in (0.25, 0.5, 0.75, 1.0):
        strip.evaluate("(list, share) => { list.scrollTop = list.scrollHeight * share }", share)
    annotator.see("#film-strip [role=option]", "10000.png")
    took_s = time.monotonic() - started

    rows = strip.locator("[role=option]")
    assert rows.count() < 40
    assert rows.last.get_attribute("aria-setsize") == str(NUM_IMAGES)
    assert rows.last.get_attribute("aria-posinset") == str(NUM_IMAGES)
    assert took_s < 5


def test_the_strip_is_searched_by_name(open_page):
    annotator = open_page()

    annotator.page.fill("#strip-search", "b.p")

    rows = annotator.page.locator("#film-strip [role=option]")
    rows.nth(1).wait_for(state="detached")
    assert rows.all_inner_texts()[0].startswith("b.png")


def test_pictures_that_were_scrolled_past_are_not_asked_for(open_page):
    annotator = open_page()
    annotator.page.route("**/api/v1/project", many_images)
    asked: list[str] = []
    annotator.page.on("request", lambda r: asked.append(r.url) if "thumbnail" in r.url else None)
    annotator.page.reload()
    annotator.see("#images-count", "10,000")

    annotator.page.locator("#film-strip").evaluate(
        """async (list) => {
          for (let step = 0; step < 60; step += 1) {
            list.scrollTop += 680;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    annotator.page.wait_for_timeout(1_000)

    assert len(asked) < 200  # 600 rows flew past
