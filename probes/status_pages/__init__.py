"""The provider's own account of its health: one file an engine, one row in `engines.ENGINES`."""
