"""Files in rooms: attached, seen by others, refused, cut off, deleted; and never run."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Error, FilePayload, Locator, Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, Person, RoomTab, at_end, meeting
from tests.browser.test_layout import AXE, PHONE, check, overflow, small_targets
from tests.proxy import Proxy
from tests.serving import ServerProcess

RAN = "fetch('/ran')"


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = (b"\0" + b"\x20\x80\x90" * width) * height
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PICTURE: FilePayload = {"name": "drain.png", "mimeType": "image/png", "buffer": png(640, 400)}
PLAN: FilePayload = {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 what we do " * 200}


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


@pytest.fixture
def way(server: ServerProcess) -> Iterator[Callable[[], Proxy]]:
    """`way()`: a way to the server that can be cut."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Proxy(server.port))


def chips(tab: RoomTab, state: str = "") -> Locator:
    """The files above the text that is written."""
    return tab.page.locator(f".attached [data-state={state}]" if state else ".attached li")


def choose(tab: RoomTab, *files: FilePayload | Path) -> None:
    with tab.page.expect_file_chooser() as chooser:
        tab.button("Attach files").click()
    chooser.value.set_files(list(files))  # type: ignore[arg-type]


def upload(person: Person, room: str, name: str, type: str, content: bytes) -> dict[str, Any]:
    path = f"{person.url}/rooms/{room}/files"
    done = person.request.post(path, params={"name": name}, data=content, headers={"content-type": type})
    assert done.ok, done.text()
    return dict(done.json())


def drag(page: Page, *files: Path, over: str = "#log") -> Callable[[str], None]:
    """Drag files from the desktop over the log, or over another element: `dragEnter`, `dragOver`, `drop`."""
    box = page.locator(over).bounding_box()
    assert box
    devtools = page.context.new_cdp_session(page)
    at = {"x": box["x"] + 200, "y": box["y"] + 200}
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    return lambda type: devtools.send("Input.dispatchDragEvent", {"type": type, **at, "data": data}) and None


def test_files_are_chosen_dropped_and_pasted_and_everyone_sees_them(meet: Meet, tmp_path: Path) -> None:
    mara, jonas = meet("Mara Lindqvist", permissions=["clipboard-read", "clipboard-write"]), meet("Jonas Weber")
    mara.make("shared-files", jonas)
    tab, other = mara.open("shared-files"), jonas.open("shared-files")
    choose(tab, PICTURE, PLAN)
    expect(chips(tab, "whole")).to_have_count(2)
    dropped = tmp_path / "notes of today.txt"
    dropped.write_text("dropped")
    drop = drag(tab.page, dropped)
    drop("dragEnter")
    drop("dragOver")
    expect(tab.page.get_by_text("Drop files to attach")).to_be_visible()
    drop("drop")
    expect(tab.page.get_by_text("Drop files to attach")).to_have_count(0)
    tab.page.evaluate(
        """async (bytes) => {
            const picture = new Blob([new Uint8Array(bytes)], {type: "image/png"});
            await navigator.clipboard.write([new ClipboardItem({"image/png": picture})]);
        }""",
        list(png(30, 20)),
    )
    tab.writing.press("Control+v")
    expect(chips(tab, "whole")).to_have_text(
        [
            re.compile("drain.png"),
            re.compile(r"plan.pdf4.0\skB"),
            re.compile("notes of today.txt"),
            re.compile("image.png"),
        ]
    )
    tab.writing.press("Enter")  # without a word
    for one in (tab, other):
        expect(one.messages.locator(".files li")).to_have_count(4)
        expect(one.page.locator("article.said.pale")).to_have_count(0)
        expect(chips(one)).to_have_count(0)
        # The box of a picture is as large before it is loaded as after, and the log stays at its end.
        one.page.wait_for_function(
            "() => [...document.querySelectorAll('.files img')].every((img) => img.naturalWidth)"
        )
        boxes = [picture.bounding_box() for picture in one.page.locator("a.picture").all()]
        assert [(box["width"], box["height"]) for box in boxes if box] == [(320, 200), (320, 200)]
        assert at_end(one.page)
    with other.page.expect_download() as download:
        other.page.get_by_role("link", name="plan.pdf").click()
    assert (download.value.suggested_filename, download.value.path().read_bytes()) == ("plan.pdf", PLAN["buffer"])

    message = other.messages.first
    message.hover()
    message.get_by_role("button", name="Reply").click()
    other.say("Thanks")
    for one in (tab, other):
        quote = one.said("Thanks").locator(".quote")
        expect(quote).to_contain_text("drain.png, plan.pdf, notes of today.txt, image.png")
    other.page.keyboard.press("Control+k")
    other.page.get_by_role("combobox").fill("plan.pdf")
    expect(other.page.get_by_role("option").first).to_contain_text("plan.pdf")
    tab.page.reload()
    expect(tab.messages.locator(".files li")).to_have_count(4)


def test_a_refused_file_says_why_and_is_removed(meet: Meet, tmp_path: Path) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("limits-of-files")
    tab = mara.open("limits-of-files")
    large = tmp_path / "movie.mp4"
    with large.open("wb") as file:
        file.truncate(10 * 2**20 + 1)
    choose(tab, PLAN)
    choose(tab, large)
    expect(chips(tab, "refused")).to_contain_text("Too large (limit 10\u00a0MiB).")
    expect(chips(tab, "whole")).to_have_count(1)
    tab.say("with a film")
    expect(tab.page.get_by_role("status").last).to_have_text("Remove movie.mp4 to send.")
    expect(tab.button("Send")).to_have_attribute("aria-disabled", "true")
    expect(tab.button("Send")).to_have_attribute("title", "Remove movie.mp4 to send.")
    expect(tab.writing).to_have_value("with a film")
    tab.button("Remove movie.mp4").click()
    expect(tab.writing).to_be_focused()
    tab.writing.press("Enter")
    tab.expect_said("with a film")
    expect(tab.messages.locator(".files")).to_have_text(re.compile("plan.pdf"))

    bent: FilePayload = {"name": "plan\u202efdp.exe", "mimeType": "", "buffer": b"x"}
    choose(tab, bent)
    expect(chips(tab, "refused")).to_contain_text("A file's name is one line of printable characters")
    many: list[FilePayload] = [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": b"x"} for n in range(10)]
    choose(tab, *many)
    expect(tab.page.get_by_role("alert").filter(has_text="at most")).to_have_text("A message has at most 10 files.")
    expect(chips(tab)).to_have_count(10)


def test_an_upload_that_breaks_off_is_tried_again_and_one_without_a_connection_waits(
    meet: Meet, way: Callable[[], Proxy]
) -> None:
    proxy = way()
    mara, jonas = meet("Mara Lindqvist", url=proxy.url), meet("Jonas Weber")
    mara.make("broken-files", jonas)
    tab, other = mara.open("broken-files"), jonas.open("broken-files")
    expect(tab.page.get_by_text("Live")).to_be_visible()
    proxy.tell("next cut 5 for /rooms/broken-files/files")
    choose(tab, PLAN)
    expect(chips(tab, "broken")).to_contain_text("The upload failed")
    tab.button("Retry").click()
    expect(chips(tab, "whole")).to_have_count(1)
    proxy.tell("next swallow for /rooms/broken-files/files")
    choose(tab, PLAN)
    expect(chips(tab, "going")).to_contain_text("100\u00a0%")
    with tab.page.expect_event("requestfailed", lambda request: "/files?" in request.url):
        tab.button("Remove plan.pdf").last.click()
    expect(chips(tab)).to_have_count(1)
    proxy.tell("next swallow for /rooms/broken-files/files")
    choose(tab, PLAN)  # not behind the one that was removed
    expect(chips(tab, "going")).to_contain_text("100\u00a0%")

    proxy.tell("now refuse")
    expect(tab.banner).to_contain_text("Reconnecting")
    choose(tab, PICTURE)
    expect(chips(tab, "waiting")).to_contain_text("waits")
    hint = tab.page.get_by_text("Offline. Keep this page open to upload.")
    expect(hint).to_be_visible()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    tab.page.once("dialog", stay)
    tab.page.evaluate("location.reload()")
    expect(hint).to_be_visible()
    proxy.tell("now pass")
    tab.reconnect()
    expect(chips(tab, "whole")).to_have_count(3)
    assert asked == ["beforeunload"]
    tab.say("All are there")
    expect(other.said("All are there").locator(".files li")).to_have_count(3)
    tab.expect_said("All are there")


def test_a_file_is_deleted_with_the_last_message_that_attaches_it(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("gone-files", jonas)
    tab, other = mara.open("gone-files"), jonas.open("gone-files")
    files = [upload(mara, "gone-files", one["name"], one["mimeType"], one["buffer"])["id"] for one in (PICTURE, PLAN)]
    for text in ("first", "second"):
        mara.publish("rooms.gone-files", "message.posted", text=text, files=files)
        expect(other.said(text).locator(".files li")).to_have_count(2)
    address = f"{jonas.url}{other.page.locator('a.picture').first.get_attribute('href')}"
    for text, left, status in (("first", 1, 200), ("second", 0, 404)):
        tab.menu(tab.said(text), "Delete")
        tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        for one in (tab, other):
            expect(one.page.locator(".files")).to_have_count(left)
        assert jonas.request.get(address).status == status


def test_a_file_that_is_gone_says_so(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("lost-files")
    files = [upload(mara, "lost-files", one["name"], one["mimeType"], one["buffer"])["id"] for one in (PICTURE, PLAN)]
    mara.publish("rooms.lost-files", "message.posted", text="Two files", files=files)
    # The page asks for a file that the server does not have, and the server answers.
    missing = f"{mara.url}/rooms/lost-files/files/{'0' * 26}"
    mara.context.route("**/rooms/lost-files/files/*", lambda route: route.continue_(url=missing))
    tab = mara.open("lost-files")
    expect(tab.page.locator("p.picture")).to_have_text("drain.pngThis file is no longer available.")
    tab.page.get_by_role("link", name="plan.pdf").click()
    expect(tab.page.locator("a.file")).to_contain_text("This file is no longer available.")


HOSTILE = {
    "<img src=x onerror=alert(1)>.html": ("text/html", f"<script>{RAN}</script>"),
    "drawing.svg": (
        "image/svg+xml",
        f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RAN}"><script>{RAN}</script></svg>',
    ),
    "not a picture.png": ("image/png", f"<html><script>{RAN}</script></html>"),
    f"{'long' * 49}.txt": ("text/plain", "two hundred letters"),
}


def test_no_upload_is_ever_run_and_every_name_is_text(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("hostile-files", jonas)
    files = [upload(mara, "hostile-files", name, type, body.encode()) for name, (type, body) in HOSTILE.items()]
    mara.publish("rooms.hostile-files", "message.posted", text="", files=[file["id"] for file in files])
    tab = jonas.open("hostile-files")
    shown = tab.messages.locator(".files .file")
    expect(shown).to_have_count(4)  # what is no picture, though it says so, is one that is saved
    for n, name in enumerate(HOSTILE):
        expect(shown.nth(n).locator(".file-name")).to_have_text(name)
        assert shown.nth(n).bounding_box()["width"] <= 400  # type: ignore[index]
    for file in files:
        address = f"{jonas.url}/rooms/hostile-files/files/{file['id']}"
        page = jonas.context.new_page()
        requests: list[str] = []
        page.on("request", lambda request, requests=requests: requests.append(request.url))
        if file["type"] == "image/png":
            page.goto(address)
            assert page.evaluate("document.contentType") == "image/png"
        else:
            with page.expect_download() as download, pytest.raises(Error, match="Download is starting"):
                page.goto(address)
            assert download.value.path().read_bytes().decode() == HOSTILE[file["name"]][1]
        assert [url for url in requests if url.endswith("/ran")] == []
        page.close()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("phone", "dark")])
def test_axe_finds_no_serious_fault_and_a_phone_does_not_scroll_sideways(meet: Meet, size: str, scheme: str) -> None:
    mara = meet("Mara Lindqvist", color_scheme=scheme, **(PHONE if size == "phone" else {}))
    room = f"axe-files-{scheme}-{size}"
    mara.make(room)
    long = {**PLAN, "name": f"{'A very long name of a file ' * 7}.pdf"}
    tab = mara.open(room)
    choose(tab, PICTURE, long)  # type: ignore[arg-type]
    expect(chips(tab, "whole")).to_have_count(2)
    tab.say("Look")
    tab.expect_said("Look")
    choose(tab, PICTURE, long, {"name": "nothing", "mimeType": "", "buffer": b""})  # type: ignore[arg-type]
    expect(chips(tab, "whole")).to_have_count(2)
    expect(chips(tab, "refused")).to_contain_text("The file is empty.")
    check(tab, "files")
    assert overflow(tab.page) == []
    if size == "phone":
        assert small_targets(tab.page) == []
