"""What a drill is set up with: the keys to sign with, keys that are wrong, and what it refuses to begin."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contracts.contract import Contract
from contracts.webhooks.configure import PUBLIC_KEY_SCHEMES, Receiver, lacking
from contracts.webhooks.drill import payloads
from contracts.webhooks.drill.profiles import PROFILES, Profile, compose, fitted
from contracts.webhooks.drill.records import Bench
from contracts.webhooks.records import HmacShape, Keys
from contracts.webhooks.signatures import sign
from interlock import catalogue
from interlock.catalogue import Webhooks
from interlock.errors import UsageError
from interlock.http import Client
from interlock.resolve import is_loopback
from interlock.secrets import Secret
from interlock.settings_models import Network
from interlock.wire import Wire

_WRONG = "interlock-drill-made-up-wrong-secret"
PRIVATE_KEY_SCHEMES = PUBLIC_KEY_SCHEMES | {"paypal", "sns", "google-pubsub-push", "google-risc"}
_CERTIFIED = frozenset({"paypal", "sns"})
_MADE_UP: dict[str, Any] = {
    "webhook_id": "made-up",
    "organization_id": "00D00000000MADE",
    "audiences": ("made-up",),
    "issuers": ("https://issuer.example",),
    "account": "made-up@drill.example",
}
# Whose tokens these are, where the settings name no issuer.
_ISSUERS = {"google-risc": ("https://accounts.google.com",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """How the drill signs. `secrets`: the first signs; for `PRIVATE_KEY_SCHEMES` a private key (PEM).

    `key_id`: the name of that key in the set that the receiver reads; `certificate_url`: where its certificate is.
    """

    secrets: tuple[Secret, ...] = ()
    key_id: str = "interlock-drill"
    certificate_url: str | None = None


def bench(  # noqa: PLR0913 - what a drill is of
    receiver: Receiver,
    signer: Signer,
    *,
    url: str,
    now: float,
    run: str,
    document: Any = None,
    contract: Contract | None = None,
    oversize_bytes: int = 8 * 1024 * 1024,
) -> Bench:
    """The bench, with one delivery signed to see that the secret serves. Raises `UsageError`."""
    keys, known = _signing(receiver, signer), _known(receiver.provider)
    profile = profile_of(receiver, keys)
    events = payloads.of(contract, profile) if contract else ()
    made = Bench(
        receiver=receiver, profile=profile, keys=keys, wrong=wrong(receiver.scheme, keys), url=url,
        now=now, run=run, retries=(known.retries or "") if known else "",
        accepts=accepted(known.accepts) if known else None, document=document, events=events,
        contract_digest=contract.digest if contract and events else None, oversize_bytes=oversize_bytes,
    )  # fmt: skip
    try:
        draft = compose(profile, document, "1", profile.type, url)
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        wanted = profile.document if isinstance(profile.document, str) else json.dumps(profile.document)
        raise UsageError("--payload has no places for id and type", hint=f"it looks like {wanted}") from exc
    sign(receiver.scheme, draft, keys, at=now)
    return made


def profile_of(receiver: Receiver, keys: Keys) -> Profile:
    """How its deliveries look. Raises `UsageError` for a scheme that delivers nothing."""
    if receiver.scheme not in PROFILES:
        raise UsageError(
            f"{receiver.scheme} is a check of tokens, not of deliveries: there is nothing to drill",
            hint=f"the drill knows: {', '.join(sorted(PROFILES))}",
        )
    policy, profile = receiver.policy, fitted(receiver.scheme, keys)
    if receiver.scheme == "sns":
        return _of_topic(receiver, profile)
    if receiver.scheme in {"salesforce", "google-risc"}:
        return profile  # no JSON that a pointer of the catalogue's could lead into, once it is sent
    return dataclasses.replace(
        profile,
        id_at=_one(policy.event_id) or profile.id_at,
        type_at=_one(policy.event_type) or profile.type_at,
    )


def _of_topic(receiver: Receiver, profile: Profile) -> Profile:
    """What the receiver's own topic carries; the type stands in its `Message`, or nowhere."""
    where = receiver.policy.event_type
    document = profile.document | {"TopicArn": min(receiver.policy.topics or {profile.document["TopicArn"]})}
    return dataclasses.replace(
        profile,
        document=document,
        type_at=None if where in {None, "/Type"} else f"/Message{where}",
    )


def accepted(text: str) -> frozenset[int] | None:
    """The statuses of the catalogue's words (`200`, `102, 200`, `200 to 204`); None where it is every 2xx."""
    told = text.partition(" with ")[0]
    span = re.fullmatch(r"(\d{3}) to (\d{3})", told)
    if span:
        return frozenset(range(int(span[1]), int(span[2]) + 1))
    return frozenset(map(int, re.findall(r"\b\d{3}\b", told))) or None


def _known(provider: str) -> Webhooks | None:
    return catalogue.load(provider).webhooks if provider in catalogue.names() else None


def _one(where: str | None) -> str | None:
    return None if where is None else where.replace("/*", "/0")


def _signing(receiver: Receiver, signer: Signer) -> Keys:
    """Of several secrets the first signs; the receiver must take each of them, one drill for each."""
    missing = [name for name in lacking(receiver) if name not in {"secrets", "public_keys"}]
    if missing:
        raise UsageError(
            f"to sign as {receiver.title} the drill must know {', '.join(missing)} of the receiver",
            hint=f"set {missing[0]} under [integrations.NAME.webhooks], and drill that NAME",
        )
    if receiver.scheme == "salesforce":
        return receiver.keys
    by_key = _by_private_key(receiver.scheme, receiver.keys)
    own = signer.secrets[:1] or (() if by_key else receiver.keys.secrets[:1])
    if not own:
        raise UsageError(
            "a secret is needed to sign with",
            hint="--secret env:NAME or file:PATH"
            + ("; a private key (PEM) whose public half the receiver under test trusts" if by_key else ""),
        )
    if not by_key:
        return dataclasses.replace(receiver.keys, secrets=own)
    if receiver.scheme in _CERTIFIED and not signer.certificate_url:
        raise UsageError(
            f"{receiver.title} says in each delivery where the certificate of its key is: that URL is needed",
            hint="--certificate-url URL, from which the receiver under test reads the certificate of that key",
        )
    return dataclasses.replace(
        receiver.keys,
        private_key=own[0],
        key_id=signer.key_id,
        certificate_url=signer.certificate_url,
        issuers=receiver.keys.issuers or _ISSUERS.get(receiver.scheme, ()),
    )


def _by_private_key(scheme: str, keys: Keys) -> bool:
    return scheme in PRIVATE_KEY_SCHEMES or (scheme == "event-grid" and bool(keys.issuers))


def planning(receiver: Receiver, signer: Signer) -> tuple[Receiver, Signer]:
    """Both with made-up values where something is missing, to plan with: nothing is sent."""
    missing = {name: _MADE_UP[name] for name in lacking(receiver) if name in _MADE_UP}
    keys = dataclasses.replace(receiver.keys, **missing)
    if receiver.scheme == "hmac" and keys.shape is None:
        keys = dataclasses.replace(keys, shape=HmacShape(header="X-Signature"))
    made = wrong(receiver.scheme, keys)
    secret = made.private_key or next(iter(made.secrets), None)
    secrets = signer.secrets or ((secret,) if secret else ())
    url = signer.certificate_url or "https://sns.us-east-1.amazonaws.com/made-up.pem"
    return dataclasses.replace(receiver, keys=keys), dataclasses.replace(
        signer, secrets=secrets, certificate_url=url
    )


def wrong(scheme: str, keys: Keys) -> Keys:
    """Keys of the right kind that no receiver holds."""
    if scheme == "salesforce":
        return dataclasses.replace(keys, organization_id="00D00000000WRON")
    if _by_private_key(scheme, keys):
        text = _wrong_key(elliptic=scheme in PUBLIC_KEY_SCHEMES)
        return dataclasses.replace(keys, private_key=Secret(text, name="wrong key"))
    text = _WRONG
    if scheme == "standard-webhooks":
        text = "whsec_" + base64.b64encode(text.encode()).decode()
    elif scheme == "mixpanel":
        text = f"interlock:{text}"
    elif keys.shape is not None and keys.shape.key_encoding != "text":
        raw = text.encode()
        text = raw.hex() if keys.shape.key_encoding == "hex" else base64.b64encode(raw).decode()
    return dataclasses.replace(keys, secrets=(Secret(text, name="wrong secret"),))


@functools.cache
def _wrong_key(*, elliptic: bool) -> str:
    """A private key of this process alone; making one of RSA takes long."""
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def wire(network: Network, folder: Path, url: str) -> Wire:
    """The way to the receiver: the settings' private CA and client certificate; their proxy only beyond loopback."""
    near = is_loopback(urlsplit(url).hostname or "")
    return Client().wire(network.model_copy(update={"proxy": None}) if near else network, folder)


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
