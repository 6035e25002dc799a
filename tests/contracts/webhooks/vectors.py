"""Recorded deliveries in one form: how a case becomes a delivery, keys, a policy and ports."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.webhooks.records import Checked, Delivery, HmacShape, Keys, Policy, Ports
from contracts.webhooks.schemes import SCHEMES
from contracts.webhooks.signatures import verify
from interlock.secrets import Secret

NAMES = {
    "aws-sns": "sns",
    "ses": "sns",
    "s3": "sns",
    "azure-event-grid": "event-grid",
    "aws-cognito-token": "cognito-token",
}


@dataclass(frozen=True)
class Case:
    """One recorded delivery with everything that its check needs."""

    name: str
    scheme: str
    delivery: Delivery
    keys: Keys
    policy: Policy
    ports: Ports
    expected: str
    reason: str | None
    answer: dict[str, Any] | None

    def check(self, **policy: Any) -> Checked:
        return verify(
            self.scheme, self.delivery, self.keys, self.ports, dataclasses.replace(self.policy, **policy)
        )


def secret(text: str) -> Secret:
    return Secret(text, name="test")


def load(path: Path) -> list[Case]:
    return [case(row) for row in json.loads(path.read_text())]


def case(row: dict[str, Any]) -> Case:
    scheme = NAMES.get(row["provider"], row["provider"])
    policy = SCHEMES[scheme].policy
    if "tolerance_s" in row:
        policy = dataclasses.replace(policy, tolerance_seconds=float(row["tolerance_s"]))
    condition = row.get("precondition", "")
    if condition.startswith("expected TopicArn = "):
        policy = dataclasses.replace(policy, topics=frozenset({condition.partition(" = ")[2]}))
    seen = "already in the seen-token cache" in condition
    held = _held(row)
    ports = Ports(now=lambda: float(row["now_epoch"]), held=held.get, seen=lambda _token: seen)
    return Case(
        row["id"], scheme, _delivery(row), _keys(row, scheme), policy, ports,
        row["expected"], row.get("reason"), row.get("expected_response"),
    )  # fmt: skip


def _delivery(row: dict[str, Any]) -> Delivery:
    headers = row["headers"].items() if isinstance(row["headers"], dict) else row["headers"]
    pairs = [(n, one) for n, v in headers for one in (v if isinstance(v, list) else [v])]
    body = base64.b64decode(row["body_b64"] or "")
    return Delivery(method=row["method"], url=row["url"], headers=tuple(pairs), body=body)


def _held(row: dict[str, Any]) -> dict[str, bytes]:
    key = row["secret_or_key"]
    if isinstance(key, dict) and "cert_pem" in key:
        return {key["cert_url"]: key["cert_pem"].encode()}
    return {row["signing_cert_url"]: row["cert_pem"].encode()} if "cert_pem" in row else {}


def _keys(row: dict[str, Any], scheme: str) -> Keys:
    key = row["secret_or_key"]
    read: dict[str, Callable[[], Keys]] = {
        "sns": Keys,
        "hmac": lambda: Keys(secrets=(secret(key),), shape=HmacShape(**row["shape"])),
        "paypal": lambda: Keys(webhook_id=row["webhook_id"], roots=(row["cert_pem"],)),
        "sendgrid": lambda: Keys(public_keys=(key,)),
        "salesforce": lambda: Keys(organization_id=key.partition("=")[2]),
        "amplitude": lambda: Keys(secrets=(secret(key),), header="X-Webhook-Token"),
        "mixpanel": lambda: Keys(secrets=(secret(f"{key['username']}:{key['password']}"),)),
        "facebook": lambda: Keys(secrets=(secret(key),), verify_token=secret(key)),
    }
    if scheme in read:
        return read[scheme]()
    return _token_keys(key) if isinstance(key, dict) else Keys(secrets=(secret(key),))


def _token_keys(key: dict[str, Any]) -> Keys:
    audience = key.get("audience", key.get("clientId"))
    audiences = audience if isinstance(audience, list) else [audience]
    return Keys(
        jwks=json.dumps(key["jwks"]).encode(),
        issuers=tuple(key["issuers"]) if "issuers" in key else (key["issuer"],),
        audiences=tuple(map(str, audiences)),
        account=key.get("email"),
        token_use=key.get("tokenUse"),
    )
