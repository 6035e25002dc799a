"""The pages: what they say, and what does not come out of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from interlock import findings
from interlock.records import CredentialFacts, ProbeKind, Reason, Severity, State
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.store import Store
from interlock.writing import Recorded
from reports import pages
from tests.reports import seed
from tests.reports.conftest import Client
from tests.reports.seed import NOW, headroom, outcome

ClientWith = Callable[..., Client]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{7*7}} \u202e\u2028 ünï 🙂 javascript:alert(1)"
SECRETS = ('sk_live_51H"quoted&<secret>', "plain-secret-value-9")
VOID = {"meta", "link", "br", "img", "input", "rect", "path", "circle", "hr"}


class Reader(HTMLParser):
    """Collects tags and attributes, and holds the tree to be well formed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute comes twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def hostile_store(store: Store) -> tuple[Any, ...]:
    """One integration in which every field that others write is hostile and holds secrets."""
    text = f"{HOSTILE} {SECRETS[0]} {SECRETS[1]}"
    room = headroom(bucket=text[:110], credential_fingerprint="abc")
    for state, kind in ((State.FAILING, ProbeKind.REACHABILITY), (State.AUTH_FAILED, ProbeKind.CREDENTIAL)):
        seen = outcome(
            id=f"o-{kind}", probe=kind, state=state, reason=Reason.SERVER_ERROR, detail=text, provider=text[:70],
            region="r<b>", headrooms=(room,), phases={"dns": 0.01, text: 0.2}, certificate_expires_at=NOW,
            credential=CredentialFacts(expires_at=NOW, identity=text, scopes=(text,), issued_at=NOW),
            findings=(findings.make(text, Severity.ERROR, text, promised=text, seen=text, fix=text, source=text),),
        )  # fmt: skip
        store.write([Recorded(seen)])
    store.write(seed.heartbeat(NOW))
    listed = dataclasses.replace(
        seed.listing()[0],
        title=f"T {text}",
        owner=f"O {text}",
        documentation="javascript:alert(1)",
        provider=text,
    )
    return (listed,)


@pytest.mark.parametrize(
    "path", ["/", "/integrations/payments", "/?q=%3Cscript%3E%22'&state=x&owner=%3Cb%3E&page=-1"]
)
def test_nothing_hostile_and_nothing_secret_comes_out(
    store: Store, client_with: ClientWith, path: str
) -> None:
    listed = hostile_store(store)
    redactor = Redactor([Secret(value, name=f"env:S{n}") for n, value in enumerate(SECRETS)])
    answer = client_with(store=store, integrations=listed, redactor=redactor).get(path)
    assert answer.status_code == 200
    for secret in SECRETS:
        assert secret not in answer.text
        assert html.escape(secret) not in answer.text
        assert secret not in html.unescape(answer.text)
    assert "[redacted env:S1]" in answer.text or "q=" in path
    reader = Reader(answer.text)
    assert [(attrs.get("src") or "")[:12] for tag, attrs in reader.tags if tag == "script"] == [
        "/static/app."
    ]
    assert not [tag for tag, _ in reader.tags if tag in {"img", "iframe", "style", "object"}]
    for tag, attrs in reader.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        assert not (attrs.get("href") or "").startswith("javascript:")
    assert "{{7*7}}" in answer.text


def test_the_api_and_the_metrics_tell_no_secret_either(store: Store, client_with: ClientWith) -> None:
    listed = hostile_store(store)
    redactor = Redactor([Secret(value, name="env:S") for value in SECRETS])
    client = client_with(store=store, integrations=listed, redactor=redactor)
    for path in ("integrations", "integrations/payments", "integrations/payments/outcomes",
                 "integrations/payments/transitions", "integrations/payments/headrooms"):  # fmt: skip
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200
        assert not [s for s in SECRETS if s in answer.text or s in str(answer.json())]
    metrics = client.get("/metrics").text
    assert not [s for s in SECRETS if s in metrics]


def test_a_page_tells_what_was_found_and_when_the_credential_ends(client: Client) -> None:
    said = text_of(client.get("/integrations/mail").text)
    assert "Credential of acme-mailer" in said
    assert "Credential since 2025-11-14, 120 d ago" in said
    assert "Credential ends 2026-03-19, in 5 d" in said
    assert "It may mail.send, stats.read" in said
    assert "Error The credential ends in 5 days, on 2026-03-19. Issue a new one" in said
    assert "Warning Sunset: it ends on 2026-06-30." in said
    assert "Credential ends" not in text_of(client.get("/integrations/payments").text)


def test_the_list_says_state_why_and_what_to_do(client: Client) -> None:
    answer = client.get("/")
    said = text_of(answer.text)
    Reader(answer.text)
    assert "6 of 8 integrations need a look" in said
    assert "PayPal answers with an error of its own, 9 times in a row: 503 Service Unavailable" in said
    assert "Us: see whether the credential was revoked" in said
    assert "try again in 1 min 23 s (15:10:49 UTC)" in said
    assert "95.83 %" in said
    order = re.findall(r'data-name="([a-z]+)"', answer.text)
    assert order == ["payouts", "code", "blobs", "mail", "messages", "files", "payments", "uploads"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=down", ["payouts"]),
        ("owner=team-growth", ["mail", "messages"]),
        ("q=STRIPE", ["payments"]),
        ("q=blob&state=degraded&owner=team-media", ["blobs"]),
        ("q=nothing-like-it", []),
        (
            "state=&owner=&q=",
            ["payouts", "code", "blobs", "mail", "messages", "files", "payments", "uploads"],
        ),
    ],
)
def test_the_list_is_filtered_by_a_plain_form(client: Client, query: str, names: list[str]) -> None:
    page = client.get(f"/?{query}").text
    assert re.findall(r'data-name="([a-z]+)"', page) == names
    assert ("None of the 8 integrations fits" in text_of(page)) == (not names)


def test_long_lists_come_in_pages(client_with: ClientWith, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ROWS", 3)
    client = client_with()
    assert re.findall(r'data-name="([a-z]+)"', client.get("/?page=2").text) == ["mail", "messages", "files"]
    last = client.get("/?page=99&state=").text
    assert "Page 3 of 3, 8 integrations" in text_of(last)
    assert 'rel="prev"' in last
    assert 'rel="next"' not in last


def test_the_page_of_an_integration_shows_everything_about_it(client: Client) -> None:
    said = text_of(client.get("/integrations/messages").text)
    for words in ("Throttled", "Asked to wait until 2026-03-14 15:10:49 UTC", "First byte", "Certificate expires",
                  "2026-05-14, in 61 d", "Rate limits", "0 % left", "1 000 messages in 1 d", "Changes of state",
                  "Latest outcomes", "429 with Retry-After: 95", "Up, last 30 days", "Older"):  # fmt: skip
        assert words in said, words


def test_older_outcomes_are_a_link_away(client: Client) -> None:
    first = client.get("/integrations/payouts").text
    older = re.search(r'href="(/integrations/payouts\?before=[0-9-]+)#outcomes"', first)
    assert older
    assert "Older outcomes" in client.get(older[1]).text
    assert client.get("/integrations/payouts?before=nonsense").status_code == 200


def test_empty_states_say_what_comes_next(store: Store, client_with: ClientWith) -> None:
    nothing = text_of(client_with(store=store, integrations=()).get("/").text)
    assert "No integrations yet" in nothing
    assert "interlock init" in nothing
    waiting = client_with(store=store)
    said = text_of(waiting.get("/").text)
    assert "Waiting for first answers" in said
    assert "First answers come within 1 min." in said
    assert "Nothing is being probed yet." in said
    alone = text_of(waiting.get("/integrations/code").text)
    assert "The first answer comes within 6 h." in alone
    assert "100 %" not in said + alone


def test_a_dead_scheduler_is_said_loudly(client: Client, client_with: ClientWith) -> None:
    late = client_with(clock=lambda: NOW + dt.timedelta(minutes=14))
    for path in ("/", "/integrations/code"):
        assert "What you see is old" not in client.get(path).text
        assert "What you see is old. The scheduler gave its last sign of life 14 min ago" in text_of(
            late.get(path).text
        )
        assert "overdue" in late.get(path).text


def test_what_does_not_exist_is_a_page_too(client: Client) -> None:
    for path in (
        "/nowhere",
        "/integrations/nobody",
        "/static/../pages.py",
        "/static/nothing.js",
        "/integrations/a/b",
    ):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "There is no such page" in answer.text


def test_static_files_are_named_by_their_content(client: Client) -> None:
    page = client.get("/").text
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(links) == 3
    types = {client.get(link).headers["content-type"].partition(";")[0] for link in links}
    assert types == {"text/css", "text/javascript", "image/svg+xml"}
    assert all(re.search(r"\?v=[0-9a-f]{12}$", link) for link in links)


def test_no_template_has_inline_style_or_script() -> None:
    for path in (pages.FOLDER / "templates").iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text), path.name
        assert not re.search(r"<script(?! src=)", text), path.name
