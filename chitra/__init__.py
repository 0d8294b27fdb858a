"""Chitra: a self-hosted photo library that understands pictures."""

__version__ = "0.1.0"
