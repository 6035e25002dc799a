"""The pages in headless Chromium: looked at with a keyboard, a screen reader's eyes, and a small screen."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from interlock.records import Reason, State
from interlock.writing import Recorded
from tests.reports.browser.conftest import Site
from tests.reports.seed import NOW, heartbeat, outcome

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.browser
AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
PAGES = ("/", "/integrations/payouts", "/integrations/messages", "/?q=none", "/nowhere")
# Refreshes at once instead of after ten seconds: the page's own timer is the only thing that is replaced.
HURRY = """
const real = window.setTimeout;
window.setTimeout = (call, wait, ...rest) => real(call, wait >= 1000 ? 50 : wait, ...rest);
"""


@pytest.fixture(autouse=True)
def quiet(chrome: Chrome) -> None:
    """Forget what earlier tests left in the logs."""
    chrome.get("about:blank")
    logged(chrome, "browser")
    logged(chrome, "performance")
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    size(chrome, 1280)


def size(chrome: Chrome, width: int, height: int = 900) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def scheme(chrome: Chrome, name: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": name}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def until(chrome: Chrome, told: Callable[[Chrome], Any]) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415 - only where browser tests run

    return WebDriverWait(chrome, 15, poll_frequency=0.05).until(told)


def logged(chrome: Chrome, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chrome.get_log(kind)  # type: ignore[no-untyped-call]
    return found


def complaints(chrome: Chrome) -> list[str]:
    """Errors and policy violations; that a page was asked for which does not exist is no complaint."""
    return [each["message"] for each in logged(chrome, "browser") if "404" not in each["message"]]


@pytest.mark.parametrize("path", PAGES)
def test_no_error_no_violation_and_no_request_to_anybody_else(chrome: Chrome, still: Site, path: str) -> None:
    chrome.get(still.url + path)
    assert complaints(chrome) == []
    asked = set()
    for entry in logged(chrome, "performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"])
    assert any(url.endswith(path) for url in asked)
    assert [url for url in asked if not url.startswith((still.url, "about:", "data:"))] == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_audit_finds_nothing(chrome: Chrome, still: Site, path: str, colours: str, width: int) -> None:
    size(chrome, width)
    scheme(chrome, colours)
    chrome.get(still.url + path)
    assert chrome.execute_script(AUDIT) == []


def test_the_audit_finds_nothing_when_the_scheduler_is_dead(chrome: Chrome, site: Site) -> None:
    site.now = NOW + dt.timedelta(minutes=14)
    for colours in ("light", "dark"):
        scheme(chrome, colours)
        chrome.get(site.url)
        assert chrome.execute_script(AUDIT) == []
        assert "What you see is old" in chrome.page_source


def test_the_audit_itself_sees_faults(chrome: Chrome, still: Site) -> None:
    chrome.get(still.url)
    chrome.execute_script(
        "document.querySelector('main').insertAdjacentHTML('beforeend',"
        "'<h4>x</h4><h5 id=main>y</h5><svg></svg><input><a href=x></a><table><tr><td>1</table>');"
        "document.querySelector('h1').classList.add('badge', 's-x');"
        "document.querySelector('.todo').style.color = 'transparent'"
    )
    faults = " ".join(chrome.execute_script(AUDIT))
    for fault in (
        "contrast 1.00",
        "a heading level",
        "no label",
        "no name",
        "drawing",
        "table",
        "main comes twice",
    ):
        assert fault in faults


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [360, 480, 768, 1024, 1241, 1600])
def test_nothing_is_cut_off_or_scrolls_sideways(chrome: Chrome, still: Site, path: str, width: int) -> None:
    size(chrome, width)
    chrome.get(still.url + path)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    outside = chrome.execute_script(
        "return [...document.querySelectorAll('main *')].filter(n => !n.closest('.scroll, svg, .unseen, thead, option')"
        " && n.getBoundingClientRect().right > innerWidth + 1).map(n => n.outerHTML.slice(0, 100))"
    )
    assert outside == []


def test_light_and_dark_differ_and_are_what_they_say(chrome: Chrome, still: Site) -> None:
    grounds = {}
    for colours in ("light", "dark"):
        scheme(chrome, colours)
        chrome.get(still.url)
        colour = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
        grounds[colours] = sum(map(int, colour[4:-1].split(",")))
    assert grounds["light"] > 600
    assert grounds["dark"] < 120


@pytest.mark.parametrize("path", ["/", "/integrations/messages"])
def test_everything_is_reached_by_keyboard_and_seen_when_reached(
    chrome: Chrome, still: Site, path: str
) -> None:
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    chrome.get(still.url + path)
    focusable = chrome.execute_script(
        "return [...document.querySelectorAll('a[href], button, input, select, summary, .scroll')]"
        ".filter(n => n.checkVisibility()).length"
    )
    reached = []
    for _ in range(focusable):
        chrome.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(
            chrome.execute_script(
                "const n = document.activeElement, s = getComputedStyle(n), b = n.getBoundingClientRect();"
                "const seen = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;"
                "return [n.outerHTML.slice(0, 90), seen, b.top >= 0]"
            )
        )
    assert "Skip to content" in reached[0][0]
    assert len({each[0] for each in reached}) >= focusable * 0.6
    assert [each for each in reached if not each[1]] == []
    assert [each for each in reached if not each[2]] == []
    assert chrome.execute_script("return document.activeElement !== document.body")


def test_the_skip_link_leads_to_the_content(chrome: Chrome, still: Site) -> None:
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    chrome.get(still.url)
    chrome.switch_to.active_element.send_keys(Keys.TAB)
    chrome.switch_to.active_element.send_keys(Keys.ENTER)
    assert chrome.execute_script("return document.activeElement.id") == "main"


def test_the_filter_works_as_a_plain_form(chrome: Chrome, still: Site) -> None:
    from selenium.webdriver.common.by import By  # noqa: PLC0415
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    chrome.get(still.url)
    chrome.find_element(By.ID, "q").send_keys("stripe", Keys.ENTER)
    until(chrome, lambda c: "q=stripe" in c.current_url)
    rows = chrome.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert [row.get_attribute("data-name") for row in rows] == ["payments"]
    assert complaints(chrome) == []


def test_a_refresh_shows_and_announces_a_change_and_leaves_the_focus_alone(
    chrome: Chrome, site: Site
) -> None:
    script = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HURRY})
    try:
        chrome.get(site.url)
        chrome.execute_script(
            "document.querySelector('#i-uploads a').focus(); document.querySelector('#q').value = 'half a wo';"
            "document.querySelector('#i-payments').dataset.mine = 'x'"
        )
        site.now = NOW + dt.timedelta(seconds=30)
        down = outcome(
            integration="uploads", state=State.AUTH_FAILED, reason=Reason.BAD_CREDENTIAL, started_at=site.now
        )
        site.store.write([Recorded(down), *heartbeat(site.now)])
        until(
            chrome,
            lambda c: (
                c.execute_script("return document.querySelector('#i-uploads').dataset.state")
                == "credential refused"
            ),
        )
        assert (
            chrome.execute_script("return document.querySelector('#announce').textContent")
            == "uploads is now credential refused"
        )
        assert chrome.execute_script(
            "return document.activeElement === document.querySelector('#i-uploads a')"
        )
        assert chrome.execute_script("return document.querySelector('#q').value") == "half a wo"
        assert "15:09:56 UTC" in chrome.execute_script("return document.querySelector('#asof').textContent")
        assert chrome.execute_script(AUDIT) == []
        assert complaints(chrome) == []
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_what_the_reader_opened_stays_open_and_pausing_holds_the_page(chrome: Chrome, site: Site) -> None:
    script = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HURRY})
    try:
        chrome.get(site.url + "/integrations/payouts")
        chrome.execute_script("document.querySelector('details').open = true")
        site.now = NOW + dt.timedelta(seconds=30)
        told = "return document.querySelector('#asof').textContent"
        until(chrome, lambda c: "15:09:56" in c.execute_script(told))
        assert chrome.execute_script("return document.querySelector('details').open")
        chrome.execute_script("document.querySelector('#pause').click()")
        assert chrome.execute_script("return document.querySelector('#pause').textContent") == "Resume"
        before = chrome.execute_script("return performance.getEntriesByType('resource').length")
        chrome.execute_async_script("setTimeout(arguments[0], 999)")
        later = chrome.execute_script("return performance.getEntriesByType('resource').length")
        assert later <= before + 1
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_the_page_works_without_script(chrome: Chrome, still: Site) -> None:
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chrome.get(still.url)
        assert "6 of 8 integrations need a look" in chrome.page_source
        assert 'id="pause" hidden' in chrome.page_source
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_on_paper_there_are_no_controls(chrome: Chrome, still: Site) -> None:
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    chrome.get(still.url)
    assert not chrome.execute_script("return document.querySelector('form.filter').checkVisibility()")
    assert chrome.execute_script("return document.querySelector('#i-payouts').checkVisibility()")
