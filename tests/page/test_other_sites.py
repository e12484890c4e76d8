"""A page of another origin in the same browser: it changes nothing and reads nothing (C4)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from latentcut.web.app import create_app
from latentcut.web.serve import Server, listen
from latentcut.web.settings import ServerLimits, Settings

EVIL_PAGE = """<!doctype html><meta charset="utf-8"><title>evil</title>
<form id="form" method="post" enctype="text/plain" target="frame"
  action="TARGET/api/v1/images/1/actions"><input name='{"kind":"done","done":true,"x":"' value='"}'>
</form><iframe name="frame" id="frame"></iframe><iframe id="page" src="TARGET/"></iframe>
<a id="link" href="TARGET/?token=TOKEN">open</a>
<script>
async function attack() {
  const target = "TARGET", told = {};
  const json = JSON.stringify({kind: "done", done: true});
  const tried = async (work) => {
    try { return await work(); } catch (error) { return "refused"; }
  };
  document.getElementById("form").submit();
  told.simple = await tried(async () => (await fetch(target + "/api/v1/images/1/actions", {
    method: "POST", mode: "no-cors", credentials: "include", body: json})).type);
  told.json = await tried(async () => (await fetch(target + "/api/v1/images/1/actions", {
    method: "POST", credentials: "include", body: json,
    headers: {"Content-Type": "application/json", "If-Match": '"0"'}})).status);
  told.read = await tried(async () => (await fetch(target + "/api/v1/project", {
    credentials: "include"})).text());
  told.script = await new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = target + "/static/main.js";
    script.type = "module";
    script.onload = () => resolve("loaded");
    script.onerror = () => resolve("refused");
    document.head.append(script);
  });
  told.image = await new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve("loaded");
    image.onerror = () => resolve("refused");
    image.src = target + "/api/v1/images/1/view.png";
  });
  told.socket = await new Promise((resolve) => {
    const socket = new WebSocket(target.replace("http", "ws") + "/api/v1/status");
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
  });
  return told;
}
</script>
"""


@contextmanager
def evil_site(target: str, token: str):
    """Another server on this computer; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = EVIL_PAGE.replace("TARGET", target).replace("TOKEN", token).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield site.server_address[1]
        finally:
            site.shutdown()
            thread.join()


@pytest.fixture
def settings(tmp_path):
    """A server in a thread."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(folder / "1.png")
    with listen("127.0.0.1", 0) as sock:
        settings = Settings(folder=folder, port=sock.getsockname()[1], token="the-token-x9Q")
        app = create_app(settings)
        server = Server(app, ServerLimits())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        yield settings
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    yield context.new_page()
    context.close()


# another port of the same address is the same site: its requests carry even strict cookies
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same site", "other site"])
def test_a_page_of_another_origin_changes_nothing_and_reads_nothing(host, page, settings):
    page.goto(settings.url)
    target = settings.page_url.rstrip("/")
    with evil_site(target, settings.token) as port:
        other = page.context.new_page()
        other.goto(f"http://{host}:{port}/")
        told = other.evaluate("attack()")
        framed = other.frame_locator("#page").locator("body").inner_text(timeout=20_000)
    document = page.evaluate("fetch('/api/v1/images/1').then((answer) => answer.json())")

    ways = ("simple", "json", "read", "script", "image", "socket")
    assert told == dict.fromkeys(ways, "refused")
    assert "1.png" not in framed
    assert (document["revision"], document["done"]) == (0, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same site", "other site"])
def test_a_link_in_another_page_opens_the_page(host, page, settings):
    with evil_site(settings.page_url.rstrip("/"), settings.token) as port:
        page.goto(f"http://{host}:{port}/")
        page.click("#link")
        page.wait_for_selector("#stage", timeout=30_000)

    assert page.url == settings.page_url
