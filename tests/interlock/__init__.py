"""Tests of `interlock`."""
