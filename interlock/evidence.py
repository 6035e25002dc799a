"""Evidence: what settles a checklist item, with its own denominators, as a file that can be checked later."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from interlock import __version__
from interlock.errors import UsageError
from interlock.records import Evidence, Verdict, plain

SCHEMA = "interlock.evidence/1"


def make(  # noqa: PLR0913 - one argument for each field that is not computed
    *,
    integration: str,
    item: str,
    verdict: Verdict,
    kind: str,
    origin: str,
    covered: Iterable[str],
    universe: Iterable[str],
    produced_at: dt.datetime,
    valid_for: dt.timedelta | None,
    finding_ids: Iterable[str] = (),
    contract_digest: str | None = None,
    subject_revision: str | None = None,
) -> Evidence:
    """A piece of evidence with its digest. `not_exercised` is what `universe` has beyond `covered`."""
    covered, universe = tuple(sorted(set(covered))), tuple(sorted(set(universe)))
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "integration": integration,
        "item": item,
        "verdict": verdict,
        "kind": kind,
        "origin": origin,
        "subject_revision": subject_revision,
        "contract_digest": contract_digest,
        "tool_version": __version__,
        "covered": covered,
        "universe": universe,
        "not_exercised": tuple(name for name in universe if name not in covered),
        "finding_ids": tuple(sorted(finding_ids)),
        "produced_at": produced_at,
        "expires_at": produced_at + valid_for if valid_for else None,
    }
    digest = digest_of(fields)
    return Evidence(id=digest[:24], digest=digest, **fields)


def digest_of(fields: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON (sorted keys, no blanks) of the fields without id, digest, signature."""
    kept = {name: plain(value) for name, value in fields.items() if name not in {"id", "digest", "signature"}}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write(evidence: Evidence, folder: Path) -> Path:
    """Write `INTEGRATION.ITEM.json` in one piece; an earlier one is replaced. Raises `UsageError`."""
    path = folder / f"{evidence.integration}.{evidence.item}.json"
    write_whole(path, json.dumps(plain(evidence), indent=2, sort_keys=True) + "\n")
    return path


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part. Raises `UsageError`.

    A device or a pipe (`/dev/stdout`) is written to as it is: a file in its place would be its end. Half a character,
    which JSON can hold and a file cannot, is written as its escape.
    """
    raw = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    try:
        if _is_device(path):
            path.write_bytes(raw)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(raw)
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:  # Ctrl-C too
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc.strerror}") from exc


def _is_device(path: Path) -> bool:
    return path.absolute().is_relative_to("/dev") or path.is_fifo() or path.is_char_device()
