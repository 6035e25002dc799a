"""Print uv.lock as constraints for pip, so that an installation without uv gets the same versions."""

from __future__ import annotations

import collections
import tomllib
from pathlib import Path

LOCK = Path(__file__).parent.parent / "uv.lock"


def constraints(lock: str) -> list[str]:
    """`name==version` for every package that the lock has in one version."""
    versions = collections.defaultdict(set)
    for package in tomllib.loads(lock)["package"]:
        if "registry" in package["source"]:
            versions[package["name"]].add(package["version"])
    return [f"{name}=={found.pop()}" for name, found in sorted(versions.items()) if len(found) == 1]


if __name__ == "__main__":
    print("\n".join(constraints(LOCK.read_text(encoding="utf-8"))))
