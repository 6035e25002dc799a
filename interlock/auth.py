"""Signing in: one row a scheme. A signer adds the credential to a draft and to nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from interlock.catalogue import AuthWay
from interlock.errors import MissingExtra, UsageError
from interlock.http import Client, Draft
from interlock.integration import Integration
from interlock.wire import Answer, basic

Clock = Callable[[], dt.datetime]
EARLY_SECONDS = 60.0  # a token is renewed so long before its end
TOKEN_DEADLINE_SECONDS = 10.0
GOOGLE_TOKEN_SECONDS = 3600


class TokenRefused(Exception):  # noqa: N818 - it says what happened
    """The token endpoint answered, and not with a token. The answer is judged like any other."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the token endpoint answered {answer.status}")
        self.answer = answer


class Signer(Protocol):
    """Adds a credential to a request."""

    async def sign(self, draft: Draft) -> Draft:
        """The draft with the credential. Raises `TokenRefused`, `WireError`, `UsageError`."""
        ...

    def forget(self) -> bool:
        """Drop what is cached; True if there was anything, so that asking again makes sense."""
        ...

    def ready(self) -> None:
        """Import and read what signing needs, once: a key takes 50 ms. Raises `UsageError`."""
        ...


@dataclass
class _Tooled:
    """What a signer is made of. `tool`: what its scheme signs with, made once, None where it needs nothing."""

    way: AuthWay
    integration: Integration
    clock: Clock

    @functools.cached_property
    def tool(self) -> Any:
        make = _TOOLS.get(self.way.scheme)
        return None if make is None else make(self)

    def ready(self) -> None:
        """Make it now."""
        _ = self.tool

    def secret(self, number: int) -> str:
        """The credential at that place of the way."""
        return self.integration.secrets[self.way.credentials[number]].reveal()


@dataclass
class Plain(_Tooled):
    """A signer whose credential does not change: one pure function of draft, way and secrets."""

    add: Callable[[Draft, Plain], Draft]

    async def sign(self, draft: Draft) -> Draft:
        """Add it."""
        return self.add(draft, self)

    def forget(self) -> bool:
        """Nothing is cached."""
        return False

    def value(self, name: str | None) -> str:
        """A secret by its name; any other text stands for itself (a fixed user name)."""
        if name is None:
            return ""
        return self.integration.secrets[name].reveal() if name in self.integration.secrets else name


@dataclass
class Token(_Tooled):
    """A signer that holds a token it fetched, and fetches it again before it ends. One flight at a time."""

    client: Client
    request: Callable[[Token], Draft]
    _token: str | None = None
    _ends_at: dt.datetime | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sign(self, draft: Draft) -> Draft:
        """Add the token, fetched where it is missing or about to end."""
        async with self._lock:
            if self._token is None or (self._ends_at is not None and self.clock() >= self._ends_at):
                await self._fetch()
        if self.way.query is not None:
            return _with_query(draft, self.way.query, self._token or "")
        return draft.with_headers({"Authorization": f"Bearer {self._token}"})

    def forget(self) -> bool:
        """Drop the token."""
        held, self._token = self._token is not None, None
        return held

    async def _fetch(self) -> None:
        self._token = None
        answer = await self.client.ask(
            self.request(self),
            network=self.integration.network,
            folder=self.integration.folder,
            deadline_seconds=TOKEN_DEADLINE_SECONDS,
        )
        token, life_seconds = _token_in(answer)
        if life_seconds is not None:
            early = min(EARLY_SECONDS, life_seconds / 2)
            self._ends_at = self.clock() + dt.timedelta(seconds=life_seconds - early)
        self._token = token

    def url(self) -> str:
        """The token endpoint."""
        base = self.integration.bases.get(self.way.token_base)
        if base is None or self.way.token_path is None:
            raise UsageError(f"{self.integration.name}: the token endpoint's address is not known")
        return base + self.way.token_path.format_map(self.integration.parameters)


def _token_in(answer: Answer) -> tuple[str, float | None]:
    """The access token and its life in seconds. Raises `TokenRefused` if there is none."""
    try:
        body = answer.json() if answer.status == 200 else None  # noqa: PLR2004 - RFC 6749, 5.1
    except ValueError:
        body = None
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(token, str) or not token:
        raise TokenRefused(answer)
    life = body.get("expires_in")
    return token, float(life) if isinstance(life, int | float) and life > 0 else None


def _bearer(draft: Draft, signer: Plain) -> Draft:
    prefix = signer.way.prefix or "Bearer "
    return draft.with_headers({signer.way.header: prefix + signer.value(signer.way.credentials[0])})


def _header(draft: Draft, signer: Plain) -> Draft:
    return draft.with_headers(
        {signer.way.header: signer.way.prefix + signer.value(signer.way.credentials[0])}
    )


def _basic(draft: Draft, signer: Plain) -> Draft:
    return draft.with_headers(
        {"Authorization": basic(signer.value(signer.way.username), signer.value(signer.way.password))}
    )


def _query(draft: Draft, signer: Plain) -> Draft:
    assert signer.way.query is not None
    return _with_query(draft, signer.way.query, signer.value(signer.way.credentials[0]))


def _with_query(draft: Draft, name: str, value: str) -> Draft:
    added = f"{quote(name)}={quote(value, safe='')}"
    return draft.with_url(draft.url + ("&" if urlsplit(draft.url).query else "?") + added)


def _app_token(draft: Draft, signer: Plain) -> Draft:
    """Meta's app token: id and secret joined by a bar. A third credential is what is asked about, in the query."""
    app_id, app_secret, *inspected = (signer.value(name) for name in signer.way.credentials)
    if inspected and signer.way.query is not None:
        draft = _with_query(draft, signer.way.query, inspected[0])
    return draft.with_headers({"Authorization": f"Bearer {app_id}|{app_secret}"})


def _introspection(draft: Draft, signer: Plain) -> Draft:
    """RFC 7662, 2.1: the client asks about a token in a form; any other path gets the token as bearer."""
    client_id, client_secret, token = (signer.value(name) for name in signer.way.credentials)
    if urlsplit(draft.url).path != signer.way.token_path:
        return draft.with_headers({"Authorization": f"Bearer {token}"})
    fields = {"token": token, "token_type_hint": "access_token"}
    if signer.way.client_in == "form":
        fields |= {"client_id": client_id, "client_secret": client_secret}
    else:
        draft = draft.with_headers({"Authorization": basic(client_id, client_secret)})
    return draft.with_body(urlencode(fields).encode())


def _sas(draft: Draft, signer: Plain) -> Draft:
    """Azure's shared access signature: the token is a ready query string."""
    token = signer.value(signer.way.credentials[0]).lstrip("?")
    return draft.with_url(draft.url + ("&" if urlsplit(draft.url).query else "?") + token)


def _botocore(_: _Tooled) -> tuple[Any, Any, Any, Any]:
    try:
        from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415 - an extra
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415
    except ImportError as exc:
        raise MissingExtra("aws", needed_for="signing for AWS (SigV4)") from exc
    return S3SigV4Auth, SigV4Auth, AWSRequest, Credentials


def _sigv4(draft: Draft, signer: Plain) -> Draft:
    of_s3, of_others, request_of, credentials_of = signer.tool
    way, secrets = signer.way, signer.integration.secrets
    session = secrets["session_token"].reveal() if "session_token" in secrets else None
    credentials = credentials_of(signer.value(way.credentials[0]), signer.value(way.credentials[1]), session)
    region = signer.integration.parameters.get(way.region_parameter or "region", "us-east-1")
    request = request_of(method=draft.method, url=draft.url, data=draft.body, headers=dict(draft.headers))
    service = draft.service or way.service or ""
    kind = of_s3 if service == "s3" else of_others
    kind(credentials, service, region).add_auth(request)
    return draft.with_headers(dict(request.headers.items()))


def _app_key(signer: _Tooled) -> Any:
    import jwt  # noqa: PLC0415 - only for this way

    try:
        return jwt.get_algorithm_by_name("RS256").prepare_key(signer.secret(1))
    except (ValueError, TypeError, jwt.PyJWTError) as exc:
        raise UsageError(
            f"credentials.{signer.way.credentials[1]} is not a private RSA key in PEM form"
        ) from exc


def _github_app(draft: Draft, signer: Plain) -> Draft:
    """A JWT that the app signs itself: issued a minute ago, for five minutes (as PyGithub's AppAuth does)."""
    import jwt  # noqa: PLC0415 - only for this way

    now = int(signer.clock().timestamp())
    claims = {"iat": now - 60, "exp": now + 300, "iss": signer.secret(0)}
    token = jwt.encode(claims, signer.tool, algorithm="RS256")
    return draft.with_headers({"Authorization": f"Bearer {token}"})


def _client_credentials(token: Token) -> Draft:
    """RFC 6749, 4.4."""
    fields = {"grant_type": "client_credentials"}
    if token.way.scopes:
        fields["scope"] = " ".join(token.way.scopes)
    return _as_client(token, fields)


def _refresh_token(token: Token) -> Draft:
    """RFC 6749, 6: client id, client secret and refresh token, in the order of the way's credentials."""
    refresh = token.integration.secrets[token.way.credentials[2]].reveal()
    return _as_client(token, {"grant_type": "refresh_token", "refresh_token": refresh})


def _as_client(token: Token, fields: dict[str, str]) -> Draft:
    """A token request that shows id and secret by HTTP Basic or in its form (RFC 6749, 2.3.1)."""
    names, secrets = token.way.credentials, token.integration.secrets
    client_id, client_secret = secrets[names[0]].reveal(), secrets[names[1]].reveal()
    parameters = token.integration.parameters
    fields |= {name: value.format_map(parameters) for name, value in token.way.token_fields.items()}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if token.way.client_in == "form":
        fields |= {"client_id": client_id, "client_secret": client_secret}
    else:
        headers["Authorization"] = basic(client_id, client_secret)
    return Draft(
        method="POST", url=token.url(), headers=tuple(headers.items()), body=urlencode(fields).encode()
    )


def _google_account(signer: _Tooled) -> tuple[Mapping[str, Any], Callable[[dict[str, Any]], str]]:
    """The service account, and what signs claims with its key."""
    try:
        from google.auth import crypt, jwt  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise MissingExtra("gcp", needed_for="signing for Google (service account)") from exc
    try:
        account: Mapping[str, Any] = json.loads(signer.secret(0))
        key = crypt.RSASigner.from_service_account_info(account)  # type: ignore[no-untyped-call]
        _ = account["client_email"]
    except (ValueError, KeyError, TypeError) as exc:
        name = signer.way.credentials[0]
        raise UsageError(f"credentials.{name} is not the JSON of a Google service account key") from exc
    return account, lambda claims: jwt.encode(key, claims).decode()  # type: ignore[no-untyped-call]


def _google_assertion(token: Token) -> Draft:
    """RFC 7523 with google-auth's signer: the service account's own key signs for a token."""
    account, signed = token.tool
    now = int(token.clock().timestamp())
    claims = {
        "iss": account["client_email"],
        "scope": " ".join(token.way.scopes),
        "aud": account.get("token_uri") or token.url(),
        "iat": now,
        "exp": now + GOOGLE_TOKEN_SECONDS,
    }
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return Draft(
        method="POST",
        url=token.url(),
        headers=(("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")),
        body=urlencode({"grant_type": grant, "assertion": signed(claims)}).encode(),
    )


_PLAIN: dict[str, Callable[[Draft, Plain], Draft]] = {
    "none": lambda draft, _: draft,
    "bearer": _bearer,
    "header": _header,
    "basic": _basic,
    "app_token": _app_token,
    "query": _query,
    "sas": _sas,
    "sigv4": _sigv4,
    "github_app": _github_app,
    "introspection": _introspection,
}
_TOOLS: dict[str, Callable[[_Tooled], Any]] = {
    "sigv4": _botocore,
    "github_app": _app_key,
    "google_service_account": _google_account,
}
_TOKEN: dict[str, Callable[[Token], Draft]] = {
    "oauth_client_credentials": _client_credentials,
    "oauth_refresh_token": _refresh_token,
    "google_service_account": _google_assertion,
}


def signer(integration: Integration, client: Client, clock: Clock) -> Signer | None:
    """The signer for the way in which an integration signs in; None if it has no credential."""
    way = integration.auth
    if way is None:
        return None
    if way.scheme in _TOKEN:
        return Token(way, integration, clock, client, _TOKEN[way.scheme])
    return Plain(way, integration, clock, _PLAIN[way.scheme])
