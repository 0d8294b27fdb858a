"""Statements that PostgreSQL plans once: for the few that make up most of the requests, and of an import."""

from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor


def prepared_cursor() -> CursorWrapper:
    """A cursor of the ORM's connection that prepares a statement when the same text comes again and again.

    Django's own puts the parameters into the text, so that no text comes twice.
    """
    connection.ensure_connection()
    cursor: Any = Cursor(connection.connection)
    return (
        connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    )
