"""Over https: a private authority and a client certificate, as the settings name them."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
import trustme

from interlock.cli import main
from tests.contracts.fuzz import shops
from tests.loopback import server_context

CA = 'ca_file = "ca.pem"\n'
CLIENT = 'client_certificate = { certificate = "own.pem", key = "own.key" }\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA) -> Path:
    """A folder with the shop's contract, the authority's certificate and one of our own."""
    (tmp_path / "shop.json").write_text(json.dumps(shops.DOCUMENT))
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own = authority.issue_cert("client.example")
    own.cert_chain_pems[0].write_to_path(tmp_path / "own.pem")
    own.private_key_pem.write_to_path(tmp_path / "own.key")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def guarded(authority: trustme.CA) -> ssl.SSLContext:
    """What a server needs that lets nobody in without a certificate of the authority."""
    context = server_context(authority, "127.0.0.1")
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def asked(url: str, *about: str, name: str | None = None) -> int:
    """The exit status of the command by settings with these lines in `[suite]`."""
    Path("interlock.toml").write_text("[suite]\n" + "".join(about))
    words = ["--contract", "shop.json", "--url", url, "--seed", "7", "--max-examples", "1", "--steps", "0"]
    with pytest.raises(SystemExit) as end:
        main(["fuzz", *([name] if name else []), *words])
    return int(end.value.code or 0)


def test_a_private_authority_is_trusted_where_the_settings_name_it(
    authority: trustme.CA, capsys: pytest.CaptureFixture[str]
) -> None:
    with shops.served(shops.forgets_the_name, tls=server_context(authority, "127.0.0.1")) as (url, came):
        assert asked(url) == 3
        assert came == []
        assert (
            "cannot be reached (the certificate is not trusted: unable to get local issuer certificate"
            in capsys.readouterr().err
        )
        assert asked(url, CA) == 1
    assert "fuzz-body: GET /items" in capsys.readouterr().out


def test_a_client_certificate_is_shown(authority: trustme.CA, capsys: pytest.CaptureFixture[str]) -> None:
    with shops.served(shops.right, tls=guarded(authority)) as (url, came):
        assert asked(url, CA) == 3
        assert came == []
        assert "certificate required" in capsys.readouterr().err
        assert asked(url, CA, CLIENT) == 0
    assert "answered by 2 of 2 operations" in capsys.readouterr().out


def test_an_integrations_own_authority_goes_before_the_suites(folder: Path, authority: trustme.CA) -> None:
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    own = (
        '[integrations.shop]\nprovider = "generic"\nenvironment = "stand_in"\nbase_url = "http://127.0.0.1:9"\n'
        'service = { health = { path = "/" } }\n'
    )
    with shops.served(shops.right, tls=server_context(authority, "127.0.0.1")) as (url, _):
        assert asked(url, 'ca_file = "other.pem"\n', own, name="shop") == 3
        assert asked(url, 'ca_file = "other.pem"\n', own, CA, name="shop") == 0


def test_a_key_with_a_password_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    line = CLIENT.replace(" }", ', password = "env:KEY_PASSWORD" }')
    assert asked("https://127.0.0.1:9", line) == 2
    assert "own.key has a password, which schemathesis cannot give" in capsys.readouterr().err


def test_a_file_that_holds_no_certificate_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "ca.pem").write_text("nothing")
    assert asked("https://127.0.0.1:9", CA) == 2
    assert "the CA file or client certificate cannot be used" in capsys.readouterr().err
