"""Fuzzing by schemathesis of a server that claims to keep a contract."""
