"""What stands before every answer: host check, sign-in, methods, security headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interlock.errors import StoreError
from reports.face import Auth, Face

log = logging.getLogger(__name__)
METHODS = frozenset({"GET", "HEAD"})
LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """An ASGI wrapper. `guarded` False lets everybody in, for the sign of life alone."""

    def __init__(self, app: ASGIApp, face: Face, *, guarded: bool = True) -> None:
        self._app, self._face, self._guarded = app, face, guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the security headers added."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        answer: ASGIApp = self._refusal(scope) or self._app
        try:
            await answer(scope, receive, _with_headers(send))
        except StoreError as exc:
            log.warning("%s", self._face.redactor.text(exc.message))
            response = refusal(scope, 503, "the store cannot be read; see the log of interlock")
            await response(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self._guarded and not host_allowed(headers.get("host", ""), self._face.allowed_hosts):
            return refusal(scope, 421, "this host name is not allowed; add it to suite.web.allowed_hosts")
        if self._guarded and not admitted(self._face.auth, headers.get("authorization")):
            response = refusal(scope, 401, "sign in to read this")
            for challenge in challenges(self._face.auth):
                response.headers.append("WWW-Authenticate", challenge)
            return response
        if scope["method"] not in METHODS:
            response = refusal(scope, 405, "this is only read: use GET or HEAD")
            response.headers["Allow"] = "GET, HEAD"
            return response
        return None


def refusal(scope: Scope, status: int, message: str) -> Response:
    """A refusal, as JSON under `/api/` and as plain text elsewhere."""
    if "/api/" in scope["path"]:
        return JSONResponse({"schema": "interlock.error/1", "error": message}, status)
    return PlainTextResponse(message + "\n", status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending


def host_allowed(header: str, allowed: tuple[str, ...]) -> bool:
    """Whether a `Host` header names us. A page of another name that resolves to us is turned away.

    Plain addresses pass: such a page cannot make a browser send them.
    """
    host = _without_port(header.strip().lower())
    if not host:
        return False
    if host in LOOPBACK_NAMES or _is_address(host):
        return True
    return any(_matches(host, pattern.lower()) for pattern in allowed)


def _without_port(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0]
    name, _, port = header.partition(":")
    return name.rstrip(".") if not port or port.isdigit() else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _matches(host: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def challenges(auth: Auth) -> list[str]:
    """What `WWW-Authenticate` says."""
    basic = 'Basic realm="interlock", charset="UTF-8"'
    return ['Bearer realm="interlock"', basic] if auth.token else [basic]


def admitted(auth: Auth, header: str | None) -> bool:
    """Whether an `Authorization` header fits; compared in constant time."""
    if not auth.wanted:
        return True
    scheme, _, rest = (header or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return auth.token is not None and _same(rest.strip(), auth.token.reveal())
    if scheme.lower() != "basic":
        return False
    name, password = _basic(rest.strip())
    fits = auth.token is not None and _same(password, auth.token.reveal())
    if auth.username is not None and auth.password is not None:
        same = _same(name, auth.username) & _same(password, auth.password.reveal())
        fits = fits or same
    return fits


def _same(given: str, wanted: str) -> bool:
    """Equal, told in a time that depends on neither value nor length."""
    return hmac.compare_digest(_digest(given), _digest(wanted))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _basic(text: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(text, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return "", ""
    name, _, password = decoded.partition(":")
    return name, password
