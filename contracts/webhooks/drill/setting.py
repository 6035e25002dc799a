"""What a drill is set up with: the keys to sign with, keys that are wrong, and what it refuses to begin."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contracts.webhooks.configure import PUBLIC_KEY_SCHEMES, Receiver
from contracts.webhooks.drill.profiles import PROFILES, Profile, compose
from contracts.webhooks.drill.records import Bench
from contracts.webhooks.records import Keys
from contracts.webhooks.signatures import sign
from interlock import catalogue
from interlock.catalogue import Webhooks
from interlock.errors import UsageError
from interlock.listening import is_loopback
from interlock.secrets import Secret

_WRONG = "interlock-drill-made-up-wrong-secret"


def bench(
    receiver: Receiver,
    secrets: Sequence[Secret],
    *,
    url: str,
    now: float,
    run: str,
    document: Any = None,
    oversize_bytes: int = 8 * 1024 * 1024,
) -> Bench:
    """The bench, with one delivery signed to see that the secret serves. Raises `UsageError`."""
    profile = profile_of(receiver)
    keys, known = _signing(receiver, secrets), _known(receiver.provider)
    made = Bench(
        receiver=receiver, profile=profile, keys=keys, wrong=wrong(receiver.scheme, receiver.keys), url=url,
        now=now, run=run, retries=(known.retries or "") if known else "",
        accepts_200_only=known is not None and known.accepts == "200",
        document=document, oversize_bytes=oversize_bytes,
    )  # fmt: skip
    try:
        draft = compose(profile, document, "1", profile.type, url)
    except (LookupError, TypeError, ValueError) as exc:
        wanted = json.dumps(profile.document)
        raise UsageError("--payload has no places for id and type", hint=f"it looks like {wanted}") from exc
    sign(receiver.scheme, draft, keys, at=now)
    return made


def profile_of(receiver: Receiver) -> Profile:
    """How its deliveries look. Raises `UsageError` where nobody but the provider can sign."""
    if receiver.scheme not in PROFILES:
        raise UsageError(
            f"the drill cannot sign as {receiver.title}: its scheme {receiver.scheme} rests on keys that only "
            "the provider holds, signs nothing, or is not known to the drill",
            hint=f"it knows: {', '.join(sorted(PROFILES))}",
        )
    policy, profile = receiver.policy, PROFILES[receiver.scheme]
    return dataclasses.replace(
        profile,
        id_at=_one(policy.event_id) or profile.id_at,
        type_at=_one(policy.event_type) or profile.type_at,
    )


def _known(provider: str) -> Webhooks | None:
    return catalogue.load(provider).webhooks if provider in catalogue.names() else None


def _one(where: str | None) -> str | None:
    return None if where is None else where.replace("/*", "/0")


def _signing(receiver: Receiver, secrets: Sequence[Secret]) -> Keys:
    """Of several secrets the first signs; the receiver must take each of them, one drill for each."""
    own = tuple(secrets[:1]) or receiver.keys.secrets[:1]
    if not own:
        raise UsageError(
            "a secret is needed to sign with",
            hint="--secret env:NAME or file:PATH"
            + ("; for SendGrid a private key (PEM)" if receiver.scheme in PUBLIC_KEY_SCHEMES else ""),
        )
    if receiver.scheme in PUBLIC_KEY_SCHEMES:
        return dataclasses.replace(receiver.keys, private_key=own[0])
    return dataclasses.replace(receiver.keys, secrets=own)


def made_up(receiver: Receiver) -> Secret:
    """A secret of the right kind to plan with, where nothing is sent."""
    keys = wrong(receiver.scheme, Keys())
    return keys.private_key or keys.secrets[0]


def wrong(scheme: str, keys: Keys) -> Keys:
    """Keys of the right kind that no receiver holds."""
    if scheme in PUBLIC_KEY_SCHEMES:
        key = ec.generate_private_key(ec.SECP256R1())
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return dataclasses.replace(keys, private_key=Secret(text, name="wrong key"))
    text = _WRONG
    if scheme == "standard-webhooks":
        text = "whsec_" + base64.b64encode(text.encode()).decode()
    return dataclasses.replace(keys, secrets=(Secret(text, name="wrong secret"),))


def refuse_live(secrets: Sequence[Secret]) -> None:
    """Raises `UsageError` for a secret that is a live one of any provider."""
    for provider in catalogue.load_all():
        for name, known in provider.credentials.items():
            if known.live is not None and any(re.search(known.live, each.reveal()) for each in secrets):
                raise UsageError(
                    f"--secret is a live {name} of {provider.title}: the drill never signs with one",
                    hint="give the receiver under test a secret of its own",
                )


def refuse_foreign(url: str, *, own_host: bool) -> None:
    """Raises `UsageError` for a host beyond loopback, unless the user owns it; and for what cannot be sent."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not url.isascii() or parts.username is not None:
        raise UsageError("--url must be ASCII, other characters percent-encoded, and hold no user name")
    if not own_host and not is_loopback(host):
        raise UsageError(
            f"--url {host} is beyond loopback: the drill sends forgeries and floods",
            hint="run the receiver on this machine, or add --i-own-this-host",
        )


def payload(path: Path) -> Any:
    """A payload of the user's own, as JSON. Raises `UsageError`."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as exc:
        raise UsageError(f"--payload {path}: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"--payload {path} is not JSON") from exc
    if not isinstance(found, dict | list):
        raise UsageError(f"--payload {path} is neither a JSON object nor a list")
    return found
