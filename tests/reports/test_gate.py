"""Who may read what, and what goes with every answer."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.secrets import Secret
from interlock.store import Store
from reports.face import Auth
from reports.gate import admitted, host_allowed
from tests.reports import seed
from tests.reports.conftest import Client

TOKEN = Auth(token=Secret("a-long-token", name="env:T"))
PASSWORD = Auth(username="ops", password=Secret("pässword:with colon", name="env:P"))
PLACES = (
    "/",
    "/integrations/payments",
    "/metrics",
    "/api/v1/integrations",
    "/static/app.css",
    "/nowhere",
    "/healthz",
)


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize("path", PLACES)
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'"
    )
    assert policy.endswith("base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    expected = "private, max-age=31536000, immutable" if path.startswith("/static") else "no-store"
    assert headers["cache-control"] == expected


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", PLACES)
def test_it_is_only_read(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", PLACES)
def test_head_answers_as_get_does_without_a_body(client: Client, path: str) -> None:
    head, get = client.request("HEAD", path), client.get(path)
    assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
    assert head.content == b""


@pytest.mark.parametrize("path", [p for p in PLACES if p != "/healthz"])
@pytest.mark.parametrize("auth", [TOKEN, PASSWORD])
def test_nothing_but_the_sign_of_life_is_told_to_strangers(
    client_with: Callable[..., Client], auth: Auth, path: str
) -> None:
    client = client_with(auth=auth)
    for header in (
        None,
        "Bearer wrong",
        basic("ops", "wrong"),
        basic("", ""),
        "Bearer",
        "Basic !!",
        "Digest x",
    ):
        answer = client.get(path, {"authorization": header} if header else None)
        assert answer.status_code == 401
        assert "Basic realm" in answer.headers["www-authenticate"]
        assert "payments" not in answer.text
    assert client.get("/healthz").status_code == 200


def test_an_integration_called_healthz_is_guarded_too(client_with: Callable[..., Client]) -> None:
    client = client_with(auth=TOKEN)
    for path in ("/integrations/healthz", "/api/v1/integrations/healthz", "//healthz", "/healthz/"):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("auth", "header", "fits"),
    [
        (TOKEN, "Bearer a-long-token", True),
        (TOKEN, "bearer  a-long-token", True),
        (TOKEN, basic("anybody", "a-long-token"), True),
        (TOKEN, "Bearer a-long-toke", False),
        (PASSWORD, basic("ops", "pässword:with colon"), True),
        (PASSWORD, basic("Ops", "pässword:with colon"), False),
        (PASSWORD, "Bearer pässword:with colon", False),
        (PASSWORD, None, False),
        (Auth(), None, True),
    ],
)
def test_who_is_admitted(auth: Auth, header: str | None, fits: bool) -> None:
    assert admitted(auth, header) is fits


@given(st.text())
def test_no_header_breaks_the_sign_in(header: str) -> None:
    assert admitted(TOKEN, header) in {True, False}
    assert not admitted(PASSWORD, header)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True), ("LOCALHOST:9464", True), ("127.0.0.1:9464", True), ("[::1]:9464", True),
        ("10.1.2.3", True), ("health.example.org", True), ("health.example.org.:443", True),
        ("a.internal.example", True), ("internal.example", False), ("evil.example", False),
        ("127.0.0.1.evil.example", False), ("", False), ("localhost:x", False), ("health.example.org.evil", False),
    ],
)  # fmt: skip
def test_which_hosts_are_allowed(host: str, allowed: bool) -> None:
    assert host_allowed(host, ("health.example.org", "*.internal.example")) is allowed
    assert host_allowed("evil.example", ("*",))


@given(st.text())
def test_no_host_breaks_the_check(host: str) -> None:
    assert host_allowed(host, ()) in {True, False}


def test_a_rebound_name_is_turned_away(client: Client) -> None:
    for path in ("/", "/metrics", "/api/v1/integrations"):
        answer = client.get(path, {"host": "evil.example"})
        assert answer.status_code == 421
        assert "payments" not in answer.text
    assert client.get("/healthz", {"host": "evil.example"}).status_code == 200


def test_a_store_that_cannot_be_read_is_said_and_not_shown(
    store: Store, client_with: Callable[..., Client]
) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE statuses")
        connection.exec_driver_sql("DROP TABLE gauges")
    client = client_with(store=store, integrations=seed.listing())
    for path in ("/", "/metrics", "/api/v1/integrations"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "statuses" not in answer.text
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    health = client.get("/healthz")
    assert (health.status_code, health.json()["store"]) == (503, False)


def test_the_sign_of_life_needs_a_living_scheduler(store: Store, client_with: Callable[..., Client]) -> None:
    client = client_with(store=store)
    assert client.get("/healthz").status_code == 503
    store.write(seed.heartbeat(seed.NOW))
    assert client.get("/healthz").json() == {
        "schema": "interlock.health/1", "store": True, "scheduler": True, "last_seen": "2026-03-14T15:09:23Z",
    }  # fmt: skip
