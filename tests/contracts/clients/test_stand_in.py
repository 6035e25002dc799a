"""The stand-in of every provider answers as its catalogue says, to interlock's own client and to a stranger."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import random
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.clients.faults import FAULTS
from contracts.clients.stand_in import STATES, StandIn
from interlock import catalogue, headroom
from interlock.errors import UsageError
from interlock.headroom import Reading
from interlock.integration import Integration
from interlock.records import ProbeKind, Reason, State
from interlock.secrets import Secret
from tests.contracts.clients.asking import ask, integrate, now

WAYS = [(p.name, way) for p in catalogue.load_all() for way in p.auth]
KINDS = [ProbeKind.REACHABILITY, ProbeKind.CREDENTIAL, ProbeKind.HEADROOM]


def if_it_can_be_told(state: State, it: Integration, kind: ProbeKind = ProbeKind.CREDENTIAL) -> State:
    """The state, or unknown where the catalogue says that no answer tells."""
    question = it.ask(kind)
    return State.UNKNOWN if question is not None and question.cannot_tell else state


def tells_the_reset(dialects: tuple[str, ...]) -> bool:
    """Whether headers of these dialects say when an exhausted limit is whole again."""
    room = Reading(bucket="default", limit=9.0, remaining=0.0, reset_at=now() + dt.timedelta(seconds=30))
    told = [headroom.read([name], headroom.write(name, room, now()), now(), None) for name in dialects]
    return any(each.reset_at is not None for rooms in told for each in rooms)


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = now()

    def __call__(self) -> dt.datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


def client(**options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=5.0, **options)


@pytest.fixture
def bearer() -> Callable[[StandIn, str], dict[str, str]]:
    return lambda s, name: {"authorization": f"Bearer {s.credentials[name]}"}


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_every_probe_of_every_way_is_operational(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn(name) as s:
        it = integrate(s.settings(way), s.environ, monkeypatch)
        assert it.way == way
        for kind in KINDS:
            if s.provider.ask(kind, way) is not None:
                judged = await ask(it, kind)
                assert judged.state is if_it_can_be_told(State.OPERATIONAL, it, kind), (kind, judged)
        assert s.answered(429) == 0


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_a_revoked_credential_is_auth_failed_in_every_way(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn(name) as s:
        it = integrate(s.settings(way), s.environ, monkeypatch)
        await s.set_state("revoked")
        judged = await ask(it, ProbeKind.CREDENTIAL)
        assert judged.state is if_it_can_be_told(State.AUTH_FAILED, it), judged
        assert judged.reason in {Reason.BAD_CREDENTIAL, Reason.NOT_TOLD}


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_a_credential_of_another_run_is_auth_failed(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same shape, signed or sent in the same way, but another key: the stand-in really verifies."""
    async with StandIn(name) as s, StandIn(name) as other:
        it = integrate(s.settings(way), s.environ, monkeypatch)
        secrets = {n: Secret(other.credentials[n], name=n) for n in it.secrets}
        judged = await ask(dataclasses.replace(it, secrets=secrets), ProbeKind.CREDENTIAL)
        assert judged.state is if_it_can_be_told(State.AUTH_FAILED, it), judged


async def test_a_provider_that_checks_nothing_answers_any_key_alike() -> None:
    async with StandIn("segment") as s, client() as c:
        headers = {"content-type": "application/json"}
        keys = (s.credentials["write_key"], "nobody-has-this")
        answers = [
            await c.post(f"{s.url}/v1/track", content="not JSON", headers=headers, auth=auth)
            for auth in (httpx.BasicAuth(keys[0], ""), httpx.BasicAuth(keys[1], ""), httpx.Auth())
        ]
        assert {(r.status_code, r.text) for r in answers} == {(400, answers[0].text)}
    async with StandIn("google_analytics") as s, client() as c:
        question = s.provider.ask(ProbeKind.CREDENTIAL, "api_secret")
        assert question is not None
        url = f"{s.url}/debug/mp/collect?measurement_id=G-MADEUP1234&api_secret="
        answers = [
            await c.post(url + secret, content=question.body) for secret in (s.credentials["api_secret"], "x")
        ]
        assert {(r.status_code, r.text) for r in answers} == {(200, '{"validationMessages": []}')}


async def test_two_ways_may_share_a_token_endpoint() -> None:
    async with StandIn("salesforce") as s, client() as c:
        url = f"{s.url}/services/oauth2/token"
        client_id, secret = s.credentials["consumer_key"], s.credentials["consumer_secret"]
        pair = {"client_id": client_id, "client_secret": secret}
        refresh = {"grant_type": "refresh_token", "refresh_token": s.credentials["refresh_token"]}
        assert (await c.post(url, data=pair | refresh)).status_code == 200
        assert (await c.post(url, data=refresh)).status_code == 400
        assert (await c.post(url, data=pair | refresh | {"refresh_token": "x"})).status_code == 400
        form = {"grant_type": "client_credentials"}
        assert (await c.post(url, data=form, auth=(client_id, secret))).status_code == 200
        assert (await c.post(url, data=form | pair)).status_code == 400


@pytest.mark.parametrize("name", catalogue.names())
async def test_throttled_is_judged_throttled_with_the_time_where_the_provider_tells_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn(name) as s:
        it = integrate(s.settings(), s.environ, monkeypatch)
        await s.set_state("throttled")
        judged = await ask(it, ProbeKind.CREDENTIAL)
        assert judged.state is State.THROTTLED
        limits = s.provider.rate_limits
        assert (judged.retry_at is not None) == (limits.retry_after or tells_the_reset(limits.dialects))
        await s.set_state("throttled", seconds=90)
        judged = await ask(it, ProbeKind.CREDENTIAL)
        assert judged.retry_at is not None
        assert 80 < (judged.retry_at - now()).total_seconds() < 92


@pytest.mark.parametrize("name", catalogue.names())
async def test_an_outage_is_failing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn(name) as s:
        it = integrate(s.settings(), s.environ, monkeypatch)
        await s.set_state("outage")
        for kind in (ProbeKind.REACHABILITY, ProbeKind.CREDENTIAL):
            assert (await ask(it, kind)).state is State.FAILING


@pytest.mark.parametrize("name", catalogue.names())
def test_made_up_credentials_fit_the_catalogue_and_keys_differ_from_run_to_run(name: str) -> None:
    async def run() -> dict[str, str]:
        async with StandIn(name) as s:
            return s.credentials

    one, two = asyncio.run(run()), asyncio.run(run())
    provider = catalogue.load(name)
    for key, credential in provider.credentials.items():
        if credential.pattern:
            assert re.search(credential.pattern, one[key]), key
        if credential.redact:
            assert re.search(credential.redact, "?" + one[key]), key
        if not credential.public:
            assert one[key] != two[key], key


async def test_a_seed_makes_the_same_keys() -> None:
    async with StandIn("stripe", rng=random.Random(7)) as one, StandIn("stripe", rng=random.Random(7)) as two:
        assert one.credentials == two.credentials


async def test_headers_count_down_in_the_providers_dialect_and_begin_anew(bearer: Any) -> None:
    clock = Hand()
    async with StandIn("sendgrid", clock=clock, requests_per_window=3, window_seconds=60) as s, client() as c:
        left = []
        for _ in range(4):
            r = await c.get(f"{s.url}/v3/scopes", headers=bearer(s, "api_key"))
            left.append((r.status_code, r.headers["x-ratelimit-limit"], r.headers["x-ratelimit-remaining"]))
        assert left == [(200, "3", "2"), (200, "3", "1"), (200, "3", "0"), (429, "3", "0")]
        reset = int(r.headers["x-ratelimit-reset"])
        assert 59 <= reset - clock.now.timestamp() <= 61
        clock.on(61)
        r = await c.get(f"{s.url}/v3/scopes", headers=bearer(s, "api_key"))
        assert (r.status_code, r.headers["x-ratelimit-remaining"]) == (200, "2")
        assert s.requests == {("/v3/scopes", 200): 4, ("/v3/scopes", 429): 1}


async def test_the_quota_endpoint_is_free_and_tells_what_other_traffic_used(bearer: Any) -> None:
    async with StandIn("github") as s, client() as c:
        s.use(4900)
        for _ in range(2):
            r = await c.get(f"{s.url}/rate_limit", headers=bearer(s, "token"))
            core = r.json()["resources"]["core"]
            assert (core["remaining"], core["used"], r.headers["x-ratelimit-remaining"]) == (100, 4900, "100")
            assert core["reset"] == int(r.headers["x-ratelimit-reset"])
        s.use(200)
        r = await c.get(f"{s.url}/rate_limit", headers=bearer(s, "token"))
        assert (r.status_code, r.json()["resources"]["core"]["remaining"]) == (200, 0)
        r = await c.get(f"{s.url}/user", headers=bearer(s, "token"))
        assert r.status_code == 403
        assert "retry-after" in r.headers


async def test_the_right_credential_on_an_unknown_path_is_not_found_and_counts(bearer: Any) -> None:
    async with StandIn("github", requests_per_window=10) as s, client() as c:
        r = await c.get(f"{s.url}/user/repos", headers=bearer(s, "token"))
        assert (r.status_code, r.headers["x-ratelimit-remaining"]) == (404, "9")
        assert (await c.get(f"{s.url}/user/repos")).status_code == 401


async def test_a_token_ends_and_a_new_one_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Hand()
    async with StandIn("paypal", clock=clock, token_seconds=100) as s, client() as c:
        pair = (s.credentials["client_id"], s.credentials["client_secret"])
        form = {"grant_type": "client_credentials"}
        told = (await c.post(f"{s.url}/v1/oauth2/token", auth=pair, data=form)).json()
        assert told["expires_in"] == 100
        url = f"{s.url}/v1/notifications/webhooks-event-types"
        headers = {"authorization": f"Bearer {told['access_token']}"}
        assert (await c.get(url, headers=headers)).status_code == 200
        clock.on(101)
        assert (await c.get(url, headers=headers)).status_code == 401
        it = integrate(s.settings(), s.environ, monkeypatch)
        assert (await ask(it, ProbeKind.CREDENTIAL, clock)).state is State.OPERATIONAL
        wrong = await c.post(f"{s.url}/v1/oauth2/token", auth=(pair[0], "no"), data=form)
        assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


async def test_a_shared_access_signature_ends_after_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Hand()
    async with StandIn("azure_blob", clock=clock) as s:
        it = integrate(s.settings("sas"), s.environ, monkeypatch)
        assert (await ask(it, ProbeKind.CREDENTIAL)).state is State.OPERATIONAL
        clock.on(8 * 86400)
        assert (await ask(it, ProbeKind.CREDENTIAL)).state is State.AUTH_FAILED


async def test_a_signature_fits_no_other_request_and_no_other_time() -> None:
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    clock = Hand()
    async with StandIn("s3", clock=clock) as s, client() as c:
        question = s.provider.ask(ProbeKind.CREDENTIAL, "keys")
        assert question is not None
        keys = Credentials(s.credentials["access_key_id"], s.credentials["secret_access_key"])
        request = AWSRequest(
            method="POST", url=s.url + "/", data=question.body, headers=dict(question.headers)
        )
        SigV4Auth(keys, "sts", "us-east-1").add_auth(request)
        headers = dict(request.headers.items())
        good = await c.post(s.url + "/", content=question.body, headers=headers)
        assert good.status_code == 200
        other = await c.post(s.url + "/?x=1", content=question.body, headers=headers)
        assert other.status_code == 403
        clock.on(1000)
        late = await c.post(s.url + "/", content=question.body, headers=headers)
        assert late.status_code == 403


async def test_down_refuses_connections_and_comes_back_on_the_same_port() -> None:
    async with StandIn("stripe") as s, client() as c:
        url = f"{s.url}/v1/balance"
        assert (await c.get(url)).status_code == 401
        await s.set_state("down")
        await s.set_state("down")
        with pytest.raises(httpx.ConnectError):
            await c.get(url)
        await s.set_state("healthy")
        assert (await c.get(url)).status_code == 401


async def test_slow_waits_as_long_as_it_is_told_and_no_test_does() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with StandIn("stripe", sleep=sleep) as s, client() as c:
        await s.set_state("slow", seconds=3)
        assert (await c.get(f"{s.url}/v1/balance")).status_code == 401
        await s.set_state("slow")
        await c.get(f"{s.url}/v1/balance")
    assert waited == [3, 5]


async def test_it_is_steered_by_its_control_port_also_when_it_is_down() -> None:
    async with StandIn("github") as s, client() as c:
        for state in [*STATES, *FAULTS]:
            r = await c.post(s.control_url, json={"state": state})
            assert (r.status_code, r.json()["state"], s.mood.state) == (200, state, state)
        r = await c.post(s.control_url, json={"state": "healthy", "use": 10})
        assert (r.json()["limit"], r.json()["remaining"]) == (5000, 4990)
        told = (await c.get(s.control_url)).json()
        assert (told["schema"], told["provider"]) == ("interlock.stand-in/1", "github")


async def test_a_web_page_cannot_steer_it() -> None:
    """Another host name (DNS rebinding) and a form's media type (no preflight) are refused."""
    async with StandIn("github") as s, client() as c:
        r = await c.post(s.control_url, json={"state": "down"}, headers={"host": "evil.example"})
        assert r.status_code == 403
        r = await c.post(s.control_url, content='{"state": "down"}', headers={"content-type": "text/plain"})
        assert r.status_code == 415
        assert s.mood.state == "healthy"


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"stat": "down"}', '{"state": "dwn"}', '{"use": "x"}', '{"use": null}']
)
async def test_what_it_does_not_understand_is_refused(body: str) -> None:
    async with StandIn("github") as s, client() as c:
        r = await c.post(s.control_url, content=body, headers={"content-type": "application/json"})
        assert r.status_code == 400
        assert s.mood.state == "healthy"


async def test_an_unknown_state_names_the_nearest() -> None:
    async with StandIn("github") as s:
        with pytest.raises(UsageError, match="no state or fault is called 'outge'; did you mean 'outage'"):
            await s.set_state("outge")


async def test_tls_is_served_with_an_authority_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn("stripe", tls=True) as s:
        assert s.ca_pem is not None
        ca = tmp_path / "ca.pem"
        ca.write_text(s.ca_pem)
        it = integrate(s.settings(ca_file=ca), s.environ, monkeypatch)
        assert (await ask(it, ProbeKind.CREDENTIAL)).state is State.OPERATIONAL
        async with client(verify=ssl.create_default_context()) as c:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await c.get(f"{s.url}/v1/balance")


async def test_stopping_does_not_wait_for_a_tls_client_that_stays() -> None:
    async with asyncio.timeout(5):
        async with StandIn("stripe", tls=True) as s:
            assert s.ca_pem is not None
            context = ssl.create_default_context(cadata=s.ca_pem)
            port = int(s.url.rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.transport.abort()


async def test_its_own_client_requests_are_counted_without_their_query() -> None:
    """A signature in a query must not be kept."""
    async with StandIn("azure_blob") as s, client() as c:
        await c.get(f"{s.url}/?comp=list&maxresults=1&{s.credentials['sas_token']}")
        assert s.requests == {("/", 200): 1}
        assert s.credentials["sas_token"] not in str(s.report())
