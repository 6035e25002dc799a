"""Secrets that are made up at run time, so that no file holds one: each kind, and each way to write it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from interlock.catalogue import load_all

CANARY = "cAnArY7q9Zx4Kd2Lm8Np"  # letters and digits, as random keys have them


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwt() -> str:
    return f"{part({'alg': 'HS256', 'kid': CANARY})}.{part({'sub': CANARY, 'exp': 1800000000})}.{CANARY * 2}"


def pem() -> str:
    dashes = "-" * 5
    return f"{dashes}BEGIN PRIVATE KEY{dashes}\n{CANARY * 3}\n{CANARY}\n{dashes}END PRIVATE KEY{dashes}\n"


def provider_secrets() -> dict[str, str]:
    """The example of each secret credential that can be told by its look, with letters for its zeros."""
    found = {}
    for provider in load_all():
        for name, each in provider.credentials.items():
            if each.redact and not each.public and "PRIVATE KEY" not in each.redact:
                found[f"{provider.name} {name}"] = each.example
    return found


_SIGV4 = (
    f"AWS4-HMAC-SHA256 Credential={CANARY}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, "
    f"Signature={CANARY.encode().hex()}"
)
HEADERS = {
    "authorization bearer": ("Authorization", f"Bearer {CANARY}"),
    "authorization token": ("Authorization", f"token {CANARY}"),
    "authorization alone": ("Authorization", CANARY),
    "authorization basic": ("Authorization", f"Basic {b64(f'{CANARY}:{CANARY}pw')}"),
    "authorization jwt": ("Authorization", f"Bearer {jwt()}"),
    "authorization digest": ("Authorization", f'Digest username="{CANARY}", realm="r", response="{CANARY}"'),
    "authorization sigv4": ("Authorization", _SIGV4),
    "authorization sharedkey": ("Authorization", f"SharedKey account:{b64(CANARY)}"),
    "authorization oauth1": ("Authorization", f'OAuth oauth_token="{CANARY}", oauth_signature="{CANARY}"'),
    "proxy-authorization": ("Proxy-Authorization", f"Basic {b64(f'user:{CANARY}')}"),
    "cookie": ("Cookie", f"session={CANARY}; theme=dark"),
    "set-cookie": ("Set-Cookie", f"session={CANARY}; Path=/; HttpOnly"),
    "x-api-key": ("X-Api-Key", CANARY),
    "x-auth-token": ("X-Auth-Token", CANARY),
    "x-amz-security-token": ("X-Amz-Security-Token", CANARY),
    "x-goog-api-key": ("X-Goog-Api-Key", CANARY),
    "private-token": ("PRIVATE-TOKEN", CANARY),
    "x-csrf-token": ("X-CSRF-Token", CANARY),
    "signature": ("X-Hub-Signature-256", f"sha256={(CANARY * 2).encode().hex()[:64]}"),
    "location": ("Location", f"https://h.example/done#access_token={CANARY}&state=1"),
    "link": ("Link", f'<https://h.example/x?page=2&access_token={CANARY}>; rel="next"'),
}
URLS = {
    "query": f"https://h.example/v1/x?access_token={CANARY}&limit=1",
    "api key": f"https://h.example/v1/x?limit=1&api_key={CANARY}",
    "key": f"https://h.example/v1/x?key={CANARY}",
    "sas": f"https://a.blob.example/c?sv=2021&sig={quote(b64(CANARY), safe='')}",
    "signed": f"https://b.s3.example/k?X-Amz-Credential={CANARY}%2F20260101&X-Amz-Signature={CANARY.encode().hex()}",
    "userinfo": f"https://user:{CANARY}@h.example/x",
    "token as user": f"https://{CANARY}@h.example/x",
    "fragment": f"https://h.example/#id_token={CANARY}",
    "url in a parameter": f"https://h.example/?next={quote(f'https://x.example/?token={CANARY}', safe='')}",
}
BODIES = {
    "form": f"grant_type=password&password={CANARY}&client_id=1",
    "form percent": f"password={''.join(f'%{ord(c):02X}' for c in CANARY)}&x=1",
    "json": json.dumps({"id": 1, "access_token": CANARY, "expires_in": 3600}),
    "json deep": json.dumps({"data": [{"credentials": {"client_secret": CANARY}}]}),
    "json list": json.dumps({"api_keys": [], "secret": [CANARY, CANARY + "2"]}),
    "json in json": json.dumps({"payload": json.dumps({"inner": json.dumps({"refresh_token": CANARY})})}),
    "json escapes": '{"token":"' + "".join(f"\\u{ord(c):04x}" for c in CANARY) + '"}',
    "paging": json.dumps({"paging": {"next": f"https://h.example/x?access_token={CANARY}&after=1"}}),
    "paging with slashes": json.dumps({"next": f"https://h.example/x?access_token={CANARY}"}).replace(
        "/", "\\/"
    ),
    "ampersand escaped": json.dumps({"u": f"https://h.example/x?a=1&token={CANARY}"}).replace("&", "\\u0026"),
    "pem in json": json.dumps({"file": pem()}),
    "base64 in json": json.dumps({"blob": b64(f"password={CANARY}&x=1")}),
    "xml": f"<Response><AccessToken>{CANARY}</AccessToken></Response>",
    "xml namespace": f'<s:a xmlns:s="u"><s:Password type="t">{CANARY}</s:Password></s:a>',
    "html": f'<input type="hidden" name="csrf_token" value="{CANARY}">',
    "multipart": (
        f'--bnd\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--bnd\r\n'
        f'Content-Disposition: form-data; name="client_secret"\r\n\r\n{CANARY}\r\n--bnd--\r\n'
    ),
    "connection string": f"AccountName=a;AccountKey={b64(CANARY * 2)};EndpointSuffix=core.example",
    "text header": f"> Authorization: Bearer {CANARY}",
    "text environment": f"export SOME_API_KEY={CANARY}",
    "jwt": f"got {jwt()} back",
    "pem": pem(),
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "unicode": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "base64": b64,
}


def traces(canary: str = CANARY) -> list[str]:
    """What would show the secret: plain, in hex, and the letters of base64 at each offset."""
    raw = canary.encode()
    inner = [
        base64.b64encode(b"x" * lead + raw).decode()[-(-lead * 8 // 6) : (lead + len(raw)) * 8 // 6]
        for lead in range(3)
    ]
    return [canary, raw.hex(), *inner]


def left(text: str, canary: str = CANARY) -> list[str]:
    """Which traces a text still shows; escapes are undone first."""
    escaped = re.sub(r"\\u00([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), text)
    seen = [text, "".join(text.split()), unquote(text), escaped]
    return [trace for trace in traces(canary) if any(trace in each for each in seen)]
