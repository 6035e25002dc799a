"""Secrets and personal data: found in recordings and any text, and replaced by placeholders that still fit."""

from cassettes.redact.hits import Hit
from cassettes.redact.redactor import Redactor

__all__ = ["Hit", "Redactor"]
