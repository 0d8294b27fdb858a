"""The admin of faces and people. Whatever it changes goes through `faces.people`, as pages and API do."""

from faces.admin import faces, people, records

__all__ = ["faces", "people", "records"]
