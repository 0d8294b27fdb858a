"""The admin of libraries, photos, albums and the ledger."""

from photos.admin import albums, ledger, libraries, photos, records, stacks

__all__ = ["albums", "ledger", "libraries", "photos", "records", "stacks"]
