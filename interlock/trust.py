"""What TLS trusts, made once for a process, and the chain of a peer."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path
from typing import Any

from interlock.errors import UsageError


def trust(
    ca_file: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
) -> ssl.SSLContext:
    """What TLS trusts: the system's authorities and a private one; optionally our own client certificate.

    Raises `UsageError` for a file that is not what it should be.
    """
    return _trust(ca_file, certificate, key, password)


@functools.cache
def _trust(
    ca_file: Path | None, certificate: Path | None, key: Path | None, password: str | None
) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        import certifi  # noqa: PLC0415 - only where the system has no authorities of its own

        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    try:
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        if certificate is not None:
            context.load_cert_chain(certificate, key, lambda: password or "")
    except (ssl.SSLError, OSError) as exc:
        raise UsageError(f"the CA file or client certificate cannot be used: {reason(exc)}") from exc
    return context


@functools.cache
def unverified() -> ssl.SSLContext:
    """A context that trusts anybody: only to look at a chain that was refused. Nothing is sent over it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def peer_chain(tls: Any) -> tuple[bytes, ...]:
    """The certificates that the peer sent, DER, leaf first. Public from Python 3.13; before, in the C object."""
    if tls is None:
        return ()
    if hasattr(tls, "get_unverified_chain"):
        return tuple(tls.get_unverified_chain())
    import _ssl  # noqa: PLC0415 - the encoding's constant lives here

    return tuple(each.public_bytes(_ssl.ENCODING_DER) for each in tls._sslobj.get_unverified_chain() or ())  # noqa: SLF001


def reason(exc: BaseException) -> str:
    """OpenSSL's or the system's words for an error, without class names and numbers."""
    if isinstance(exc, ssl.SSLError):
        return (exc.reason or str(exc)).replace("_", " ").lower()
    return (getattr(exc, "strerror", None) or str(exc) or type(exc).__name__).strip()
