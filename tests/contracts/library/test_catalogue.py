"""Every call and every answer that the catalogue names of a provider is in its contract, and as that promises."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from contracts.choosing import ByHost
from contracts.shelf import Shelf
from contracts.verify import verify
from contracts.view import Bench
from interlock import catalogue
from interlock.catalogue import Ask, AuthWay, Example, Provider
from interlock.records import Interaction, Message, Source
from tests.contracts.verify.made import bench

NAMES = catalogue.names()
API = "api"
# No credential is sent here, no example stands for a version, and some probes send what must be refused.
OFF = ("credential-missing", "credential-in-query", "version-mismatch", "request-body", "request-body-syntax")
TOKENS = {"oauth2.googleapis.com": "google_oauth"}  # where Google's other services have a client sign in
GRANTS = {
    "oauth_client_credentials": "client_credentials",
    "oauth_refresh_token": "refresh_token",
    "google_service_account": "urn:ietf:params:oauth:grant-type:jwt-bearer",
}
SIGNING_IN = dict.fromkeys(
    ("client_id", "client_secret", "refresh_token", "assertion", "audience"), "made-up"
)


CUSTOMERS = ("auth0", "salesforce")  # their hosts are the customers' own
# The providers of which the catalogue names a way to get a token.
SIGNED_IN = ("auth0", "fcm", "gcs", "google_analytics", "google_oauth", "paypal", "salesforce")


@pytest.mark.parametrize("name", NAMES)
def test_every_probe_is_an_operation_and_its_answers_are_as_promised(name: str) -> None:
    calls = list(_probes(catalogue.load(name)))
    assert calls
    for call in calls:
        _promised(name, call)


@pytest.mark.parametrize("name", SIGNED_IN)
def test_every_sign_in_is_an_operation_and_its_answers_are_as_promised(name: str) -> None:
    calls = list(_sign_ins(catalogue.load(name)))
    assert calls
    for call in calls:
        _promised(name, call)


@pytest.mark.parametrize("name", [each for each in NAMES if each not in CUSTOMERS])
def test_every_server_of_a_contract_leads_to_it(name: str) -> None:
    hosts = set(filter(None, map(_host, _servers(name))))
    assert hosts
    for host in hosts:
        call = _interaction("GET", f"https://{host}/", (), b"", Example(status=200))
        assert name in [each.contract.name for each in _by_host()(call)], host


@functools.cache
def _by_host() -> ByHost:
    return ByHost(Shelf(Path("nowhere")), _bench("stripe").book)


def _promised(name: str, call: Interaction) -> None:
    host = urlsplit(call.url).hostname or ""
    known = _bench(TOKENS.get(host, name))
    hosts = known.contract.hosts
    assert not hosts or any(re.fullmatch(each, host) for each in hosts), host
    found = verify(call, known)
    assert found.operation is not None, call.url
    assert found.findings == (), (call.url, call.status)


@functools.cache
def _bench(name: str) -> Bench:
    return bench(Shelf(Path("nowhere")).load(name), *(f"{rule}=off" for rule in OFF), complete=True)


def _probes(provider: Provider) -> Iterator[Interaction]:
    """Each probe at each of its addresses, with each answer that the catalogue has for it."""
    values = _values(provider)
    for ask in provider.probes:
        values |= dict.fromkeys(ask.places - values.keys(), "made-up")
        for base in (each for each in provider.bases if each.name == ask.base):
            url = (base.url + ask.path).format_map(values)
            for told in _answers(provider, ask):
                headers, body = ask.headers_with(values), ask.body_with(values)
                yield _interaction(ask.method, url, headers, body, _filled(told, values))


def _signs_in(provider: Provider) -> Iterator[AuthWay]:
    return (each for each in provider.auth.values() if each.scheme in GRANTS and each.token_path)


def _sign_ins(provider: Provider) -> Iterator[Interaction]:
    """Each way to get a token, with the token and the refusal."""
    values = _values(provider)
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    for way in _signs_in(provider):
        base = next(each for each in provider.bases if each.name == way.token_base)
        url = f"{base.url}{way.token_path}".format_map(values)
        body = urlencode({"grant_type": GRANTS[way.scheme], **SIGNING_IN}).encode()
        for told in _answers(provider, way):
            issued = {"access_token": "made-up", **(told.body or {})}  # the catalogue leaves the secret out
            whole = told.model_copy(update={"body": issued}) if told.status == 200 else told
            yield _interaction("POST", url, form, body, _filled(whole, values))


def _answers(provider: Provider, one: Ask | AuthWay) -> Iterator[Example]:
    yield from (each for each in (one.example, one.refusal) if each is not None)
    if isinstance(one, Ask) and one.base == API and provider.rate_limits.example is not None:
        yield provider.rate_limits.example


def _values(provider: Provider) -> dict[str, str]:
    """Something for every place."""
    found = {name: each.example for name, each in provider.credentials.items()}
    return found | {name: each.default or each.example for name, each in provider.parameters.items()}


def _filled(told: Example, values: Mapping[str, str]) -> Example:
    text = json.dumps(told.body)
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return told.model_copy(update={"body": json.loads(text)})


def _servers(name: str) -> Iterator[str]:
    document = _bench(name).contract.document
    for item in document["paths"].values():
        for node in (document, item, *(each for each in item.values() if isinstance(each, dict))):
            for server in node.get("servers", []):
                known = {key: each["default"] for key, each in server.get("variables", {}).items()}
                yield server["url"].format_map(known)


def _host(url: str) -> str | None:
    return urlsplit(url).hostname


def _interaction(
    method: str, url: str, headers: tuple[tuple[str, str], ...], body: bytes, told: Example
) -> Interaction:
    fields = {} if told.body is None else {"content-type": "application/json"}
    fields |= {name.lower(): value for name, value in told.headers.items()}
    text = told.text or ("" if told.body is None else json.dumps(told.body))
    return Interaction(
        source=Source(file="catalogue", format="made", index=0, line=1),
        method=method,
        url=url,
        request=Message(headers=headers, body=body, body_state="full"),
        status=told.status,
        response=Message(headers=tuple(fields.items()), body=text.encode(), body_state="full"),
        error=None,
        http_version=None,
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
    )
