"""Tests of `cassettes`."""
