"""The settings file: what is right loads, what is wrong is told all at once, and no secret is repeated."""

from __future__ import annotations

import json
import re
import tomllib
import traceback
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock import settings_secrets
from interlock.catalogue import Provider, load_all
from interlock.errors import SettingsError
from interlock.records import Environment, ProbeKind
from interlock.settings import Settings, find, json_schema, load, parse, seconds, shown_path

WRONG = Path(__file__).parent / "wrong_settings"
SCHEMA = Path(settings_secrets.__file__).with_name("settings_schema.json")
CANARY = re.compile(r"CANARY|c0ffee|tuna|DATABASE_PASSWORD|Q0FOQVJ", re.IGNORECASE)
RIGHT = """\
#:schema ./interlock.schema.json
[suite]
store = "postgresql+psycopg://interlock@db.example.com/interlock"
store_password = "env:DATABASE_PASSWORD"
proxy = "http://proxy.example.com:3128/"
proxy_username = "team"
proxy_password = "file:/run/secrets/proxy"
ca_file = "ca.pem"
web = { port = 0, token = "env:INTERLOCK_TOKEN" }
concurrency.total = 8

[suite.retention]
outcomes = "7d"

[integrations.payments]
provider = "stripe"
environment = "sandbox"
every = "1m30s"
owner = "team-checkout"
credentials.secret_key = "env:STRIPE_SECRET_KEY"
probes.tls = { every = "6h", warn_days = 21 }

[[integrations.payments.maintenance]]
start = 2026-01-31T02:00:00Z
end = "2026-01-31T05:00:00+01:00"

[integrations.files]
provider = "azure_blob"
parameters.account = "acme"

[integrations.mail]
provider = "sendgrid"
provider_region = "eu"
base_url = "http://127.0.0.1:8080"
credentials.api_key = "env:SENDGRID_API_KEY"

[integrations.stock]
provider = "generic"
base_url = "https://stock.example.com"
credentials.token = "env:STOCK_TOKEN"
service = { auth = "bearer", health.path = "/health", identity = { path = "/me", refused = [401, 403] } }
"""


def _mistakes(text: str, tmp_path: Path) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse(text, tmp_path / "interlock.toml")
    return caught.value.mistakes


def test_what_is_right_loads(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    path = tmp_path / "interlock.toml"
    path.write_text(RIGHT, encoding="utf-8")
    settings = load(path)
    payments = settings.integrations["payments"]
    assert settings.folder == tmp_path
    assert settings.suite.proxy == "http://proxy.example.com:3128"
    assert settings.suite.retention.outcomes == 7 * 86400
    assert (payments.environment, payments.every, payments.timeout) == (Environment.SANDBOX, 90.0, 10.0)
    assert str(payments.credentials["secret_key"]) == "env:STRIPE_SECRET_KEY"
    assert payments.probes[ProbeKind.TLS].every == 6 * 3600
    assert (payments.maintenance[0].end - payments.maintenance[0].start).total_seconds() == 2 * 3600
    assert settings.integrations["stock"].service is not None


def test_an_empty_file_is_right(tmp_path: Path) -> None:
    """Everything has a default; what is in it is another question."""
    assert parse("", tmp_path / "interlock.toml").integrations == {}
    assert parse("\ufeff# only\r\n", tmp_path / "interlock.toml").suite.web.port == 9464


@pytest.mark.parametrize("path", sorted(WRONG.glob("*.toml")), ids=lambda path: path.stem)
def test_wrong_settings(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wrong file has its exact messages beside it, and none repeats a value that could be secret."""
    monkeypatch.chdir(WRONG)
    with pytest.raises(SettingsError) as caught:
        load(Path(path.name))
    told = str(caught.value)
    assert told + "\n" == path.with_suffix(".txt").read_text(encoding="utf-8")
    everything = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert not CANARY.search(everything)


def test_every_wrong_file_has_its_messages() -> None:
    assert {path.stem for path in WRONG.glob("*.toml")} == {path.stem for path in WRONG.glob("*.txt")}
    assert len(list(WRONG.glob("*.toml"))) >= 30


@pytest.mark.parametrize("provider", load_all(), ids=lambda provider: provider.name)
def test_every_credential_that_the_catalogue_can_recognise_is_refused_anywhere(provider: Provider) -> None:
    """The catalogue's own examples, as a value and in a longer text."""
    for known in settings_secrets.known_shapes():
        if known.title != provider.title or known.inside is None:
            continue
        example = provider.credentials[known.credential].example
        if not known.inside.search(example):
            continue
        for text in (f'suite.region = """{example}"""', f'suite.web.username = """see {example} there"""'):
            with pytest.raises(SettingsError) as caught:
                parse(text.replace("\\", "\\\\"), Path("interlock.toml"))
            assert example not in str(caught.value)
            assert "this looks like" in str(caught.value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40))
def test_a_value_in_place_of_a_reference_is_never_repeated(value: str) -> None:
    """Recognised or not: what stands there may be the secret."""
    if re.match(r"\s*(env|file):", value) or value in "references never the secret itself":
        return
    text = f"[integrations.x]\nprovider = 'stripe'\ncredentials.secret_key = {json.dumps(value)}\n"
    with pytest.raises(SettingsError) as caught:
        parse(text.replace("\x7f", "\\u007f"), Path("i.toml"))
    known = 'i.toml:3: integrations.x.credentials.secret_key: such as "env:STRIPE_SECRET_KEY" or "file:PATH"'
    assert value in known or value not in str(caught.value)


def test_ordinary_text_is_no_secret(tmp_path: Path) -> None:
    """Names, hosts, paths and notes that merely look busy."""
    text = """\
# see https://wiki.example.com/Payments-2026/RunBook#v2 and ticket PAY-12345
[integrations.payments-eu-west-1-blue-green]
provider = "stripe"
owner = "team-checkout-and-payments-2026"
base_url = "https://payments-gateway-v2.internal.example-company.com/stripe/v1"
credentials.secret_key = "file:/run/secrets/prod/payments/stripe-secret-key-v2"
credentials.webhook_secret = "env:STRIPE_WEBHOOK_SECRET_EU_WEST_1"
"""
    assert parse(text, tmp_path / "interlock.toml").integrations


def test_the_catalogue_is_not_read_for_a_plain_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Twenty providers are not read to check a file that names one."""
    monkeypatch.setattr(settings_secrets, "known_shapes", lambda: pytest.fail("read the whole catalogue"))
    parse('[integrations.a]\nprovider = "stripe" # ours\nfailures_before_down = 3\n', tmp_path / "i.toml")


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.toml").write_bytes(b"# one\nowner = '\xe9'\n")
    Path("large.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    Path("deep.toml").write_text("x = " + "[" * 100_000)
    said = {
        "none.toml": "none.toml: cannot be read: No such file or directory",
        "latin.toml": "latin.toml:2: is not UTF-8 text",
        "large.toml": "large.toml: is larger than 1048576 bytes",
        "deep.toml": "deep.toml:1: is nested too deeply",
    }
    for name, message in said.items():
        with pytest.raises(SettingsError) as caught:
            load(Path(name))
        assert caught.value.mistakes == (message,)


def test_lines_are_counted_with_any_line_end(tmp_path: Path) -> None:
    text = '\ufeff[integrations.a]\r\nprovider = "stripe"\r\nowner = """\r\n\r\n"""\r\nx = 1\r\n'
    (mistake,) = _mistakes(text, tmp_path)
    assert mistake.startswith(f"{tmp_path}/interlock.toml:6: integrations.a.x: unknown key")


def test_the_file_is_shown_as_a_person_would_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert shown_path(tmp_path / "interlock.toml") == "../../interlock.toml"
    assert shown_path(below / "interlock.toml") == "interlock.toml"
    assert shown_path(Path("/etc/interlock.toml")) == "/etc/interlock.toml"
    (tmp_path / "interlock.toml").touch()
    assert find(below) == tmp_path / "interlock.toml"
    assert find(Path("/nowhere")) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(min_value=0.001, max_value=10**8, allow_nan=False))
def test_durations_add_up(value: float) -> None:
    assert seconds(f"{value:.3f}s") == pytest.approx(round(value, 3))
    assert seconds(f"1h{value:.3f}s") == pytest.approx(3600 + round(value, 3))


@pytest.mark.parametrize(
    "text", ["", "5", "s", "5 s", "-5s", "5S", "1h 30m", "٣s", "1.s", "0s", 5, None, "9" * 400 + "d"]
)
def test_wrong_durations(text: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        seconds(text)


def test_settings_made_in_memory_hide_what_is_wrong() -> None:
    """Pydantic's own message would repeat the value."""
    raw = {"integrations": {"a": {"provider": "stripe", "credentials": {"secret_key": "tuna-fish"}}}}
    with pytest.raises(ValueError, match="must be a reference") as caught:
        Settings.model_validate(raw)
    assert "tuna-fish" not in str(caught.value)


def test_the_shipped_schema_is_current() -> None:
    """`python tools/settings_schema.py` mends this."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema()))


def _plain(text: str) -> object:
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def test_the_schema_accepts_what_is_right() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(_plain(RIGHT), json_schema())


@pytest.mark.parametrize(
    "name",
    ["unknown_key", "unknown_table", "environment", "durations", "probe_kinds", "numbers", "not_a_reference",
     "literal_secret", "integration_name", "provider_missing", "maintenance", "internal_key", "urls"],
)  # fmt: skip
def test_the_schema_refuses_what_is_wrong(name: str) -> None:
    """An editor shows the same mistakes, as far as a schema can tell them."""
    text = (WRONG / f"{name}.toml").read_text(encoding="utf-8")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_plain(text), json_schema())


def test_the_schema_describes_every_key() -> None:
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    bare = [key for table in tables for key, field in table.get("properties", {}).items()
            if "description" not in field and "$ref" not in field]  # fmt: skip
    assert not bare
