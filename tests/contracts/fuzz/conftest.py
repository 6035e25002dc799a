"""What a run brings in is brought in before the first test.

A run begins in a thread. pytest rewrites the asserts of schemathesis's modules as they come in, and in Python 3.11 two
threads that parse at the same time fail with a SystemError: a run that was abandoned may still be parsing.
"""

from __future__ import annotations

import importlib
import pkgutil

for _package in (
    "schemathesis.engine",
    "schemathesis.generation",
    "schemathesis.specs",
    "schemathesis.transport",
):
    for _module in pkgutil.walk_packages(importlib.import_module(_package).__path__, f"{_package}."):
        importlib.import_module(_module.name)
