"""Formats of contracts, each as the one `Contract`."""
