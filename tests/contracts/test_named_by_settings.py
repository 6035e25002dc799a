"""A contract that the settings name for an integration holds wherever that integration is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.choosing import origin_of
from contracts.drift.command import Asked, contract_of
from contracts.running import Options, chooser, rulebook
from contracts.shelf import Shelf
from contracts.verify import verify_all
from interlock import settings as settings_module
from interlock.cli import main
from interlock.errors import UsageError
from interlock.integration import resolve_all
from interlock.records import ProbeKind, State
from interlock.settings import Settings
from probes.probe import Tools
from tests.contracts.verify.made import NOW, interaction
from tests.loopback import says, server
from tests.probes.test_http_probes import ask

HOST = "https://billing.example.com"
CREDENTIAL = {"generic": "token", "stripe": "secret_key", "square": "access_token"}


def document(kind: str = "string", **more: Any) -> str:
    """A contract of one operation, GET /me, whose answer has an id."""
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": kind}}}
    answers = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    made = {
        "openapi": "3.1.0",
        "info": {"title": "Billing", "version": "7"},
        "paths": {"/me": {"get": {"responses": answers}}},
    }
    return json.dumps(made | more)


def project(
    folder: Path, base: str = HOST, *, provider: str = "generic", environment: str = "stand_in", **more: Any
) -> Settings:
    """Settings with one integration, `billing`, that has a contract of its own."""
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "billing.json").write_text(document(**more))
    service = 'service = { health = { path = "/health" }, identity = { path = "/me" }, auth = "bearer" }\n'
    (folder / "interlock.toml").write_text(
        f'[integrations.billing]\nprovider = "{provider}"\nbase_url = "{base}"\nenvironment = "{environment}"\n'
        f'contract = "docs/billing.json"\n{service if provider == "generic" else ""}'
        f'credentials.{CREDENTIAL[provider]} = "env:BILLING_TOKEN"\n'
    )
    return settings_module.load(folder / "interlock.toml")


def judged(settings: Settings, url: str, provider: str | None = None) -> list[tuple[str | None, list[str]]]:
    """The contract, and the rules that found something, of an answer whose id is a number."""
    root, own = str(settings.folder), Shelf.of(settings).own
    options = Options(paths=(), root=root, now=NOW.isoformat(), provider=provider, own=own)
    travelled = Options.from_json(json.loads(json.dumps(options.to_json())))
    assert travelled == options
    found = verify_all([interaction("GET", url, got={"id": 7})], chooser(travelled, rulebook(travelled)))
    return [
        (each.contract.name if each.contract else None, [one.rule for one in each.findings]) for each in found
    ]


def test_verify_knows_it_by_the_address_of_the_settings_and_by_its_name(tmp_path: Path) -> None:
    settings = project(tmp_path)
    assert judged(settings, f"{HOST}/me") == [("billing", ["response-body"])]
    assert judged(settings, "https://other.example.com/me") == [(None, [])]
    assert judged(settings, "https://other.example.com/me", provider="billing") == [
        ("billing", ["response-body"])
    ]


def test_without_an_address_its_own_servers_say_the_host(tmp_path: Path) -> None:
    project(tmp_path, servers=[{"url": "https://api.partner.example/v2"}])
    (tmp_path / "interlock.toml").write_text(
        '[integrations.billing]\nprovider = "stripe"\ncontract = "docs/billing.json"\n'
    )
    settings = settings_module.load(tmp_path / "interlock.toml")
    assert judged(settings, "https://api.partner.example/v2/me") == [("billing", ["response-body"])]


@pytest.mark.parametrize("servers", [[], [{"url": "/v2"}], [{"url": "http://localhost:8000"}]])
def test_the_path_of_the_settings_address_is_a_base_path(tmp_path: Path, servers: list[Any]) -> None:
    settings = project(tmp_path, f"{HOST}/v2", servers=servers)
    assert judged(settings, f"{HOST}/v2/me") == [("billing", ["response-body"])]


def test_the_settings_say_which_world_was_asked(tmp_path: Path) -> None:
    def origin(host: str, **more: Any) -> str:
        contract = Shelf.of(project(tmp_path, **more)).load("billing")
        return origin_of(interaction("GET", f"https://{host}/me", got={}), contract)

    assert origin("billing.example.com") == "stand_in"
    assert origin("127.0.0.1:8000") == "stand_in"
    assert origin("connect.squareupsandbox.com", provider="square", environment="live") == "sandbox"
    assert origin("connect.squareup.com", provider="square", environment="live") == "live"


def test_what_is_called_as_its_provider_leaves_events_and_others_to_the_provider(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "interlock.toml").write_text(
        '[integrations.stripe]\nprovider = "stripe"\ncontract = "docs/billing.json"\n'
        '[integrations.other]\nprovider = "stripe"\n'
    )
    shelf = Shelf.of(settings_module.load(tmp_path / "interlock.toml"))
    assert shelf.load("stripe").title == "Billing"
    for name in ("stripe", "other"):
        events = shelf.of_events("stripe", name)
        assert events is not None
        assert events.source == "contracts/library/stripe/openapi.yaml"


def test_it_goes_before_the_providers_and_leaves_it_the_rest(tmp_path: Path) -> None:
    settings = project(tmp_path, "https://api.stripe.com", provider="stripe")
    assert judged(settings, "https://api.stripe.com/me") == [("billing", ["response-body"])]
    ((name, rules),) = judged(settings, "https://api.stripe.com/v1/balance")
    assert name == "stripe"
    assert "response-body" in rules


def test_drift_and_the_list_know_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = project(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = contract_of("billing", Asked(settings=settings, levels={}, now=NOW))
    assert (found.name, found.title, found.source, found.partial) == (
        "billing", "Billing", "docs/billing.json", False)  # fmt: skip
    for words, status in ((["contracts"], 0), (["drift", "billing"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == status
    out, err = capsys.readouterr()
    assert "billing          file     docs/billing.json\n" in out
    with pytest.raises(SystemExit):
        main(["contracts", "--format", "json"])
    entries = json.loads(capsys.readouterr().out)["contracts"]
    assert {"name": "billing", "origin": "file", "source": "docs/billing.json", "pinned": None} in entries
    assert "name REVISION too" in err


def test_a_service_model_of_aws_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "interlock.toml").write_text(
        '[integrations.queue]\nprovider = "sns"\ncontract = "botocore:sqs"\n'
    )
    shelf = Shelf.of(settings_module.load(tmp_path / "interlock.toml"))
    assert shelf.load("queue").dialect == "botocore"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    settings = project(tmp_path)
    (tmp_path / "docs" / "billing.json").unlink()
    with pytest.raises(
        UsageError, match=r"^integrations\.billing\.contract: .*docs/billing\.json cannot be read"
    ):
        Shelf.of(settings).load("billing")


def test_its_events_go_before_the_providers_which_are_there_where_it_has_none(tmp_path: Path) -> None:
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    event = {"post": {"requestBody": body, "responses": {"200": {"description": ""}}}}
    cases: list[tuple[Any, str]] = [({}, "contracts/library/stripe"), ({"paid": event}, "docs/billing.json")]
    for webhooks, source in cases:
        shelf = Shelf.of(project(tmp_path, provider="stripe", webhooks=webhooks))
        found = shelf.of_events("stripe", "billing")
        assert found is not None
        assert found.source.startswith(source)


async def test_integrations_with_one_contract_are_held_to_it_each_at_its_own_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_TOKEN", "tok_made_up")
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id": "7"}'
    tools = Tools()
    async with server(says(answer)) as port:
        project(tmp_path, f"http://127.0.0.1:{port}")
        path = tmp_path / "interlock.toml"
        text = path.read_text()
        more = text.replace(".billing]", ".again]").replace(f":{port}", f":{port}/v2")
        path.write_text(text + more)
        outcomes = [
            await ask(each, ProbeKind.CONTRACT, tools) for each in resolve_all(settings_module.load(path))
        ]
    assert [(each.integration, each.state) for each in outcomes] == [
        ("billing", State.OPERATIONAL),
        ("again", State.OPERATIONAL),
    ]


@pytest.mark.parametrize(("kind", "state"), [("string", State.OPERATIONAL), ("integer", State.DEGRADED)])
async def test_the_contract_probe_asks_a_service_that_has_no_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, state: State
) -> None:
    monkeypatch.setenv("BILLING_TOKEN", "tok_made_up")
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id": "7"}'
    async with server(says(answer)) as port:
        (own,) = resolve_all(project(tmp_path, f"http://127.0.0.1:{port}", kind=kind))
        outcome = await ask(own, ProbeKind.CONTRACT)
    assert outcome.state is state, outcome.detail
    assert "Billing 7 (file) promises" in outcome.detail
