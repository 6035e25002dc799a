"""Reference receivers: right ones that check for themselves, and the same with one planted fault each."""
