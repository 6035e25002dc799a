"""What a stand-in knows of credentials: how to make them up, and how to check them, one row a scheme."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, quote

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from contracts.clients.faults import Request
from interlock.catalogue import AuthWay, Provider
from interlock.errors import MissingExtra

Clock = Callable[[], dt.datetime]
GRANT_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SKEW_SECONDS = 900  # what SigV4 services allow
_ZEROS = re.compile("0{4,}")  # fewer may belong to a prefix: sq0idb-, 00D
_DIGITS = "234567"  # digits that hexadecimal, base32 and base62 all have


class Seen(StrEnum):
    """What a request shows of a credential."""

    ABSENT = "absent"
    WRONG = "wrong"
    FORGED = "forged"  # the key is known, and the signature is not its own
    LATE = "late"  # the key is known, and the signature is of another time
    RIGHT = "right"

    @property
    def bad(self) -> bool:
        """Whether a credential was shown that is not good."""
        return self in {Seen.WRONG, Seen.FORGED, Seen.LATE}


@dataclass
class Keys:
    """What one stand-in holds: made-up credentials, the public halves of its key pairs, issued tokens.

    `origin`: where it listens, scheme and authority. `tokens`: end of life by token. `derived`: what is told of
    credentials and fills places: whose they are, and their certificate (PEM, escaped for JSON).
    """

    provider: Provider
    origin: str
    clock: Clock
    rng: random.Random
    token_seconds: float
    credentials: dict[str, str] = field(default_factory=dict)
    public: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    tokens: dict[str, dt.datetime] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, credential in self.provider.credentials.items():
            self.credentials[name] = self.digits(credential.example)
        for way in self.provider.auth.values():
            if way.scheme in _MAKERS:
                _MAKERS[way.scheme](self, way)

    def digits(self, example: str) -> str:
        """`example` with a digit of our own for each zero of a run of four or more."""
        return _ZEROS.sub(lambda run: "".join(self.rng.choice(_DIGITS) for _ in run[0]), example)

    def token(self) -> str:
        """A fresh access token that lives for `token_seconds`."""
        token = self.digits("madeup-token-000000000000000000000000")
        now = self.clock()
        self.tokens = {t: end for t, end in self.tokens.items() if end > now}
        self.tokens[token] = now + dt.timedelta(seconds=self.token_seconds)
        return token

    def values(self) -> dict[str, str]:
        """What fills the `{places}` of the catalogue: a made-up value for each parameter, and what is public."""
        told = {name: p.default or p.example for name, p in self.provider.parameters.items()}
        public = {n for n, credential in self.provider.credentials.items() if credential.public}
        return told | {name: self.credentials[name] for name in public} | self.derived

    def own(self, way: AuthWay) -> list[str]:
        """The values of a way's credentials, in its order."""
        return [self.credentials[name] for name in way.credentials]


def _same(one: str | None, other: str) -> bool:
    return one is not None and hmac.compare_digest(one.encode(), other.encode())


def _judge(sent: str | None, right: str) -> Seen:
    if not sent:
        return Seen.ABSENT
    return Seen.RIGHT if _same(sent, right) else Seen.WRONG


# --- making up what a zero-filled example cannot be ---


def _pair() -> tuple[rsa.RSAPublicKey, rsa.RSAPrivateKey]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private.public_key(), private


def _pem(key: rsa.RSAPrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _make_github_app(keys: Keys, way: AuthWay) -> None:
    public, private = _pair()
    keys.public[way.credentials[1]] = public
    pem = _pem(private, serialization.PrivateFormat.TraditionalOpenSSL)
    keys.credentials[way.credentials[1]] = pem.strip()


def _make_service_account(keys: Keys, way: AuthWay) -> None:
    public, private = _pair()
    name = way.credentials[0]
    keys.public[name] = public
    account = json.loads(keys.credentials[name]) | {
        "private_key": _pem(private, serialization.PrivateFormat.PKCS8),
        "token_uri": f"{keys.origin}{way.token_path}",
    }
    keys.credentials[name] = json.dumps(account)
    pem = _certificate(private, keys.clock())
    keys.derived = {
        "service_account_email": account["client_email"],
        "service_account_key_id": account["private_key_id"],
        "service_account_certificate": json.dumps(pem)[1:-1],
    }


def _certificate(private: rsa.RSAPrivateKey, now: dt.datetime) -> str:
    """A self-signed certificate of a key that was made a month ago, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made-up")])
    made = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=private.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=30))
    made = made.not_valid_after(now + dt.timedelta(days=3650))
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _make_sas(keys: Keys, way: AuthWay) -> None:
    """A signature of the right length over nothing, good for a week by the stand-in's clock."""
    example = dict(parse_qsl(keys.provider.credentials[way.credentials[0]].example))
    example["se"] = (keys.clock() + dt.timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    example["sig"] = base64.b64encode(keys.rng.randbytes(32)).decode()
    keys.credentials[way.credentials[0]] = "&".join(f"{k}={quote(v, safe='')}" for k, v in example.items())


def _need_botocore(keys: Keys, _: AuthWay) -> None:
    try:
        import botocore.auth  # noqa: F401, PLC0415 - an extra
    except ImportError as exc:
        raise MissingExtra("aws", needed_for=f"the stand-in for {keys.provider.title} (SigV4)") from exc


_MAKERS: dict[str, Callable[[Keys, AuthWay], None]] = {
    "github_app": _make_github_app,
    "google_service_account": _make_service_account,
    "sas": _make_sas,
    "sigv4": _need_botocore,
}


# --- checking what a client sends ---


def _bearer(keys: Keys, way: AuthWay, request: Request) -> Seen:
    return _judge(request.header(way.header.lower()), (way.prefix or "Bearer ") + keys.own(way)[0])


def _header(keys: Keys, way: AuthWay, request: Request) -> Seen:
    return _judge(request.header(way.header.lower()), way.prefix + keys.own(way)[0])


def _query(keys: Keys, way: AuthWay, request: Request) -> Seen:
    return _judge(dict(request.query).get(way.query or ""), keys.own(way)[0])


def _basic(keys: Keys, way: AuthWay, request: Request) -> Seen:
    names = (way.username or "", way.password or "")
    user, password = (keys.credentials.get(name, name) for name in names)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return _judge(request.header("authorization"), f"Basic {pair}")


def _app_token(keys: Keys, way: AuthWay, request: Request) -> Seen:
    """Id and secret joined by a bar; with a third credential, the token that is asked about as well."""
    app_id, app_secret, *inspected = keys.own(way)
    found = _judge(request.header("authorization"), f"Bearer {app_id}|{app_secret}")
    if found is not Seen.RIGHT or not inspected:
        return found
    return _judge(dict(request.query).get(way.query or ""), inspected[0])


def _introspection(keys: Keys, way: AuthWay, request: Request) -> Seen:
    """RFC 7662: the client asks about the right token; on any other path the token itself is shown."""
    if request.path != way.token_path:
        return _judge(request.header("authorization"), f"Bearer {keys.own(way)[2]}")
    if not request.body:
        return Seen.ABSENT
    return Seen.RIGHT if _client(keys, way, request, {"token": keys.own(way)[2]}) else Seen.WRONG


def _issued(keys: Keys, way: AuthWay, request: Request) -> Seen:
    """A token from our own token endpoint that has not reached its end: in the header, or in the query."""
    scheme, token = ((request.header("authorization") or "") + " ").split(" ", 1)
    if way.query is not None:
        scheme, token = "bearer", dict(request.query).get(way.query, "")
    if not scheme or (way.query is not None and not token):
        return Seen.ABSENT
    end = keys.tokens.get(token.strip())
    good = scheme.lower() == "bearer" and end is not None and end > keys.clock()
    return Seen.RIGHT if good else Seen.WRONG


def _sas(keys: Keys, way: AuthWay, request: Request) -> Seen:
    right = dict(parse_qsl(keys.own(way)[0]))
    sent = {name: value for name, value in request.query if name in right}
    if "sig" not in sent:
        return Seen.ABSENT
    end = dt.datetime.fromisoformat(right["se"])
    return Seen.RIGHT if sent == right and keys.clock() < end else Seen.WRONG


def _claims(keys: Keys, name: str, token: str) -> Mapping[str, Any] | None:
    """The claims of a JWT that the private half of `name` signed and that is in time; None otherwise."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            keys.public[name],
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False, "verify_nbf": False},
        )
    except jwt.PyJWTError:
        return None
    now = keys.clock().timestamp()
    issued, end = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int | float) or not isinstance(end, int | float):
        return None
    return claims if issued <= now + 60 and now < end else None


def _github_app(keys: Keys, way: AuthWay, request: Request) -> Seen:
    """GitHub takes RS256 for at most ten minutes, issued by the app's number."""
    token = (request.header("authorization") or "").removeprefix("Bearer ")
    if token.count(".") != 2:  # noqa: PLR2004 - the three parts of a JWT
        return Seen.ABSENT
    claims = _claims(keys, way.credentials[1], token)
    if claims is None or str(claims.get("iss")) != keys.own(way)[0]:
        return Seen.WRONG
    return Seen.RIGHT if claims["exp"] - keys.clock().timestamp() <= 600 else Seen.WRONG  # noqa: PLR2004


_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?")


def _sigv4(keys: Keys, way: AuthWay, request: Request) -> Seen:
    """Signed again by botocore with what the client says it signed; the two signatures must agree."""
    authorization = request.header("authorization")
    if not authorization:
        return Seen.ABSENT
    match = _SIGNED.match(authorization)
    parts = dict(part.split("=", 1) for part in re.split(r",\s*", authorization) if "=" in part)
    moment = request.header("x-amz-date") or ""
    wanted = keys.own(way)
    if match is None or match[1] != wanted[0]:
        return Seen.WRONG
    if len(wanted) > 2 and not _same(request.header("x-amz-security-token"), wanted[2]):  # noqa: PLR2004
        return Seen.WRONG
    if not _in_time(moment, keys.clock()):
        return Seen.LATE
    region, service = match[3], match[4]
    if service not in _services(keys, way, request) or not _payload_holds(request):
        return Seen.FORGED
    again = _signature(
        keys, request, (wanted[0], wanted[1]), (region, service), parts.get("SignedHeaders", "")
    )
    return Seen.RIGHT if _same(parts.get("Signature"), again) else Seen.FORGED


def service_of(request: Request) -> str | None:
    """The service that the request is signed for; None if it is not signed so."""
    match = _SIGNED.match(request.header("authorization") or "")
    return match[4] if match else None


def _services(keys: Keys, way: AuthWay, request: Request) -> set[str | None]:
    """The services that a signature may name: those of the questions that it may be, else all that are known."""
    asks = [ask for ask in keys.provider.probes if ask.path.partition("?")[0] == request.path]
    told = [ask for ask in asks if ask.body_with(keys.values()) == request.body]
    known = {way.service, *(error.service for error in keys.provider.errors if error.service)}
    return {ask.service or way.service for ask in told if ask.credentialed} or known


def _in_time(moment: str, now: dt.datetime) -> bool:
    try:
        at = dt.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return abs((now - at).total_seconds()) <= SKEW_SECONDS


def _payload_holds(request: Request) -> bool:
    claimed = request.header("x-amz-content-sha256")
    return claimed in {None, "UNSIGNED-PAYLOAD", hashlib.sha256(request.body).hexdigest()}


def _signature(
    keys: Keys, request: Request, pair: tuple[str, str], scope: tuple[str, str], signed: str
) -> str:
    from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415 - an extra
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    names = signed.split(";")
    headers = {name: value for name, value in request.headers if name in names}
    again = AWSRequest(
        method=request.method, url=keys.origin + request.target, data=request.body, headers=headers
    )
    again.context["timestamp"] = request.header("x-amz-date")
    kind = S3SigV4Auth if scope[1] == "s3" else SigV4Auth
    signer = kind(Credentials(*pair), scope[1], scope[0])
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return str(signer.signature(text, again))


VERIFY: dict[str, Callable[[Keys, AuthWay, Request], Seen]] = {
    "none": lambda _, way, __: Seen.ABSENT if way.credentials else Seen.RIGHT,  # it is not sent
    "bearer": _bearer,
    "header": _header,
    "query": _query,
    "basic": _basic,
    "app_token": _app_token,
    "sas": _sas,
    "sigv4": _sigv4,
    "github_app": _github_app,
    "introspection": _introspection,
    "oauth_client_credentials": _issued,
    "oauth_refresh_token": _issued,
    "google_service_account": _issued,
}


# --- token endpoints: may this request have a token? ---


def _client_credentials(keys: Keys, way: AuthWay, request: Request) -> bool:
    """RFC 6749, 4.4."""
    return _client(keys, way, request, {"grant_type": "client_credentials"})


def _refresh_token(keys: Keys, way: AuthWay, request: Request) -> bool:
    """RFC 6749, 6."""
    return _client(keys, way, request, {"grant_type": "refresh_token", "refresh_token": keys.own(way)[2]})


def _client(keys: Keys, way: AuthWay, request: Request, wanted: dict[str, str]) -> bool:
    """The client's id and secret, by HTTP Basic or in the form, and the fields of the request."""
    client_id, client_secret = keys.own(way)[:2]
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    wanted |= {name: value.format_map(keys.values()) for name, value in way.token_fields.items()}
    if way.client_in == "form":
        wanted |= {"client_id": client_id, "client_secret": client_secret}
        named = True
    else:
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        named = _same(request.header("authorization"), f"Basic {pair}")
    return named and all(_same(form.get(name), value) for name, value in wanted.items())


def _assertion(keys: Keys, way: AuthWay, request: Request) -> bool:
    """RFC 7523: an assertion that the service account's key signed, for this endpoint."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    name = way.credentials[0]
    account = json.loads(keys.credentials[name])
    claims = _claims(keys, name, form.get("assertion", ""))
    if claims is None or form.get("grant_type") != GRANT_JWT:
        return False
    return bool(claims.get("iss") == account["client_email"] and claims.get("aud") == account["token_uri"])


GRANT: dict[str, Callable[[Keys, AuthWay, Request], bool]] = {
    "oauth_client_credentials": _client_credentials,
    "oauth_refresh_token": _refresh_token,
    "google_service_account": _assertion,
}
