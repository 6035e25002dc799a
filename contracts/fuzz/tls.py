"""What TLS trusts when a server is fuzzed, as files: requests, on which schemathesis stands, takes nothing else."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interlock.errors import UsageError
from interlock.settings_models import Network
from interlock.trust import trust

_BUNDLE = "authorities.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """PEM files. `authorities`: the system's and a private one; `certificate`, `key`: our own, or None."""

    authorities: Path
    certificate: Path | None = None
    key: Path | None = None


@contextlib.contextmanager
def trusted(network: Network, folder: Path) -> Iterator[Trusted]:
    """The same as everywhere else, for as long as it lasts. Raises `UsageError` for a file that cannot be used."""
    own = network.client_certificate
    if own is not None and own.password is not None:
        raise UsageError(
            f"the key {own.key} has a password, which schemathesis cannot give",
            hint="name one without in a settings file for this: --config",
        )
    private = folder / network.ca_file if network.ca_file else None
    certificate, key = (folder / own.certificate, folder / own.key) if own else (None, None)
    trust(private, certificate, key)  # what is wrong with them is said before anything is sent
    texts = [ssl.DER_cert_to_PEM_cert(each) for each in trust().get_ca_certs(binary_form=True)]
    if private is not None:
        texts.append(private.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="interlock-") as made:
        bundle = Path(made) / _BUNDLE
        bundle.write_text("\n".join(texts), encoding="utf-8")
        yield Trusted(authorities=bundle, certificate=certificate, key=key)
