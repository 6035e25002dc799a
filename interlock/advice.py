"""From a reason to plain words: why it is so, whose it is, and what to do next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from interlock.records import Outcome, Reason, State, Status

DETAIL_LIMIT = 240  # characters of what was seen that go into a sentence


class Whose(StrEnum):
    """Who can mend it."""

    NOBODY = "nobody"  # there is nothing to mend
    OURS = "ours"
    THEIRS = "theirs"
    NETWORK = "network"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Advice:
    """`why`: one plain sentence. `what_to_do`: one plain sentence. `whose`: who can mend it."""

    why: str
    what_to_do: str
    whose: Whose


@dataclass(frozen=True, slots=True)
class Row:
    """The words for one reason; `{title}` is the provider's."""

    whose: Whose
    why: str
    what_to_do: str


ROWS: dict[Reason, Row] = {
    Reason.OK: Row(
        Whose.NOBODY,
        "{title} answers as it should",
        "Nothing to do.",
    ),
    Reason.PUBLIC_FACE: Row(
        Whose.NOBODY,
        "{title} is up: it answers, and refuses a call without a credential as a live service does",
        "Nothing to do; name a credential in interlock.toml to learn whether ours is accepted.",
    ),
    Reason.SLOW: Row(
        Whose.THEIRS,
        "{title} answers correctly, but slower than the threshold",
        "Most likely them: see which phase grew, then check your timeouts and {title}'s status page.",
    ),
    Reason.ERROR_IN_BODY: Row(
        Whose.THEIRS,
        "{title} says 2xx, but its body reports an error",
        "Most likely them: read the error, then {title}'s status page, and see that our client reads bodies.",
    ),
    Reason.SHAPE: Row(
        Whose.THEIRS,
        "{title}'s answer no longer has the shape it promised",
        "Them: compare {title}'s changelog with the client we run before it breaks on the new shape.",
    ),
    Reason.UNEXPECTED_STATUS: Row(
        Whose.UNKNOWN,
        "{title} answers with a status that the catalogue does not expect",
        "Us or them: check base URL, API version and account, then {title}'s changelog.",
    ),
    Reason.REDIRECT: Row(
        Whose.OURS,
        "{title} sends us to another address, and a probe does not follow",
        "Us, most likely: set the new address as base_url after making sure that it is {title}'s.",
    ),
    Reason.SCOPE: Row(
        Whose.OURS,
        "{title} accepts our credential, but does not let it do this",
        "Us: give the credential the missing permission at {title}, or switch this probe off.",
    ),
    Reason.RATE_LIMITED: Row(
        Whose.THROTTLED,
        "{title} is up, but asks us to slow down",
        "Throttling: send fewer calls, honour Retry-After, and ask for a higher limit if it stays",
    ),
    Reason.QUOTA_EXHAUSTED: Row(
        Whose.THROTTLED,
        "{title} is up, but our quota is used up",
        "Throttling: wait for the reset, find what used the quota, or raise the plan at {title}",
    ),
    Reason.LOW_HEADROOM: Row(
        Whose.THROTTLED,
        "{title} answers, but little of our rate limit is left",
        "Throttling is near: slow down batch work now, and find out which caller uses the most.",
    ),
    Reason.PROVIDER_INCIDENT: Row(
        Whose.THEIRS,
        "{title}'s own status page reports an incident",
        "Them: follow the incident, let retries with back-off work, and tell your users if it touches them.",
    ),
    Reason.PROVIDER_MAINTENANCE: Row(
        Whose.THEIRS,
        "{title}'s own status page reports planned work",
        "Them: wait until it is over; see whether your integration needs the components that are worked on.",
    ),
    Reason.BAD_CREDENTIAL: Row(
        Whose.OURS,
        "{title} is up, but refuses our credential",
        "Us: see whether the credential was revoked or belongs to another environment, and set a new one.",
    ),
    Reason.EXPIRED_CREDENTIAL: Row(
        Whose.OURS,
        "{title} is up, but our credential has expired",
        "Us: issue a new credential at {title} and put it where the settings refer to.",
    ),
    Reason.CREDENTIAL_EXPIRES: Row(
        Whose.OURS,
        "{title} accepts our credential, but not for long",
        "Us: issue a new credential at {title} and put it where the settings refer to, before it ends.",
    ),
    Reason.ACCOUNT: Row(
        Whose.OURS,
        "{title} serves us, and restricts our account or is about to",
        "Us: see the account's page at {title}; top it up, or answer what they ask of its owner.",
    ),
    Reason.WEBHOOK_ENDPOINT: Row(
        Whose.OURS,
        "{title} is up, and will not deliver our webhooks as we want them",
        "Us: compare the endpoint registered at {title} with webhooks.url and webhooks.events.",
    ),
    Reason.API_VERSION: Row(
        Whose.OURS,
        "{title} is up, and ends the version of its API that we use",
        "Us: move to a version that {title} goes on serving, and change the parameter.",
    ),
    Reason.SERVER_ERROR: Row(
        Whose.THEIRS,
        "{title} answers with an error of its own",
        "Them: follow {title}'s status page, let retries with back-off work, and open a ticket if it lasts.",
    ),
    Reason.DNS: Row(
        Whose.NETWORK,
        "The name of {title}'s host does not resolve",
        "The network: see whether other names resolve; if so the fault is in {title}'s DNS, if not in ours.",
    ),
    Reason.CONNECT: Row(
        Whose.NETWORK,
        "{title} cannot be reached: no connection comes about",
        "The network or them: if other services are reached, see {title}'s status page; if not, our egress.",
    ),
    Reason.PROXY: Row(
        Whose.OURS,
        "Our egress proxy does not let us through to {title}",
        "Us: check the proxy's address, its password and its list of allowed hosts.",
    ),
    Reason.TLS: Row(
        Whose.NETWORK,
        "No secure connection to {title} comes about",
        "The network or them: look for a proxy that breaks TLS open, then at {title}'s supported versions.",
    ),
    Reason.CERTIFICATE_INVALID: Row(
        Whose.THEIRS,
        "{title}'s certificate cannot be trusted",
        "Do not work around it: set ca_file if a proxy of ours signs; if not, it is them or an attack.",
    ),
    Reason.CERTIFICATE_EXPIRES: Row(
        Whose.THEIRS,
        "{title}'s certificate expires soon",
        "Them, unless the host is ours: tell whoever renews it, for every call fails after that date.",
    ),
    Reason.TIMEOUT: Row(
        Whose.UNKNOWN,
        "{title} gave no whole answer in time",
        "The network or them: see in which phase it stopped; if others answer, follow {title}'s status page.",
    ),
    Reason.PROTOCOL: Row(
        Whose.THEIRS,
        "{title} sent something that is not valid HTTP",
        "Them, or a proxy between us: ask again past the proxy, then report it with the time.",
    ),
    Reason.OFFLINE: Row(
        Whose.NETWORK,
        "We ourselves are offline, so {title} cannot be judged",
        "Our network: mend the connection of the machine that probes; nothing is known against {title}.",
    ),
    Reason.NO_CREDENTIAL: Row(
        Whose.OURS,
        "Nothing could be asked of {title}: the credential is missing here",
        "Us: set the environment variable or file that the settings refer to, then restart interlock.",
    ),
    Reason.NOT_TOLD: Row(
        Whose.NOBODY,
        "{title} does not tell this",
        "Nothing to do; declare the limit if you know it, or name a credential that can be asked about.",
    ),
    Reason.UNREADABLE: Row(
        Whose.UNKNOWN,
        "{title}'s answer could not be read, so it proves nothing",
        "Them or us: open the same address by hand and see what stands there.",
    ),
    Reason.TOO_LARGE: Row(
        Whose.UNKNOWN,
        "{title}'s answer was larger than a probe reads",
        "Us, most likely: check that base_url leads to the API and not to a page or a file.",
    ),
    Reason.NOT_CONFIGURED: Row(
        Whose.OURS,
        "Nothing could be asked of {title}: the setup here lacks something",
        "Us: set what is named here, then run `interlock check` once more.",
    ),
    Reason.WRONG_MODE: Row(
        Whose.OURS,
        "{title} accepts our credential, but it belongs to the other environment",
        "Us: point the reference at a key of the right mode, or change `environment` in the settings.",
    ),
    Reason.LATE: Row(
        Whose.OURS,
        "{title} has not reported in when it should have",
        "Us: see whether the job ran, whether it hangs, and whether it can reach interlock.",
    ),
    Reason.JOB_FAILED: Row(
        Whose.OURS,
        "{title} reported that it failed",
        "Us: read the job's own log; if it calls a provider, see that provider's state here.",
    ),
    Reason.INTERNAL: Row(
        Whose.OURS,
        "interlock itself made a mistake; nothing is known against {title}",
        "Us: look in interlock's log at this time and report the mistake.",
    ),
}


def advise(seen: Outcome | Status, title: str, *, now: dt.datetime | None = None) -> Advice:
    """What to tell the reader of an outcome or a status. `title` is the provider's.

    With `now`, a `retry_at` that is still ahead is told.
    """
    outcome = seen.last if isinstance(seen, Status) else seen
    row = ROWS[outcome.reason]
    why = _with_detail(row.why.format(title=title) + _how_often(seen), outcome)
    todo = row.what_to_do.format(title=title).rstrip(".") + _until(outcome.retry_at, now) + "."
    return Advice(why, todo, row.whose)


def _how_often(seen: Outcome | Status) -> str:
    if isinstance(seen, Status) and seen.last.state is State.FAILING and seen.failures > 1:
        return f", {seen.failures} times in a row"
    return ""


def _with_detail(why: str, outcome: Outcome) -> str:
    """Add what was seen, on one line; a detail that says nothing new is left out."""
    detail = " ".join(outcome.detail.split()).rstrip(".")
    if not detail or outcome.reason in {Reason.OK, Reason.PUBLIC_FACE}:
        return f"{why}."
    short = detail if len(detail) <= DETAIL_LIMIT else detail[: DETAIL_LIMIT - 1] + "…"
    return f"{why}: {short}."


def _until(retry_at: dt.datetime | None, now: dt.datetime | None) -> str:
    if retry_at is None or now is None or retry_at <= now:
        return ""
    minutes, seconds = divmod(int((retry_at - now).total_seconds() + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    wait = (
        f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    )
    return f"; try again in {wait} ({retry_at:%H:%M:%S} UTC)"
