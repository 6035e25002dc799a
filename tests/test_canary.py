"""The canary: a unique value for each kind of secret is planted, and looked for in everything that comes out."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette

from interlock.cli import main
from interlock.integration import redactor_for, resolve_all
from interlock.redaction import RedactingFilter
from interlock.settings import load
from interlock.store import open_store
from probes.probe import Tools
from reports.routes import routes
from scheduler.service import face_for, plans_for
from tests.echo import MODES, EchoServer


def canary(kind: str) -> str:
    """A value that nothing else contains, with characters that every encoding changes."""
    return f"canary-{kind}+/=&%-{secrets.token_hex(12)}"


def spellings(value: str) -> list[bytes]:
    """How the value may stand in a file, found out without the redactor's help."""
    raw = value.encode()
    found = [value, quote(value), quote(value, safe=""), json.dumps(value)[1:-1], raw.hex()]
    for lead in range(3):
        coded = base64.b64encode(b"\0" * lead + raw + b"\0" * 3).decode()
        inner = coded[4 * bool(lead) : len(coded) - 8]
        found += [inner, inner.replace("+", "-").replace("/", "_")]
    # a random part alone would be a leak too
    found.append(value.rpartition("-")[2])
    return [text.encode() for text in found]


@pytest.fixture(scope="session")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


# kind: the integration's table, with {URL}; its credentials are planted by name
PLANTS: dict[str, str] = {
    "header": """provider = "generic"
service = { auth = "header", header = "X-Api-Key", identity = { path = "/me" } }
credentials.token = "env:CANARY_HEADER" """,
    "bearer": """provider = "generic"
service = { auth = "bearer", identity = { path = "/me" } }
credentials.token = "env:CANARY_BEARER" """,
    "cookie": """provider = "generic"
service = { auth = "header", header = "Cookie", identity = { path = "/me" } }
credentials.token = "env:CANARY_COOKIE" """,
    "query": """provider = "generic"
service = { auth = "query", query = "code", identity = { path = "/me" } }
credentials.token = "env:CANARY_QUERY" """,
    "basic": """provider = "generic"
service = { auth = "basic", identity = { path = "/me" } }
credentials.username = "env:CANARY_USER"
credentials.password = "env:CANARY_BASIC" """,
    "form": """provider = "paypal"
credentials.client_id = "env:CANARY_CLIENT"
credentials.client_secret = "env:CANARY_FORM" """,
    "sigv4": """provider = "s3"
credentials.access_key_id = "env:CANARY_KEY_ID"
credentials.secret_access_key = "env:CANARY_SIGV4" """,
    "jwt": """provider = "github"
credentials.app_id = "env:CANARY_APP_ID"
credentials.private_key = "env:CANARY_PEM" """,
    "webhook": """provider = "stripe"
credentials.secret_key = "env:CANARY_STRIPE"
credentials.webhook_secret = "env:CANARY_WEBHOOK" """,
    "app_token": """provider = "facebook"
credentials.app_id = "env:CANARY_FACEBOOK_APP"
credentials.app_secret = "env:CANARY_APP_SECRET"
credentials.access_token = "env:CANARY_INSPECTED" """,
    "refresh": """provider = "google_oauth"
credentials.client_id = "env:CANARY_CLIENT"
credentials.client_secret = "env:CANARY_OAUTH_SECRET"
credentials.refresh_token = "env:CANARY_REFRESH" """,
    "unchecked": """provider = "google_analytics"
parameters.measurement_id = "G-MADEUP1234"
credentials.api_secret = "env:CANARY_API_SECRET" """,
    "sas": """provider = "azure_blob"
parameters.account = "acmefiles"
credentials.sas_token = "env:CANARY_SAS" """,
}


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, private_key: str) -> dict[str, str]:
    """Every secret by its environment name."""
    names = (
        "HEADER",
        "BEARER",
        "COOKIE",
        "QUERY",
        "BASIC",
        "USER",
        "FORM",
        "SIGV4",
        "STRIPE",
        "WEBHOOK",
        "APP_SECRET",
        "INSPECTED",
        "OAUTH_SECRET",
        "REFRESH",
        "API_SECRET",
    )
    values = {f"CANARY_{name}": canary(name.lower()) for name in (*names, "PAGE", "PROXY")}
    values["CANARY_SAS"] = f"sv=2026-10-06&sig={secrets.token_hex(22)}"
    values["CANARY_PEM"] = private_key
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CANARY_KEY_ID", "AKIAMADEUPMADEUPMADE")
    monkeypatch.setenv("CANARY_APP_ID", "4711")
    monkeypatch.setenv("CANARY_FACEBOOK_APP", "471100000000000")
    monkeypatch.setenv("CANARY_CLIENT", "a-client-id-may-be-shown")
    return values


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


def settings_text(url: str, proxy: str = "") -> str:
    tables = [
        f'[integrations.{kind}]\nenvironment = "stand_in"\nbase_url = "{url}"\ntimeout = "1500ms"\n'
        f'slow_after = "300ms"\n{proxy}{table}\n'
        for kind, table in PLANTS.items()
    ]
    return '[suite]\nstore = "sqlite:///x.db"\nweb.token = "env:CANARY_PAGE"\n\n' + "\n".join(tables)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


def leaks(planted: dict[str, str], told: dict[str, bytes]) -> list[str]:
    """`secret in output` for everything that was found; empty is the only right answer."""
    parts = {name: [value] for name, value in planted.items()}
    parts["CANARY_PEM"] = planted["CANARY_PEM"].splitlines()[1:-1]
    parts["CANARY_SAS"] = [planted["CANARY_SAS"], planted["CANARY_SAS"].rpartition("=")[2]]
    return [
        f"{name} in {where}"
        for (name, values), (where, text) in itertools.product(parts.items(), told.items())
        if any(spelling in text for value in values for spelling in spellings(value))
    ]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pages(folder: Path) -> dict[str, bytes]:
    """Every page, the API and the metrics, read as a signed-in reader."""
    settings = load(folder / "interlock.toml")
    integrations = resolve_all(settings)
    told = {}
    with open_store(settings) as store:
        tools = Tools(redactor=redactor_for(settings, integrations))
        face = face_for(settings, integrations, plans_for(integrations, tools), store, tools)
        told["face"] = repr(face).encode() + repr(integrations).encode() + repr(settings).encode()
        token = face.auth.token
        assert token is not None
        headers = {"Authorization": f"Bearer {token.reveal()}", "Host": "127.0.0.1"}
        paths = ["/", "/metrics", "/healthz", "/api/v1/integrations", "/api/v1/openapi.json"]
        below = ("", "/outcomes", "/transitions", "/headrooms")
        paths += [f"/api/v1/integrations/{name}{part}" for name in PLANTS for part in below]
        paths += [f"/integrations/{name}" for name in PLANTS]
        told |= asyncio.run(read(Starlette(routes=routes(face)), paths, headers))
    return told


async def read(app: Starlette, paths: list[str], headers: dict[str, str]) -> dict[str, bytes]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        answers = {path: await client.get(path) for path in paths}
    assert {path for path, answer in answers.items() if answer.status_code not in {200, 503}} == set()
    return {path: answer.content + repr(answer.headers).encode() for path, answer in answers.items()}


@pytest.mark.parametrize("mode", MODES)
def test_no_output_holds_a_secret(
    mode: str,
    echo: EchoServer,
    planted: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The server sends everything it was sent back, in every part of its answer, in every way of failing."""
    monkeypatch.chdir(tmp_path)
    echo.mode = mode
    (tmp_path / "interlock.toml").write_text(settings_text(echo.url))
    reports = [f"--report={kind}={kind}.txt" for kind in ("json", "junit", "markdown")]
    told: dict[str, bytes] = {}
    for form in ("text", "json"):
        run("check", "--format", form, "--record", "--evidence", "evidence", *reports)
        captured = capfd.readouterr()
        told |= {f"{form} stdout": captured.out.encode(), f"{form} stderr": captured.err.encode()}
        assert len(captured.out) > 500, "there must be something to look through"
    told |= pages(tmp_path) | files(tmp_path) | {"log": caplog.text.encode()}
    assert echo.saw(planted["CANARY_BEARER"]), "the credential must have been sent, or this proves nothing"
    assert leaks(planted, told) == []


def test_the_canary_would_be_found(planted: dict[str, str]) -> None:
    """The search finds every spelling that it claims to find."""
    value = planted["CANARY_HEADER"]
    user = base64.b64encode(f"user:{value}".encode())
    for text in (value.encode(), quote(value, safe="").encode(), user, value.encode().hex().encode()):
        assert leaks(planted, {"out": b"before " + text + b" after"}) == ["CANARY_HEADER in out"]


def test_a_refusing_proxy_does_not_tell_its_password(
    echo: EchoServer, planted: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    echo.mode = "401"
    proxy = f'proxy = "{echo.url}"\nproxy_username = "u"\nproxy_password = "env:CANARY_PROXY"\n'
    (tmp_path / "interlock.toml").write_text(settings_text("https://nowhere.invalid", proxy))
    run("check", "--format", "json", "--record")
    captured = capfd.readouterr()
    told = {"out": captured.out.encode(), "err": captured.err.encode()} | files(tmp_path)
    assert echo.saw(planted["CANARY_PROXY"])
    assert leaks(planted, told) == []


def test_a_log_line_and_its_traceback_hold_no_secret(planted: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "interlock.toml").write_text(settings_text("http://127.0.0.1:1"))
    settings = load(tmp_path / "interlock.toml")
    log = logging.getLogger("tests.canary")
    handler = logging.FileHandler(tmp_path / "log.txt")
    handler.addFilter(RedactingFilter(redactor_for(settings, resolve_all(settings))))
    log.addHandler(handler)
    planted.pop("CANARY_PROXY")  # these settings do not name it, so it can be in no request of ours
    with contextlib.closing(handler):
        for name, value in planted.items():
            try:
                raise ValueError(f"could not use {value!r} at https://user:{quote(value, safe='')}@host/")  # noqa: TRY301
            except ValueError:
                log.exception("failed for %s with %s", name, {"nested": [value]})
    log.removeHandler(handler)
    text = (tmp_path / "log.txt").read_bytes()
    assert text.count(b"Traceback") == len(planted)
    assert leaks(planted, {"log": text}) == []


def test_a_mistake_in_the_settings_does_not_show_a_literal_secret(
    planted: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, value in enumerate(planted.values()):
        literal = json.dumps(value)
        text = f'[integrations.a]\nprovider = "stripe"\ncredentials.secret_key = {literal}\nbase_url = {literal}\n'
        (tmp_path / f"{number}.toml").write_text(text)
        assert run("check", "--config", f"{number}.toml") == 2
        captured = capfd.readouterr()
        assert leaks(planted, {"out": captured.out.encode(), "err": captured.err.encode()}) == []
