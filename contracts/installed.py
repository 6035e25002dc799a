"""The service models that an installed botocore brings along, by the name of a service: `botocore:s3`."""

from __future__ import annotations

import gzip
import importlib.util
import re
from importlib.metadata import version
from pathlib import Path

from contracts.documents import MAX_BYTES
from interlock.errors import UsageError
from interlock.settings_models import SERVICE_MODEL

PREFIX = SERVICE_MODEL
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def service_model(service: str) -> tuple[bytes, str]:
    """The newest model of a service, and where it is from. Raises `UsageError`."""
    if not _NAME.fullmatch(service):
        raise UsageError(f"{PREFIX}{service}: is no name of a service", hint=f"an example is {PREFIX}s3")
    found = importlib.util.find_spec("botocore")
    if found is None or found.origin is None:
        raise UsageError(
            f"{PREFIX}{service}: botocore is not installed", hint="it comes with interlock's extra `aws`"
        )
    folder = Path(found.origin).parent / "data" / service
    files = sorted(folder.glob("*/service-2.json*"))
    if not files:
        raise UsageError(f"{PREFIX}{service}: botocore {version('botocore')} has no such service")
    return _read(files[-1]), f"botocore {version('botocore')} data/{service}/{files[-1].parent.name}"


def _read(path: Path) -> bytes:
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}") from exc
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data
