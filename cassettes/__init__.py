"""Recorded traffic: read, write, record, replay, redact."""
