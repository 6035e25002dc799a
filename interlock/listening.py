"""Where a command may listen: loopback, unless the user says that the host is their own."""

from __future__ import annotations

from interlock.errors import UsageError
from interlock.resolve import is_localhost, is_loopback

_MAX_PORT = 65535


def address(text: str, *, own_host: bool, what: str = "the stand-in") -> tuple[str, int]:
    """`HOST:PORT`, `[::1]:PORT` or `:PORT`; loopback only, unless the host is the user's own. `UsageError`."""
    host, colon, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not colon or not port.isdigit() or int(port) > _MAX_PORT:
        raise UsageError(
            f"--listen {text!r} is not HOST:PORT", hint="such as 127.0.0.1:8080, or :0 for any port"
        )
    if not (is_loopback(host) or own_host):
        raise UsageError(
            f"--listen {text!r} is not loopback: others could reach {what}",
            hint="listen on 127.0.0.1, or add --i-own-this-host",
        )
    return ("127.0.0.1" if is_localhost(host) else host), int(port)
