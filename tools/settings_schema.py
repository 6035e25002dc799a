"""Write the JSON Schema of interlock.toml, which editors read, from the models that hold the file."""

from __future__ import annotations

import json
from pathlib import Path

from interlock import settings

if __name__ == "__main__":
    path = Path(settings.__file__).with_name("settings_schema.json")
    path.write_text(json.dumps(settings.json_schema(), indent=2) + "\n", encoding="utf-8")
