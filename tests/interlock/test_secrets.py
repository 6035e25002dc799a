"""A secret never shows itself by accident, and a reference says plainly why it cannot be resolved."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import string
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.errors import SecretError
from interlock.secrets import MAX_SECRET_BYTES, Secret, SecretRef, fingerprint

VALUE = "tuna-7f3a-canary"


@dataclasses.dataclass(frozen=True)
class Holder:
    """A record that holds a secret."""

    secret: Secret
    name: str = "x"


def _logged(secret: Secret) -> str:
    stream = io.StringIO()
    log = logging.Logger("test")  # noqa: LOG001 - one of its own
    log.addHandler(logging.StreamHandler(stream))
    log.warning("%s %r", secret, secret)
    return stream.getvalue()


def _raised(secret: Secret) -> str:
    try:
        raise RuntimeError(secret)  # noqa: TRY301 - to have a traceback
    except RuntimeError:
        return traceback.format_exc()


SHOWN: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "str": str,
    "format": "{0} {0!r} {0!s} {0:>40}".format,
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - that is the point
    "f-string": lambda secret: f"{secret} {secret!r} {secret!a} {secret:^50}",
    "template": lambda secret: string.Template("$x").substitute(x=secret),
    "logging": _logged,
    "exception": _raised,
    "containers": lambda secret: f"{[secret]} {{'a': {secret!r}}} {(secret,)} { {secret} }",
    "pprint": lambda secret: pprint.pformat({"secret": secret}),
    "dataclass repr": lambda secret: repr(Holder(secret)),
    "asdict": lambda secret: repr(dataclasses.asdict(Holder(secret))),
    "json with default": lambda secret: json.dumps({"s": secret}, default=str),
    "copy": lambda secret: repr([copy.copy(secret), copy.deepcopy({"a": secret})]),
    "dir": lambda secret: repr(dir(secret)),
    "hash": lambda secret: str(hash(secret)),
}


@pytest.mark.parametrize("way", SHOWN)
def test_a_secret_does_not_show(way: str) -> None:
    assert VALUE not in SHOWN[way](Secret(VALUE, name="env:FISH"))


LEAKS: dict[str, Callable[[Any], object]] = {
    "pickle": pickle.dumps,
    "json": json.dumps,
    "vars": vars,
    "bytes": bytes,
    "getstate": lambda secret: secret.__getstate__(),
    "plus": lambda secret: secret + "",
    "join": "".join,
    "length": len,
    "list": lambda secret: [*secret],
}


@pytest.mark.parametrize("way", LEAKS)
def test_a_secret_refuses_to_be_written_out(way: str) -> None:
    """Where hiding is not possible there is an error, and the error does not tell."""
    with pytest.raises(TypeError) as caught:
        LEAKS[way](Secret(VALUE, name="env:FISH"))
    assert VALUE not in str(caught.value)


def test_a_secret_cannot_be_changed() -> None:
    secret = Secret(VALUE, name="env:FISH")
    with pytest.raises(AttributeError):
        secret.name = "x"
    with pytest.raises(AttributeError):
        del secret.name
    assert secret.reveal() == VALUE


def test_equality_and_hash_agree() -> None:
    """Equal secrets have equal hashes; another name, another value or a plain text is not equal."""
    secret, same = Secret("a\udcff", name="x"), Secret("a\udcff", name="x")
    assert secret == same
    assert hash(secret) == hash(same)
    assert secret != Secret("b", name="x")
    assert secret != Secret("a\udcff", name="y")
    assert secret != "a\udcff"


def test_references_are_read() -> None:
    assert SecretRef.parse(" env:STRIPE_KEY ") == SecretRef("env", "STRIPE_KEY")
    assert str(SecretRef.parse("file:/run/secrets/a b")) == "file:/run/secrets/a b"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_a_wrong_reference_is_not_echoed(text: str) -> None:
    """Whatever is written instead of a reference may be the secret itself."""
    try:
        said = str(SecretRef.parse(text))
    except ValueError as exc:
        said = str(exc)
    ours = "must be a reference, env:NAME or file:PATH, never followed by the name of an environment variable"
    assert said == text.strip() or text in ours or text not in said


@pytest.mark.parametrize(
    "text", ["", "env:", "env:A-B", "env:1A", "ENV:A", "sk_live_x", "file:", "file:a\0b"]
)
def test_wrong_references(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        SecretRef.parse(text)


def test_resolving(tmp_path: Path) -> None:
    """From the environment and from a file beside the settings; white space around is dropped."""
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbf  tuna\r\n")
    assert SecretRef.parse("env:A").resolve({"A": "tuna\n"}).reveal() == "tuna"
    secret = SecretRef.parse("file:key").resolve(base=tmp_path)
    assert (secret.reveal(), secret.name) == ("tuna", "file:key")


def test_what_cannot_be_resolved_says_why(tmp_path: Path) -> None:
    """The reference is named, the value never; nor is it kept in the chain of exceptions."""
    (tmp_path / "large").write_bytes(b"x" * (MAX_SECRET_BYTES + 1))
    (tmp_path / "binary").write_bytes(b"tuna\xff")
    (tmp_path / "empty").write_bytes(b"\n")
    said = {
        "env:A": "env:A: the environment variable is not set",
        "env:EMPTY": "env:EMPTY: is empty",
        "env:BYTES": "env:BYTES: is not UTF-8 text",
        "file:none": "file:none: cannot be read (No such file or directory)",
        "file:large": "file:large: is larger than 65536 bytes",
        "file:binary": "file:binary: is not UTF-8 text",
        "file:empty": "file:empty: is empty",
        "file:~nobody-is/x": "file:~nobody-is/x: cannot be read (the home folder is not known)",
    }
    for text, message in said.items():
        with pytest.raises(SecretError) as caught:
            SecretRef.parse(text).resolve({"EMPTY": " ", "BYTES": "tuna\udcff"}, base=tmp_path)
        assert str(caught.value) == message
        assert "tuna" not in repr(vars(caught.value.__cause__ or caught.value))


def test_a_file_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    """A warning, not a mistake: the secret can be used."""
    path = tmp_path / "key"
    path.write_text("tuna")
    path.chmod(0o644)
    reference = SecretRef.parse("file:key")
    assert reference.warning(base=tmp_path) == (
        "file:key: every user of this machine can read it; `chmod o-r` it"
    )
    path.chmod(0o600)
    assert reference.warning(base=tmp_path) is None
    assert SecretRef.parse("file:none").warning(base=tmp_path) is None
    assert SecretRef.parse("env:A").warning() is None


def test_fingerprints_tell_credentials_apart() -> None:
    one = fingerprint({"a": "x", "b": "y"}, b"key")
    assert one == fingerprint({"b": "y", "a": "x"}, b"key")
    assert one != fingerprint({"a": "x", "b": "z"}, b"key")
    assert one != fingerprint({"a": "x", "b": "y"}, b"other")
    assert len(one) == 16
