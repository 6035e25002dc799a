"""Against servers that others wrote, started by the tests."""
