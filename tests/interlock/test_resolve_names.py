"""Names that are this machine: known by name and number, and asked of nobody else."""

from __future__ import annotations

import pytest

from interlock.listening import address
from interlock.resolve import AddrInfo, Resolver, is_loopback


@pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "mylocalhost", "localhost.example", "192.0.2.1", "::", "0.0.0.0"])
def test_another(host: str) -> None:
    assert not is_loopback(host)


async def test_a_name_below_localhost_is_looked_up_as_localhost() -> None:
    asked: list[str] = []

    def lookup(host: str, _port: int) -> list[AddrInfo]:
        asked.append(host)
        return []

    await Resolver(lookup)("api.localhost", 80)
    assert asked == ["localhost"]


def test_a_name_below_localhost_is_listened_on_at_loopback() -> None:
    assert address("api.localhost:8080", own_host=False) == ("127.0.0.1", 8080)
