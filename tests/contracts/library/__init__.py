"""Our own contracts, held against the catalogue."""
