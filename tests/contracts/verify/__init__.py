"""Tests of recorded traffic against contracts."""
