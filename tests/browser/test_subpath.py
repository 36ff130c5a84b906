"""The page below a path: behind nginx, which takes the path off, and mounted in another app."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import ScriptedModel
from tests.browser.people import meeting
from tests.browser.tab import Tab
from tests.browser.test_files import PICTURE, chips, choose
from tests.mounted.foreign import ForeignServer, free_port
from tests.provider import CLIENT, Provider
from tests.provider import SECRET as CLIENT_SECRET
from tests.serving import PATIENCE, ServerProcess

SECRET = "a secret of the tests, which is at least 32 bytes long"

NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr error;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    server {
        listen 127.0.0.1:%(port)d;
        location /live/ {
            proxy_pass http://127.0.0.1:%(to)d/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Prefix /live;
            proxy_buffering off;
        }
    }
}
"""


@contextmanager
def nginx(folder: Path, to: int) -> Iterator[str]:
    """Run nginx in front of a port of this machine, and yield the URL of the server below `/live`."""
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX % {"port": port, "to": to})
    process = subprocess.Popen(["nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr"])
    try:
        url, until = f"http://127.0.0.1:{port}/live", time.monotonic() + PATIENCE
        while True:
            try:
                assert httpx.get(f"{url}/health/live", timeout=PATIENCE).status_code == 200
                break
            except httpx.ConnectError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(params=["nginx", "mounted"])
def url(request: pytest.FixtureRequest, model: ScriptedModel, tmp_path: Path) -> Iterator[str]:
    """The URL of a server below a path."""
    env = {"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted"}
    store = f"sqlite:///{tmp_path}/tidings.db"
    with ExitStack() as stack:
        if request.param == "nginx":
            server = stack.enter_context(ServerProcess(store, env=env))
            yield stack.enter_context(nginx(tmp_path, server.port))
        else:
            made = ForeignServer("uvicorn", "in_another:app", store, {**env, "LIFESPAN": "yes"})
            yield f"{stack.enter_context(made).url}/tidings"


def test_the_page_works_below_a_path(url: str, browser: Browser, open_tab: OpenTab) -> None:
    """The fixture `open_tab` sees that no request leaves the path."""
    path = urlsplit(url).path
    meet = meeting(browser, open_tab, url)
    people = next(meet)
    mara, jonas = people("Mara"), people("Jonas")
    assert [cookie["path"] for cookie in mara.context.cookies()] == [path]

    # A conversation, reloaded at its own address, on two tabs with one connection.
    tab = mara.open("")
    tab.answered("Below a path")
    assert re.fullmatch(rf"{path}/c/[\w-]+", tab.path)
    tab.page.reload()
    expect(tab.text).to_have_text("You asked: Below a path")
    second = Tab(open_tab(tab.path.removeprefix(path), url=url, context=mara.context).page)
    expect(second.text).to_have_text("You asked: Below a path")
    session = browser.new_browser_cdp_session()
    workers = session.send("Target.getTargets", {"filter": [{"type": "shared_worker"}]})["targetInfos"]
    ours = [worker["url"] for worker in workers if worker["url"].startswith(url.removesuffix(path))]
    assert [address.startswith(f"{url}/web/") for address in ours] == [True]
    second.page.close()

    # A room with a file, and a notification that leads there.
    mara.make("below", jonas)
    other = jonas.open("")
    room = mara.open("below")
    choose(room, PICTURE)
    expect(chips(room, "whole")).to_have_count(1)
    room.say("@Jonas look")
    other.page.locator(".bell:visible").click()
    other.page.get_by_role("complementary", name="Notifications").get_by_text("look").click()
    expect(other.said("look")).to_be_visible()
    assert other.path == f"{path}/r/below"
    other.page.wait_for_function("() => [...document.querySelectorAll('.files img')].every((img) => img.naturalWidth)")
    expect(room.member("Jonas")).to_be_visible()
    other.page.go_back()
    expect(other.composer).to_be_visible()
    assert other.path == f"{path}/"

    # A run's addresses, and signing out.
    answer = mara.request.post(f"{url}/runs", data={"input": "hello"})
    assert answer.headers["location"] == f"{path}/runs/{answer.json()['run']}"
    assert answer.json()["events"].startswith(f"{path}/runs/")
    assert mara.request.get(f"{url}/topics", max_redirects=0).ok
    room.page.get_by_role("button", name="Settings").click()
    room.button("Sign out").click()
    expect(room.page.locator(".me .name")).to_have_text("You")
    assert mara.context.cookies() == []
    meet.close()


def test_a_provider_brings_people_back_below_the_path(
    browser: Browser, serve_process: Callable[..., ServerProcess], scripted: dict[str, str], tmp_path: Path
) -> None:
    with Provider() as provider, ExitStack() as stack:
        about = {"ISSUER": provider.url, "CLIENT_ID": CLIENT, "CLIENT_SECRET": CLIENT_SECRET, "TITLE": "Harbour"}
        oidc = {f"TIDINGS_OIDC_{name}": value for name, value in about.items()}
        server = serve_process(env={**scripted, "TIDINGS_SECRET": SECRET, **oidc})
        url = stack.enter_context(nginx(tmp_path, server.port))
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/")
        provider.denies = "access_denied"
        page.get_by_role("link", name="Continue with Harbour").click()
        expect(page.get_by_role("alert")).to_have_text("The provider denied access.")
        provider.denies = ""
        page.get_by_role("link", name="Continue with Harbour").click()
        expect(page.locator(".me .name")).not_to_have_text("You")
        assert urlsplit(page.url).path == "/live/"
        Tab(page).answered("Signed in below")
        assert {cookie["path"] for cookie in context.cookies() if cookie["name"] == "tidings"} == {"/live"}
        context.close()
