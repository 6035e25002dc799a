"""The redactor hides every secret in every spelling, and leaves ordinary text alone."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import re
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from interlock import redaction
from interlock.redaction import MASK, RedactingFilter, Redactor, spellings
from interlock.secrets import Secret

secrets = st.text(min_size=6, max_size=60).filter(lambda text: len(text.strip()) >= 6)
texts = st.text(max_size=60)
ORDINARY = (
    "GET https://api.example.com/v1/balance?limit=1&cursor=abc answered 200 in 0.231 s",
    "Basic authentication failed for this account; a bearer token is needed",
    "HTTP/1.1 429 Too Many Requests, Retry-After: 30, X-RateLimit-Remaining: 0",
    "the certificate of api.example.com ends on 2026-11-22T10:00:00Z, serial 04:AB:9F:10",
    "ssh://git@example.com/team/repo.git and mailto:someone@example.com",
    "interlock.toml:4: integrations.payments.evry: unknown key; did you mean every?",
    "keyboard monkey: sort_key=name, primary key=3, a token bucket of 10 tokens",
    "the eye of the beholder, eyJust.a.word",
)


def _redactor(*values: str) -> Redactor:
    return Redactor(Secret(value, name=f"env:S{number}") for number, value in enumerate(values))


def _written(value: str) -> dict[str, str]:
    """The value as other programs write it, in text that is not ours."""
    raw = value.encode()
    return {
        "plain": value,
        "percent": quote(value, safe=""),
        "percent lower": re.sub("%..", lambda m: m.group().lower(), quote(value, safe="")),
        "percent twice": quote(quote(value, safe=""), safe=""),
        "plus": quote_plus(value),
        "json": json.dumps(value)[1:-1],
        "json utf-8": json.dumps(value, ensure_ascii=False)[1:-1],
        "json slash": json.dumps(value)[1:-1].replace("/", "\\/"),
        "json all": "".join(
            f"\\u{int.from_bytes(value.encode('utf-16-be')[i : i + 2]):04x}"
            for i in range(0, len(value.encode("utf-16-be")), 2)
        ),
        "html": html.escape(value),
        "python": repr(value)[1:-1],
        "base64": base64.b64encode(raw).decode(),
        "base64 url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
    }


def _core(value: str, lead: int) -> str:
    """The base64 letters that only the value decides, when `lead` bytes stand before it."""
    raw = value.encode()
    start, end = -(-lead * 8 // 6), (lead + len(raw)) * 8 // 6
    return base64.b64encode(b"x" * lead + raw).decode()[start:end]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(secret=secrets, before=texts, after=texts)
@example(secret="redacted", before="", after="")
@example(secret="env:S0", before="[", after="]")
@example(secret="][redacted", before="x", after="x")
@example(secret="a/b+c=d\"e\\f<g>'é\U0001f600", before="", after="")
def test_no_spelling_is_left(secret: str, before: str, after: str) -> None:
    """Whatever stands around it, a known value is gone in plain and in each encoding."""
    redactor = _redactor(secret)
    for how, written in _written(secret).items():
        assert written not in redactor.text(before + written + after), how


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(secret=secrets, before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_secret_inside_longer_base64_is_gone(secret: str, before: bytes, after: bytes) -> None:
    """A Basic header holds user and password in one base64 text; the password's letters go."""
    core = _core(secret, len(before) % 3)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        out = _redactor(secret).text(encode(before + secret.encode() + after).decode())
        assert core not in out
        assert core.replace("+", "-").replace("/", "_") not in out


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=st.lists(secrets, max_size=4), text=texts, picks=st.lists(st.integers(0, 3), max_size=4))
@example(values=["redact", "[reda", "cted]x"], text="x[reda", picks=[0, 1, 2, 2])
def test_twice_equals_once(values: list[str], text: str, picks: list[int]) -> None:
    """Redacting is idempotent and stable."""
    redactor = _redactor(*values)
    mixed = text.join(["", *(values[pick] for pick in picks if pick < len(values)), ""])
    once = redactor.text(mixed)
    assert redactor.text(once) == once
    assert redactor.text(mixed) == once


SHAPED = {
    "header": "Authorization: Digest username=CANARY7, response=CANARY7",
    "header in JSON": '{"authorization": "CANARY7 \\" CANARY7"}',
    "header in a tuple": "[('x-api-key', 'CANARY7')]",
    "cookie": "set-cookie: session=CANARY7; Path=/",
    "bearer": "sent bearer CANARY7xyz",
    "basic": "Basic dXNlcjpDQU5BUlk3",
    "jwt": "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlk3In0.c2lnbmF0dXJl",
    "userinfo": "https://team:CANARY7@db.example.com/x",
    "token as user": "https://ghp_CANARY7CANARY7@github.example/x",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nCANARY7\n-----END RSA PRIVATE KEY-----",
    "cut pem": "-----BEGIN PRIVATE KEY-----\\nCANARY7",
    "query": "GET /x?access_token=CANARY7&y=1",
    "signed url": "GET /x?X-Amz-Signature=CANARY7&sig=CANARY7",
    "form": "client_secret=CANARY7&grant_type=client_credentials",
    "json body": '{"access_token":"CANARY7","expires_in":3600}',
    "a mark in front": "Authorization: [redacted env:X] CANARY7",
    "half a mark": "Authorization: [redacted CANARY7",
}


@pytest.mark.parametrize("name", SHAPED)
def test_shapes_are_hidden_without_being_known(name: str) -> None:
    """What looks like a secret is hidden, whoever it belongs to, and stays hidden in the same way."""
    out = Redactor().text(SHAPED[name])
    assert "CANARY7" not in out
    assert "Q0FOQVJZN" not in out
    assert "DQU5BUlk3" not in out
    assert MASK in out
    assert Redactor().text(out) == out


def test_shapes_keep_what_is_around_them() -> None:
    """A reader can still see which request it was."""
    out = Redactor().text("GET https://a:b@h.example/p?sig=abc&x=1 sent Bearer abc12345")
    assert out == f"GET https://{MASK}@h.example/p?sig={MASK}&x=1 sent Bearer {MASK}"
    assert Redactor([Secret("abc12345", name="env:T")]).text("Bearer abc12345") == "Bearer [redacted env:T]"


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert _redactor("sk_live_0123456789abcdef").text(text) == text


def test_provider_shapes_come_from_the_catalogue() -> None:
    """A pattern given by the caller is hidden whole."""
    redactor = Redactor(shapes=[re.compile(r"\bwhsec_[A-Za-z0-9]+")])
    assert redactor.text("with whsec_abcdef.") == f"with {MASK}."


def test_short_values_do_not_blot_everything() -> None:
    assert _redactor("abc").text("abc abcabc") == "abc abcabc"


def test_parts_of_a_compound_secret_are_secret() -> None:
    """A line of a PEM file, the key in a service account, the signature in a SAS."""
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    account = json.dumps({"client_email": "a@b.example", "private_key": f"{line}\n{line[::-1]}"})
    sas = "sv=2026-01-01&se=2027-01-01&sig=aB3%2FdEfGhIjKlMnOpQrStUv%3D"
    redactor = _redactor(account, sas)
    for text in (line, line[::-1], "aB3%2FdEfGhIjKlMnOpQrStUv%3D", "aB3/dEfGhIjKlMnOpQrStUv="):
        assert text not in redactor.text(f"saw {text} here")
    assert redactor.text("a@b.example 2026-01-01") == "a@b.example 2026-01-01"


def test_values_are_redacted_at_every_depth_keys_included() -> None:
    redactor = _redactor("tuna-fish")
    value = {"a": ["tuna-fish", {"tuna-fish": 1}], "n": 3, "t": (None, True, "x tuna-fish")}
    hidden = "[redacted env:S0]"
    assert redactor.value(value) == {"a": [hidden, {hidden: 1}], "n": 3, "t": [None, True, f"x {hidden}"]}


def test_what_stands_under_a_telling_name_is_hidden() -> None:
    value = {"Authorization": "unheard-of scheme", "client_secret": "tuna-fish", "key": "name", "sig": ""}
    assert _redactor("tuna-fish").value(value) == {
        "Authorization": MASK,
        "client_secret": "[redacted env:S0]",
        "key": "name",
        "sig": "",
    }


def test_logging_shows_nothing() -> None:
    """Message, arguments, extra fields, exceptions, and arguments that do not fit the message."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s %(where)s", defaults={"where": ""}))
    handler.addFilter(RedactingFilter(_redactor("tuna-fish")))
    log = logging.Logger("test")  # noqa: LOG001 - one of its own, so that nothing else sees it
    log.addHandler(handler)
    log.info("plain tuna-fish")
    log.warning("with %s", "tuna-fish", extra={"where": {"x": "tuna-fish"}})
    log.error("does not fit %s %s", "tuna-fish")  # noqa: PLE1206 - that is the point
    try:
        raise ValueError("tuna-fish")  # noqa: TRY301 - to have a traceback
    except ValueError:
        log.exception("failed", stack_info=True)
    written = stream.getvalue()
    assert "tuna-fish" not in written
    assert written.count("[redacted env:S0]") >= 4
    assert "ValueError" in written
    assert "does not fit" in written


def test_a_megabyte_with_many_secrets_is_left_alone() -> None:
    """Common beginnings do not confuse the one pattern for all secrets."""
    redactor = _redactor(*(f"sk_live_{number:04d}{'aB3' * 8}" for number in range(50)))
    line = "2026-11-22T10:00:00Z probe payments operational 0.231 sk_live_0000 https://api.example.com/v1\n"
    text = line * (1_000_000 // len(line))
    assert redactor.text(text) == text
    assert redactor.text(text + f"sk_live_0049{'aB3' * 8}") == text + "[redacted env:S49]"


def test_a_long_secret_compiles() -> None:
    """A service account key of 64 kB neither overflows the stack nor takes for ever."""
    lines = "\n".join(f"{number:064x}" for number in range(900))
    redactor = _redactor(lines, "x" * 3000)
    assert lines not in redactor.text(f"a {lines} b")


def test_spellings_leave_out_what_is_too_short() -> None:
    assert all(len(text) >= 4 for text in spellings("ab"))


@pytest.mark.parametrize("scheme", ["Bearer", "basic", "Token"])
def test_what_follows_the_scheme_in_a_header_is_secret_alone(scheme: str) -> None:
    redactor = _redactor(f"{scheme} made-up-4711")
    assert redactor.text(f"{scheme} made-up-4711") == "[redacted env:S0]"
    assert redactor.text("tok is made-up-4711") == "tok is [redacted env:S0]"


def test_a_few_texts_are_looked_through_and_many_by_one_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Redactor] = []
    prepare = Redactor.prepare

    def noted(one: Redactor) -> None:
        made.append(one)
        prepare(one)

    monkeypatch.setattr(Redactor, "prepare", noted)
    redactor = _redactor("made-up-first-secret")
    assert redactor.text("nothing to hide") == "nothing to hide"
    assert made == []
    assert redactor.text("made-up-first-secret") == "[redacted env:S0]"
    assert made == [redactor]
    many = _redactor("made-up-first-secret")
    for _ in range(3000):
        assert many.text("nothing to hide") == "nothing to hide"
    assert made == [redactor, many]
    many.learn(Secret("made-up-late-secret", name="env:LATE"))
    assert many.text("made-up-late-secret") == "[redacted env:LATE]"


def test_what_is_learnt_while_another_thread_makes_ready_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = _redactor("made-up-first-secret")
    late = threading.Thread(target=redactor.learn, args=(Secret("made-up-late-secret", name="env:LATE"),))
    make = redaction.alternation

    def making(words: set[str]) -> str:
        if not late.ident:
            late.start()
        return make(words)

    monkeypatch.setattr(redaction, "alternation", making)
    redactor.prepare()
    late.join(5)
    assert (
        redactor.text("made-up-first-secret, made-up-late-secret") == "[redacted env:S0], [redacted env:LATE]"
    )
