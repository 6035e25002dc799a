"""The ground floor: what every room stands on, and the command line."""

__version__ = "0.1.0"
