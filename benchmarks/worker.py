"""The inside of a fresh process: call `module:function` with arguments in JSON and print what it returns."""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    """Read the command line and do it. A function that serves prints its own line and returns None."""
    module, _, name = sys.argv[1].partition(":")
    answer = getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))
    if answer is not None:
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
