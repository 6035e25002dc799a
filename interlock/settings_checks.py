"""What the shapes alone cannot tell: settings held against the catalogue, each other and the files they name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from interlock import catalogue
from interlock.catalogue import Base, Provider, places
from interlock.resolve import is_loopback
from interlock.settings_mistakes import INTEGRATION_KEYS, Mistake, meant, quoted
from interlock.settings_models import SERVICE_MODEL, IntegrationSettings, seconds
from interlock.toml_lines import KeyPath

GENERIC = "generic"
_STORES = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}")
GENERIC_CREDENTIALS = {
    "none": (),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "header": ("token",),
    "query": ("token",),
}


def check(data: Mapping[str, Any], folder: Path) -> list[Mistake]:
    """Every mistake that needs more than one key, the catalogue or a look at the disk."""
    mistakes = [*_suite(_table(data.get("suite")), folder)]
    for name, raw in _table(data.get("integrations")).items():
        if isinstance(raw, Mapping):
            mistakes += _integration(("integrations", name), raw, folder)
            if name in catalogue.names() and isinstance(raw.get("provider"), str) and raw["provider"] != name:
                mistakes.append(
                    Mistake(("integrations", name), "has the name of another provider; give it another")
                )
    taken = set(_table(data.get("integrations"))) & set(_table(data.get("heartbeats")))
    mistakes += [
        Mistake(("heartbeats", name), "has the name of an integration; give it another") for name in taken
    ]
    return mistakes


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _suite(raw: Mapping[str, Any], folder: Path) -> Iterator[Mistake]:
    yield from _files(("suite",), raw, folder)
    store = raw.get("store")
    if isinstance(store, str):
        scheme, separator, rest = store.partition("://")
        if not separator or scheme not in _STORES:
            yield Mistake(
                ("suite", "store"),
                'must be a database: "sqlite:///interlock.db" or "postgresql+psycopg://user@host/name"',
            )
        elif scheme.startswith("sqlite") and not rest.startswith("/"):
            yield Mistake(
                ("suite", "store"), 'has a slash too few: write "sqlite:///FILE", or "sqlite:////FOLDER/FILE"'
            )


def _integration(path: KeyPath, raw: Mapping[str, Any], folder: Path) -> Iterator[Mistake]:
    yield from _files(path, raw, folder)
    yield from _times(path, raw)
    yield from _in_clear(path, raw)
    name = raw.get("provider")
    if not isinstance(name, str):
        return
    if name == GENERIC:
        yield from _generic(path, raw)
    elif name in catalogue.names():
        yield from _known_provider(path, raw, catalogue.load(name))
    else:
        yield Mistake((*path, "provider"), _unknown_provider(name))


def _unknown_provider(name: str) -> str:
    said = f"unknown provider {quoted(name)}" if _PLAIN_NAME.fullmatch(name) else "unknown provider"
    near = difflib.get_close_matches(name.lower().replace("-", "_"), [*catalogue.names(), GENERIC], n=1)
    if near:
        return f"{said}; did you mean {quoted(near[0])}?"
    return f'{said}; `interlock providers` lists them; "generic" is any other HTTP API'


# --- times and files ----------------------------------------------------------------------------------------


def _times(path: KeyPath, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """A probe gives up before the next one starts, and is slow before it gives up."""
    yield from _in_order(path, raw, {})
    for kind, own in _table(raw.get("probes")).items():
        if isinstance(own, Mapping):
            yield from _in_order((*path, "probes", kind), own, raw)


def _in_order(path: KeyPath, own: Mapping[str, Any], above: Mapping[str, Any]) -> Iterator[Mistake]:
    for shorter, longer in (("timeout", "every"), ("slow_after", "timeout")):
        given = [key for key in (shorter, longer) if key in own]
        if not given or given == ["timeout"] == [longer]:
            continue  # nothing of it is said here; a short timeout only makes slow_after idle
        less, more = _seconds(shorter, own, above), _seconds(longer, own, above)
        if less is None or more is None or less < more:
            continue
        if shorter in own:
            text = f"must be less than {longer}, which is {_told(longer, own, above)}"
        else:
            text = f"must be more than {shorter}, which is {_told(shorter, own, above)}; set {shorter} too"
        yield Mistake((*path, given[0]), text)


def _seconds(key: str, own: Mapping[str, Any], above: Mapping[str, Any]) -> float | None:
    """In effect, in seconds; None where what is written is no duration."""
    value = own.get(key, above.get(key))
    if value is None:
        default: float = IntegrationSettings.model_fields[key].default
        return default
    try:
        return seconds(value)
    except ValueError:
        return None


def _told(key: str, own: Mapping[str, Any], above: Mapping[str, Any]) -> str:
    if key in own:
        return str(own[key])
    if key in above:
        return f"{above[key]} for the integration"
    return f"{IntegrationSettings.model_fields[key].default:g}s if not said"


def _files(path: KeyPath, raw: Mapping[str, Any], folder: Path) -> Iterator[Mistake]:
    own = _table(raw.get("client_certificate"))
    named = [((*path, "ca_file"), raw.get("ca_file"))]
    named += [((*path, "client_certificate", key), own.get(key)) for key in ("certificate", "key")]
    contract, where = raw.get("contract"), (*path, "contract")
    if isinstance(contract, str) and "://" in contract:
        yield Mistake(
            where, "must be a file: an address is fetched by `interlock contracts pull`, and never here"
        )
    elif isinstance(contract, str) and not contract.startswith(SERVICE_MODEL):
        named.append((where, contract))
    for where, value in named:
        if isinstance(value, str) and not _is_file(folder, value):
            yield Mistake(where, f"there is no file {quoted(value)}; it is sought beside interlock.toml")


def _is_file(folder: Path, value: str) -> bool:
    try:
        return (folder / Path(value).expanduser()).is_file()
    except (OSError, RuntimeError, ValueError):
        return False


# --- secrets in clear ---------------------------------------------------------------------------------------


def _in_clear(path: KeyPath, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    if not raw.get("credentials"):
        return
    urls = [((*path, "base_url"), raw.get("base_url"))]
    urls += [((*path, "base_urls", name), url) for name, url in _table(raw.get("base_urls")).items()]
    for where, url in urls:
        if isinstance(url, str) and _is_clear(url):
            yield Mistake(
                where, "must be https://: a credential would travel in clear; http:// is for loopback only"
            )


def _is_clear(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and bool(parts.hostname) and not is_loopback(parts.hostname or "")


# --- the generic provider -----------------------------------------------------------------------------------


def _generic(path: KeyPath, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    if "service" not in raw:
        yield Mistake(
            (*path, "service"), 'is missing; provider = "generic" needs it: write service.health.path = "/"'
        )
    if "base_url" not in raw:
        yield Mistake(
            (*path, "base_url"),
            'is missing; provider = "generic" needs it: write base_url = "https://api.example.com"',
        )
    if "provider_region" in raw:
        yield Mistake((*path, "provider_region"), 'provider = "generic" has no regions', extra=True)
    service = _table(raw.get("service"))
    auth = service.get("auth", "none")
    needed = GENERIC_CREDENTIALS.get(auth) if isinstance(auth, str) else None
    for name in _table(raw.get("credentials")):
        if needed is not None and name not in needed:
            yield Mistake((*path, "credentials", name), _not_for_auth(name, needed, auth), extra=True)
    for name in _table(raw.get("parameters")):
        yield Mistake((*path, "parameters", name), 'provider = "generic" has no parameters', extra=True)
    for name in _table(raw.get("base_urls")):
        if name != "api":
            yield Mistake(
                (*path, "base_urls", name), 'provider = "generic" has one address: write base_url', extra=True
            )
    yield from _service((*path, "service"), service, auth)


def _not_for_auth(name: str, needed: tuple[str, ...], auth: str) -> str:
    if not needed:
        return 'service.auth = "none" sends no credential; write service.auth = "bearer", or another way'
    return f"unknown credential{meant(name, needed, f'service.auth = {quoted(auth)} uses')}"


def _service(path: KeyPath, service: Mapping[str, Any], auth: object) -> Iterator[Mistake]:
    if auth == "query" and "query" not in service:
        yield Mistake((*path, "query"), 'is missing; auth = "query" needs it: write query = "api_key"')
    if auth != "query" and "query" in service:
        yield Mistake((*path, "query"), 'goes with auth = "query" only')
    if auth in {"none", "query"} and "header" in service:
        yield Mistake((*path, "header"), 'goes with auth = "header" only')
    for name in ("health", "identity"):
        schema = _table(service.get(name)).get("json_schema")
        if isinstance(schema, Mapping) and (wrong := _schema_mistake(schema)):
            yield Mistake((*path, name, "json_schema"), wrong)
    dialects = service.get("rate_limit_headers")
    for index, name in enumerate(dialects if isinstance(dialects, list) else ()):
        if isinstance(name, str) and name not in _dialects():
            text = f"unknown dialect{meant(name, _dialects(), 'the dialects are')}"
            yield Mistake((*path, "rate_limit_headers", index), text)


def _schema_mistake(schema: Mapping[str, Any]) -> str | None:
    import jsonschema  # noqa: PLC0415 - heavy, and few settings hold a schema

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as exc:
        where = "/".join(map(str, exc.absolute_path))
        return f"is not a JSON Schema: {quoted(where) + ' is wrong' if where else 'the whole is wrong'}"
    return None


def _dialects() -> tuple[str, ...]:
    from interlock.headroom import DIALECTS  # noqa: PLC0415 - needed for few settings

    return tuple(DIALECTS)


# --- a provider of the catalogue ----------------------------------------------------------------------------


def _known_provider(path: KeyPath, raw: Mapping[str, Any], provider: Provider) -> Iterator[Mistake]:
    if "service" in raw:
        yield Mistake((*path, "service"), 'goes with provider = "generic" only', extra=True)
    for key in raw:
        if key not in INTEGRATION_KEYS and (table := _home(key, provider)):
            yield Mistake((*path, key), f"unknown key; did you mean {quoted(f'{table}.{key}')}?", extra=True)
    yield from _credentials((*path, "credentials"), raw, provider)
    yield from _parameters((*path, "parameters"), raw, provider)
    yield from _addresses(path, raw, provider)


def _home(key: str, provider: Provider) -> str | None:
    """The table where a provider's own key belongs."""
    return (
        "credentials" if key in provider.credentials else "parameters" if key in provider.parameters else None
    )


def _credentials(path: KeyPath, raw: Mapping[str, Any], provider: Provider) -> Iterator[Mistake]:
    for name in _table(raw.get("credentials")):
        if name in provider.credentials:
            continue
        if name in provider.parameters:
            example = quoted(provider.parameters[name].example)
            text = (
                f"is a parameter of {provider.title}, not a credential: write parameters.{name} = {example}"
            )
        else:
            text = f"unknown credential{meant(name, provider.credentials, f'{provider.title} has')}"
        yield Mistake((*path, name), text, extra=True)


def _parameters(path: KeyPath, raw: Mapping[str, Any], provider: Provider) -> Iterator[Mistake]:
    for name, value in _table(raw.get("parameters")).items():
        known = provider.parameters.get(name)
        if known is None:
            yield Mistake((*path, name), _unknown_parameter(name, provider), extra=True)
        elif isinstance(value, str) and not re.fullmatch(known.pattern, value):
            text = f"is not what {provider.title} uses ({known.description}); an example is {quoted(known.example)}"
            yield Mistake((*path, name), text)


def _unknown_parameter(name: str, provider: Provider) -> str:
    if name in provider.credentials:
        names = provider.credentials[name].environment_names
        variable = names[0] if names else f"{provider.name}_{name}".upper()
        return f'is a credential of {provider.title}: write credentials.{name} = "env:{variable}"'
    if not provider.parameters:
        return f"{provider.title} has no parameters"
    return f"unknown parameter{meant(name, provider.parameters, f'{provider.title} has')}"


def _addresses(path: KeyPath, raw: Mapping[str, Any], provider: Provider) -> Iterator[Mistake]:
    """Each address that a probe needs can be formed from what is set."""
    names = dict.fromkeys(base.name for base in provider.bases)
    for name in _table(raw.get("base_urls")):
        if name not in names:
            text = f"unknown address{meant(name, names, f'{provider.title} has')}"
            yield Mistake((*path, "base_urls", name), text, extra=True)
    wrong_region = _wrong_region(raw, provider)
    if wrong_region:
        yield Mistake((*path, "provider_region"), wrong_region)
    if "base_url" in raw or wrong_region:
        return
    if raw.get("environment") == "stand_in" and not raw.get("base_urls"):
        text = '"stand_in" needs base_url: without it the provider itself would be asked'
        yield Mistake((*path, "environment"), text)
        return
    wanted: set[str] = set()
    for name in _asked(raw, provider) - set(_table(raw.get("base_urls"))):
        fitting = candidates(provider, name, str(raw.get("environment")), raw.get("provider_region") or "")
        if not fitting:
            yield from _no_address(path, raw, provider, name)
        wanted |= min((places(base.url) - _filled(raw, provider) for base in fitting), key=len, default=set())
    for key in sorted(wanted):
        yield Mistake(*_wanted(path, key, provider))


def _wrong_region(raw: Mapping[str, Any], provider: Provider) -> str | None:
    region = raw.get("provider_region")
    offered = sorted({base.region for base in provider.bases} - {""})
    if not isinstance(region, str) or region in offered:
        return None
    if not offered:
        return f"{provider.title} has no regions in the catalogue; leave it out, or write base_url"
    return f"unknown region{meant(region, offered, f'{provider.title} has')}"


def _filled(raw: Mapping[str, Any], provider: Provider) -> set[str]:
    """What fills the places of an address: parameters, their defaults, and public credentials."""
    known = set(_table(raw.get("parameters"))) | set(_table(raw.get("credentials")))
    return known | {key for key, parameter in provider.parameters.items() if parameter.default is not None}


def _asked(raw: Mapping[str, Any], provider: Provider) -> set[str]:
    """The names of the addresses that probes and sign-in go to with the credentials that are set."""
    given = set(_table(raw.get("credentials")))
    way = next((key for key, way in provider.auth.items() if set(way.credentials) <= given), None)
    asked = {ask.base for ask in provider.probes if not ask.auth or way in ask.auth}
    if way is not None and provider.auth[way].token_path is not None:
        asked.add(provider.auth[way].token_base)
    return asked


def _no_address(path: KeyPath, raw: Mapping[str, Any], provider: Provider, name: str) -> Iterator[Mistake]:
    bases = [base for base in provider.bases if base.name == name]
    regions = sorted({base.region for base in bases} - {""})
    worlds = sorted({base.environment for base in bases})
    environment = raw.get("environment", "live")
    if environment in {"live", "sandbox"} and "any" not in worlds and environment not in worlds:
        text = f"{provider.title} has no {environment} address; it has {', '.join(worlds)}"
        yield Mistake((*path, "environment"), text)
    elif regions and "provider_region" not in raw:
        yield Mistake((*path, "provider_region"), f"is missing; {provider.title} has {', '.join(regions)}")


def _wanted(path: KeyPath, key: str, provider: Provider) -> tuple[KeyPath, str]:
    if key in provider.parameters:
        known = provider.parameters[key]
        text = f"is missing; {provider.title} is not reached without it ({known.description}): write parameters.{key}"
        return (*path, "parameters", key), f"{text} = {quoted(known.example)}"
    names = provider.credentials[key].environment_names
    variable = names[0] if names else f"{provider.name}_{key}".upper()
    text = f"is missing; it is part of {provider.title}'s address: write credentials.{key}"
    return (*path, "credentials", key), f'{text} = "env:{variable}"'


def candidates(provider: Provider, name: str, environment: str, region: str) -> list[Base]:
    """The provider's addresses of a name that fit a world and a region, best first.

    What is the same for all regions (`region` empty) fits where the wanted one has none of its own.
    """
    world = "sandbox" if environment == "sandbox" else "live"
    own = [b for b in provider.bases if b.name == name and b.environment in {"any", world}]
    exact = [base for base in own if base.region == region]
    return exact or [base for base in own if base.region == ""]
