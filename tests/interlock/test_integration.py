"""Settings joined with the catalogue: addresses, the way of signing in, what is missing, the way out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from interlock.catalogue import load, names
from interlock.errors import UsageError
from interlock.integration import Integration, public_face, resolve, resolve_all
from interlock.records import ProbeKind
from interlock.settings import IntegrationSettings, Network, Settings


def _resolved(suite: Mapping[str, Any] | None = None, **raw: Any) -> Integration:
    settings = IntegrationSettings.model_validate(raw)
    return resolve("x", settings, network=Network.model_validate(suite or {}), folder=Path("/nowhere"))


def test_addresses_follow_the_environment() -> None:
    live, sandbox = _resolved(provider="paypal"), _resolved(provider="paypal", environment="sandbox")
    assert live.bases["api"] == "https://api-m.paypal.com"
    assert sandbox.bases["api"] == "https://api-m.sandbox.paypal.com"


def test_addresses_follow_the_region() -> None:
    assert _resolved(provider="sendgrid").bases["api"] == "https://api.sendgrid.com"
    assert _resolved(provider="sendgrid", provider_region="eu").bases["api"] == "https://api.eu.sendgrid.com"


def test_an_address_without_a_region_serves_every_region() -> None:
    """What a provider has once stays reachable when a region is chosen for the rest."""
    one = _resolved(provider="stripe", provider_region="eu")
    assert one.bases["api"] == "https://api.stripe.com"


def test_addresses_are_filled_with_parameters() -> None:
    """An address whose parameter is not set is left out; nothing is asked at a half-made one."""
    assert _resolved(provider="azure_blob").bases == {}
    filled = _resolved(provider="azure_blob", parameters={"account": "acme"})
    assert filled.bases == {"api": "https://acme.blob.core.windows.net"}


def test_own_addresses_replace_the_provider_s() -> None:
    one = _resolved(
        provider="paypal", base_url="http://127.0.0.1:9/x/", base_urls={"other": "https://o.example"}
    )
    assert one.bases == {"api": "http://127.0.0.1:9/x", "other": "https://o.example"}


def test_the_first_complete_way_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SID", "AC" + "0" * 32)
    monkeypatch.setenv("TOKEN", "tuna-fish")
    credentials = {"account_sid": "env:SID", "auth_token": "env:TOKEN"}
    one = _resolved(provider="twilio", credentials=credentials)
    assert one.way is not None
    assert one.missing is None
    assert one.auth is load("twilio").auth[one.way]
    assert one.parameters["account_sid"] == "AC" + "0" * 32, "a public credential fills places"
    assert "auth_token" not in one.parameters
    assert "tuna-fish" not in repr(one)


def test_what_is_missing_is_said_in_words() -> None:
    """A reference that cannot be resolved does not raise: the probe says it."""
    assert _resolved(provider="stripe").missing == "no credential is set; set credentials.secret_key"
    one = _resolved(provider="stripe", credentials={"secret_key": "env:NOT_SET_ANYWHERE"})
    assert one.missing == "env:NOT_SET_ANYWHERE: the environment variable is not set"
    assert (one.way, one.secrets) == (None, {})


@pytest.mark.parametrize("name", names())
def test_a_credential_that_cannot_be_read_leaves_no_question_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be asked is unknown; a question that is left out would count as well."""
    for way in load(name).auth.values():
        credentials = {each: f"env:MADE_UP_{each.upper()}" for each in way.credentials}
        asked = []
        for value in ("made-up", None):
            for reference in credentials.values():
                monkeypatch.delenv(reference.removeprefix("env:"), raising=False)
                if value:
                    monkeypatch.setenv(reference.removeprefix("env:"), value)
            one = _resolved(provider=name, credentials=credentials)
            asked.append({kind for kind in ProbeKind if one.ask(kind)})
        assert asked[0] == asked[1]


def test_the_way_out_is_the_integration_s_or_the_suite_s() -> None:
    suite = {
        "proxy": "http://suite.example:1",
        "proxy_username": "s",
        "proxy_password": "env:S",
        "ca_file": "ca",
    }
    assert _resolved(suite, provider="stripe").network.proxy_username == "s"
    own = _resolved(suite, provider="stripe", proxy="http://own.example:2").network
    assert (own.proxy, own.ca_file) == ("http://own.example:2", Path("ca"))
    assert (own.proxy_username, own.proxy_password) == (None, None), "the suite's password is not for it"


def test_the_generic_provider_is_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "tuna-fish")
    one = _resolved(
        provider="generic",
        base_url="https://api.example.com",
        credentials={"token": "env:TOKEN"},
        service={
            "title": "Acme",
            "auth": "bearer",
            "health": {"path": "/health", "status": [204]},
            "identity": {"path": "/me", "refused": [403]},
        },
    )
    assert (one.provider.title, one.way) == ("Acme", "own")
    reach, credential = one.provider.ask(ProbeKind.REACHABILITY), one.provider.ask(ProbeKind.CREDENTIAL)
    assert reach is not None
    assert credential is not None
    assert one.url(reach) == "https://api.example.com/health"
    assert reach.expect.status == (204,)
    assert not reach.credentialed
    assert one.url(credential) == "https://api.example.com/me"
    assert credential.credentialed


def test_a_url_without_its_parameters_is_none() -> None:
    twilio = _resolved(provider="twilio")
    ask = load("twilio").ask(ProbeKind.CREDENTIAL)
    assert ask is not None
    assert twilio.url(ask) is None


def test_maintenance_is_a_half_open_window() -> None:
    start = dt.datetime(2026, 1, 31, 2, tzinfo=dt.UTC)
    end = start + dt.timedelta(hours=2)
    one = _resolved(provider="stripe", maintenance=[{"start": start, "end": end}])
    assert [one.in_maintenance(at) for at in (start, end, start - dt.timedelta(seconds=1))] == [
        True,
        False,
        False,
    ]


def test_only_the_named_integrations() -> None:
    settings = Settings.model_validate({"integrations": {n: {"provider": "stripe"} for n in ("a", "b")}})
    assert [one.name for one in resolve_all(settings)] == ["a", "b"]
    assert [one.name for one in resolve_all(settings, ("b",))] == ["b"]
    with pytest.raises(UsageError, match="no integration is called 'c'") as caught:
        resolve_all(settings, ("c",))
    assert caught.value.hint == "the settings have: a, b"


def test_the_public_face_has_no_secrets() -> None:
    face = public_face(load("stripe"))
    assert (face.secrets, face.way) == ({}, None)
    assert face.bases["api"] == "https://api.stripe.com"
