"""Tests of the readers of status pages."""
