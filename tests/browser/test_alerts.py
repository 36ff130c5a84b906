"""Alerts in the browser: a rule is made with a preview, people are told, and charts show what fired."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, Person, meeting
from tests.browser.tab import Tab
from tests.browser.test_dashboards import until_drawn
from tests.browser.test_layout import AXE, check, overflow
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def publish(person: Person, topic: str, **data: Any) -> None:
    done = person.request.post(f"{person.url}/topics/{topic}/events", data=json.dumps(data))
    assert done.ok, done.text()


def made(person: Person, topic: str, **members: Any) -> str:
    """Make a rule for loads above 90, and return its id."""
    rule = {"topic": topic, "field": "load", "above": 90, "title": f"Load of {topic}"} | members
    done = person.request.post(f"{person.url}/alerts/rules", data=rule)
    assert done.ok, done.text()
    return str(done.json()["id"])


class AlertsTab(Tab):
    """A tab that shows alerts."""

    @property
    def state(self) -> Locator:
        """The state of the open rule."""
        return self.page.locator(".page-header .chip")

    def section(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def more(self, label: str) -> None:
        """Choose from the menu of the open rule."""
        self.page.locator(".page-header").get_by_role("button", name="More", exact=True).click()
        self.page.get_by_role("menuitem", name=label).click()


def opened(person: Person, open_tab: OpenTab, path: str) -> AlertsTab:
    return AlertsTab(open_tab(path, url=person.url, context=person.context).page)


def test_a_rule_is_made_with_a_preview_and_tells_in_the_page(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Rules")
    for load in (12, 97, 20):
        publish(mara, "rules.one", load=load)
    tab = opened(mara, open_tab, "/")
    tab.page.get_by_role("link", name="Alerts").click()
    tab.button("New rule").click()
    form = tab.page.get_by_role("form", name="Rule")
    form.get_by_label("Title").fill("CPU of one")
    form.get_by_label("Topic").fill("rules.one")
    form.get_by_label("Field of the number").fill("load")
    form.get_by_label("Limit", exact=True).fill("90")
    preview = tab.section("Preview")
    expect(preview).to_contain_text("In the last 24 hours it would have fired once.")
    expect(preview.locator("canvas")).to_be_visible()
    form.get_by_label("Limit", exact=True).fill("99")
    expect(preview).to_contain_text("it would have fired not at all")
    # The server's refusal names the field.
    form.get_by_label("Over when back at").fill("120")
    expect(preview).to_contain_text("clear")
    form.get_by_label("Over when back at").fill("50")
    form.get_by_label("Limit", exact=True).fill("90")
    expect(preview).to_contain_text("would have fired once")
    tab.button("Make the rule").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("CPU of one")
    expect(tab.state).to_have_text("Normal")

    publish(mara, "rules.one", load=98)
    expect(tab.state).to_have_text("Firing")
    expect(tab.section("Now")).to_contain_text("value 98")
    expect(tab.section("History")).to_contain_text("normal to firing")
    expect(tab.page.get_by_role("img", name=re.compile("Firing: CPU of one"))).to_be_visible()
    publish(mara, "rules.one", load=70)
    publish(mara, "rules.one", load=40)
    expect(tab.state).to_have_text("Normal")
    expect(tab.section("History")).to_contain_text("Told: over")


def test_a_notification_leads_to_the_rule(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Told")
    id = made(mara, "told.one")
    tab = opened(mara, open_tab, "/a")
    row = tab.page.get_by_role("link", name=re.compile("Load of told.one"))
    expect(row.locator(".chip")).to_have_text("Normal")
    publish(mara, "told.one", load=95)
    expect(row.locator(".chip")).to_have_text("Firing")
    toast = tab.page.locator(".toast", has_text="Load of told.one is firing")
    toast.get_by_role("button", name="Open").click()
    expect(tab.state).to_have_text("Firing")
    assert tab.path == f"/a/{id}"


def test_a_firing_rule_is_acknowledged_silenced_changed_and_deleted(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Acts")
    id = made(mara, "acts.one", by="host")
    publish(mara, "acts.one", load=95, host="web-1")
    tab = opened(mara, open_tab, f"/a/{id}")
    now = tab.section("Now")
    expect(now).to_contain_text("web-1")
    now.get_by_role("button", name="Acknowledge").click()
    tab.page.get_by_role("dialog").get_by_label("Note").fill("Looking at it")
    tab.page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(now).to_contain_text("acknowledged by Mara Acts: Looking at it")
    expect(now.get_by_role("button", name="Acknowledge")).to_have_count(0)

    tab.more("Silence")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Deploy")
    dialog.get_by_role("button", name="Silence", exact=True).click()
    expect(now).to_contain_text("silent until")

    tab.more("Change")
    form = tab.page.get_by_role("form", name="Rule")
    expect(form.get_by_label("Limit", exact=True)).to_have_value("90")
    form.get_by_label("Limit", exact=True).fill("200")
    form.get_by_role("button", name="Save").click()
    expect(tab.state).to_have_text("Normal")
    expect(tab.section("History")).to_contain_text("rule changed")
    tab.more("Pause")
    expect(tab.state).to_have_text("Paused")
    tab.more("Resume")
    expect(tab.state).to_have_text("Normal")

    tab.page.get_by_role("link", name="Alerts").click()
    silences = tab.section("Silences")
    expect(silences).to_contain_text("Load of acts.one")
    expect(silences).to_contain_text("by Mara Acts \N{MIDDLE DOT} Deploy")
    silences.get_by_role("listitem").filter(has_text="Deploy").get_by_role("button", name="End").click()
    expect(silences).not_to_contain_text("Deploy")
    tab.page.get_by_role("link", name=re.compile("Load of acts.one")).click()
    tab.more("Delete")
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Alerts")
    expect(tab.page.get_by_role("link", name=re.compile("Load of acts.one"))).to_have_count(0)


RED = """() => {
    const canvas = document.querySelector(".chart canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let n = 0; n < data.length; n += 4)
        if (data[n + 3] > 200 && data[n] > 180 && data[n + 1] < 120 && data[n + 2] < 120) found += 1;
    return found;
}"""
"""The number of red pixels of a chart."""


def test_a_firing_is_drawn_on_the_chart_of_a_dashboard(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Charts Alerts")
    publish(mara, "drawn.one", load=12)
    id = made(mara, "drawn.one")
    card = {"id": "load", "kind": "line", "title": "Load"}
    series = [{"topic": "drawn.one", "field": "load", "agg": "last"}]
    board = {"version": 1, "title": "Drawn", "cards": [card | {"series": series}]}
    assert mara.request.put(f"{mara.url}/dashboards/drawn?expected=new", data=board).ok
    tab = opened(mara, open_tab, "/d/drawn")
    chart = tab.page.get_by_role("region", name="Load", exact=True).and_(tab.page.locator(".tile"))
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator(".chip.red")).to_have_count(0)
    assert tab.page.evaluate(RED) == 0
    publish(mara, "drawn.one", load=95)
    expect(chart.locator(".chip.red")).to_have_text("Firing")
    until_drawn(tab, RED, 1)
    publish(mara, "drawn.one", load=20)
    expect(chart.locator(".chip.red")).to_have_count(0)
    expect(chart.get_by_role("img", name=re.compile("Fired and over: 1"))).to_be_visible()
    tab.page.reload()
    expect(chart.get_by_role("img", name=re.compile("Fired and over: 1"))).to_be_visible()
    publish(mara, "drawn.one", load=99)
    chart.get_by_role("link", name="Firing").click()
    assert tab.path == f"/a/{id}"


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_alerts(meet: Meet, open_tab: OpenTab, scheme: str) -> None:
    mara = meet(f"Mara Alerts {scheme}", color_scheme=scheme)
    id = made(mara, f"seen.{scheme}", by="host")
    publish(mara, f"seen.{scheme}", load=95, host="web-1")
    tab = opened(mara, open_tab, f"/a/{id}")
    expect(tab.state).to_have_text("Firing")
    check(tab, "rule")
    tab.more("Change")
    tab.page.get_by_text("More", exact=True).click()
    expect(tab.section("Preview").locator("canvas")).to_be_visible()
    check(tab, "form")
    tab.page.get_by_role("link", name="Alerts").click()
    expect(tab.page.get_by_role("link", name=re.compile(f"Load of seen.{scheme}"))).to_be_visible()
    check(tab, "list")


def test_alerts_fit_on_a_phone(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Phone", viewport={"width": 390, "height": 844})
    id = made(mara, "phone.one", title="A very long title of a rule that has to be broken " * 3)
    publish(mara, "phone.one", load=95)
    tab = opened(mara, open_tab, f"/a/{id}")
    expect(tab.section("Now")).to_contain_text("value 95")
    assert overflow(tab.page) == []
    for path in ("/a", "/a/new"):
        tab.page.goto(f"{mara.url}{path}")
        expect(tab.page.get_by_role("region", name=re.compile("Alerts|New rule"), exact=True)).to_be_visible()
        assert overflow(tab.page) == []
