"""What a secret looks like: names that say a value is one, and shapes that are secret wherever they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

# The names of fields, as they are sought inside text. `secret_name` knows more, and needs the name by itself.
NAMES = (
    "access_?token|refresh_?token|id_?token|auth_?token|session_?token|api_?key|api_?secret|client_?secret|"
    "app_?secret|private_?key|secret_?key|secret_?access_?key|account_?key|shared_?access_?key|webhook_?secret|"
    "signing_?key|password|passwd|secret"
)
HEADERS = "(?:proxy-)?authorization|set-cookie|cookie|(?:x-)?api-key|x-auth-token|x-amz-security-token"
_HEADER_NEEDLES = ("authorization", "cookie", "api-key", "x-auth-token", "security-token")
_NAME_NEEDLES = ("token", "key", "secret", "password", "passwd")
_AT_MOST = 100  # characters of a name


class NameKind(StrEnum):
    """What the name of a field or header says of its value."""

    AUTHORIZATION = "authorization"  # a scheme and what proves it
    COOKIE = "cookie"  # pairs of name and value
    SET_COOKIE = "set-cookie"  # one pair, then attributes
    FIELD = "field"  # secret as it stands
    SIGNATURE = "signature"  # proves who sent it; of a fixed length
    MAYBE = "maybe"  # in a query or a form, if the value looks like one


@dataclass(frozen=True, slots=True)
class Shape:
    """What is secret wherever it stands; the groups `keep` and `keep2` stay.

    `needles`: one of them is in the lower-case form of any text that has the shape; empty: always sought.
    """

    rule: str
    pattern: re.Pattern[str]
    needles: tuple[str, ...] = ()


def _shape(rule: str, pattern: str, *needles: str, flags: re.RegexFlag = re.IGNORECASE) -> Shape:
    return Shape(rule, re.compile(pattern, flags), needles)


_EXACT = re.RegexFlag(0)
PEM = _shape(
    "private-key",
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    "private key-----",
    "private key block-----",
    flags=re.DOTALL,
)
JWT = _shape(
    "json-web-token",
    r"(?<![A-Za-z0-9])ey[JI][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*",
    "eyj",
    "eyi",
    flags=_EXACT,
)
USERINFO = _shape(
    "url-password",
    r"(?P<keep>://)(?:[^/@\s:\"'<>]*:[^/@\s\"'<>]+|[^/@\s:\"'<>]{16,})(?=@)",
    "://",
)
SCHEME = _shape(
    "authorization",
    r"(?P<keep>\b(?:bearer|basic)\s+)(?=[A-Za-z0-9._~+/=-]*?(?:\d|(?-i:[a-z][A-Z])))[A-Za-z0-9._~+/=-]{8,}",
    "bearer",
    "basic",
)
HEADER_LINE = _shape(
    "header",
    rf"(?P<keep>(?<![\w-])(?:{HEADERS}):[ \t]*)[^\s\"'][^\r\n]*",
    *(f"{name}:" for name in _HEADER_NEEDLES),
)
HEADER_IN_QUOTES = _shape(
    "header",
    rf"(?P<keep>(?<![\w-])(?:{HEADERS})(?P<q>[\"'])\s*[:,]\s*(?P<v>[\"']))(?:\\.|(?!(?P=v))[^\\])+",
    *(f"{name}{mark}" for name in _HEADER_NEEDLES for mark in "\"'"),
)
ASSIGNED = _shape(
    "field",
    rf"(?P<keep>(?:^|[?&;\s\"'])(?:{NAMES})=)[^&;\s\"'#]+"
    r"|(?P<keep2>[?&](?:key|sig|token|assertion|x-amz-(?:credential|security-token|signature)|"
    r"x-goog-(?:credential|signature))=)[^&\s\"'#]+",
    *(f"{name}=" for name in (*_NAME_NEEDLES, "sig", "assertion", "credential", "signature")),
    flags=re.IGNORECASE | re.MULTILINE,
)
QUOTED = _shape(
    "field",
    rf"(?P<keep>[\"'](?:{NAMES})[\"']\s*:\s*(?P<v>[\"']))(?:\\.|(?!(?P=v))[^\\])+",
    *(f"{name}{mark}" for name in _NAME_NEEDLES for mark in "\"'"),
)
# The order is that of replacing. Provider shapes come from the catalogue.
SHAPES = (HEADER_LINE, HEADER_IN_QUOTES, SCHEME, JWT, USERINFO, PEM, ASSIGNED, QUOTED)

# Keys of services that are no provider of the catalogue, by the prefixes that their owners gave them for this very
# purpose. source: gitleaks config/gitleaks.toml, and the services' own pages on secret scanning.
SERVICE_KEYS = tuple(
    Shape(rule, re.compile(pattern))
    for rule, pattern in (
        ("aws-access-key-id", r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
        ("google-api-key", r"\bAIza[\w-]{35}(?![\w-])"),
        ("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("slack-webhook", r"(?P<keep>\bhooks\.slack\.com/(?:services|workflows|triggers)/)[\w/+-]{20,}"),
        ("discord-webhook", r"(?P<keep>\bdiscord(?:app)?\.com/api/webhooks/\d+/)[\w-]{40,}"),
        ("gitlab-token", r"\bgl(?:pat|ptt|dt|rt|cbt|soat)-[\w-]{20,}"),
        ("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("pypi-token", r"\bpypi-AgE[\w-]{50,}"),
        ("openai-key", r"\bsk-(?:proj-|svcacct-|ant-[a-z]+\d\d-)?[A-Za-z0-9_-]{32,}"),
        ("digitalocean-token", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
        ("shopify-token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
        ("telegram-token", r"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])"),
        ("vault-token", r"\bhv[sbr]\.[\w-]{24,}"),
        ("age-key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b"),
        ("azure-client-secret", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"),
        ("azure-account-key", r"(?P<keep>\b(?:AccountKey|SharedAccessKey)=)[A-Za-z0-9+/]{20,}={0,2}"),
        ("mailchimp-key", r"\b[0-9a-f]{32}-us\d{1,2}\b"),
        (
            "stripe-client-secret",
            r"(?P<keep>\b(?:pi|seti|cs|src|ek|vs)_(?:test_|live_)?[A-Za-z0-9]{8,80}_secret_)[A-Za-z0-9_]{8,}",
        ),
    )
)

_KINDS = {
    "authorization": NameKind.AUTHORIZATION,
    "proxyauthorization": NameKind.AUTHORIZATION,
    "xauthorization": NameKind.AUTHORIZATION,
    "cookie": NameKind.COOKIE,
    "setcookie": NameKind.SET_COOKIE,
    "setcookie2": NameKind.SET_COOKIE,
    **dict.fromkeys(("key", "code", "auth", "session", "sid", "ticket"), NameKind.MAYBE),
    **dict.fromkeys(
        (
            "pwd", "pass", "passcode", "otp", "totp", "cvc", "cvv", "cvc2", "cvv2", "securitycode", "pin",
            "verificationcode", "assertion", "clientassertion", "samlresponse", "samlrequest", "codeverifier",
            "connectionstring", "bearer", "jwt", "phpsessid", "jsessionid", "xamzcredential", "xgoogcredential",
            "awsaccesskeyid", "xawsaccesskeyid", "appsecretproof", "oauthverifier", "xgithubotp", "sharedaccesskey",
            "accesskey", "secretaccesskey", "accountkey", "accesskeyid", "subscriptionkey",
            "ocpapimsubscriptionkey", "masterkey", "encryptionkey", "signingkey", "writekey", "hapikey", "authkey",
            "streamkey", "servicekey", "clientkeydata", "kmskey", "seed", "mnemonic", "recoverycode",
        ),
        NameKind.FIELD,
    ),
    "sig": NameKind.SIGNATURE,
    "xhubsignature256": NameKind.SIGNATURE,
    "xamznsignature": NameKind.SIGNATURE,
    "paypaltransmissionsig": NameKind.SIGNATURE,
}  # fmt: skip
_ENDINGS = (
    ("token", NameKind.FIELD),
    ("secret", NameKind.FIELD),
    ("password", NameKind.FIELD),
    ("passwd", NameKind.FIELD),
    ("passphrase", NameKind.FIELD),
    ("apikey", NameKind.FIELD),
    ("privatekey", NameKind.FIELD),
    ("secretkey", NameKind.FIELD),
    ("sessionid", NameKind.FIELD),
    ("signature", NameKind.SIGNATURE),
)
# They end like a secret and are none: places in a list, versions, what makes a write safe to repeat.
_HARMLESS = re.compile(
    r"(?:page|next|prev|previous|start|sync|continuation|cursor|change|version|idempotency|request|pagination|upload|"
    r"skip|postman|history|resume|entity|etag|no|has|is|needs?|cancel)token\Z|(?:no|has|is|needs?|forgot|reset)password\Z"
)
_PARTS = re.compile(r"[^\[\].:/]+")


@lru_cache(maxsize=65536)
def secret_name(name: str) -> NameKind | None:
    """What the name of a field, header, query parameter or element says of its value; None for nothing.

    Case, `-` and `_` do not count; of `user[password]` and `data.token` the last part does.
    """
    if len(name) > _AT_MOST:
        return None
    last = _PARTS.findall(name)
    plain = re.sub(r"[^a-z0-9]", "", last[-1].lower()) if last else ""
    kind = _KINDS.get(plain)
    if kind is not None or _HARMLESS.search(plain):
        return kind
    return next((kind for ending, kind in _ENDINGS if plain.endswith(ending)), None)
