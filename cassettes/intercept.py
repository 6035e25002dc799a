"""Standing between a client and its provider: a throw-away authority, and the environment that leads a client here.

The names are those that each family of clients reads: curl, OpenSSL, Python's requests and httpx, the AWS SDKs,
Node. Node's own fetch and http have no proxy before Node 24, so that a small script is loaded into it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import trustme

NODE_SCRIPT = Path(__file__).with_name("node_proxy.cjs")
_PROXY = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_AUTHORITY = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "DENO_CERT",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)
_DIRECT = ("no_proxy", "NO_PROXY")


class Authority:
    """A certificate authority for one run. Its key never leaves memory; nobody trusts it who was not told to."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="interlock record, for one run")
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def pem(self) -> str:
        """Its certificate."""
        return self._authority.cert_pem.bytes().decode()

    def context(self, host: str) -> ssl.SSLContext:
        """What a server needs to be taken for `host`; HTTP/1.1 alone is spoken."""
        if host not in self._contexts:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._authority.issue_cert(host).configure_cert(context)
            context.set_alpn_protocols(["http/1.1"])
            self._contexts[host] = context
        return self._contexts[host]


def environment(base: Mapping[str, str], *, proxy_url: str, authority: Path) -> dict[str, str]:
    """The environment of a command whose traffic is to come here, loopback included."""
    found = {name: value for name, value in base.items() if name not in _DIRECT}
    found |= dict.fromkeys(_PROXY, proxy_url) | dict.fromkeys(_AUTHORITY, str(authority))
    found |= dict.fromkeys(_DIRECT, "")  # whoever reads an empty list goes through the proxy to everywhere
    options = f"{base.get('NODE_OPTIONS', '')} --require {_quoted(NODE_SCRIPT)}".strip()
    return found | {"NODE_OPTIONS": options, "NODE_USE_ENV_PROXY": "1"}


def _quoted(path: Path) -> str:
    """As NODE_OPTIONS takes a path."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
