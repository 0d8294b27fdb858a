"""Statements that are planned once."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.prepared import prepared_cursor

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_the_second_time() -> Iterator[None]:
    connection.ensure_connection()
    usual = connection.connection.prepare_threshold
    connection.connection.prepare_threshold = 2
    yield
    connection.connection.prepare_threshold = usual


def add(number: int) -> int:
    with prepared_cursor() as cursor:
        row: tuple[int] = cursor.execute("SELECT 1000 + %s::int", [number]).fetchone()
    return row[0]


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def test_a_statement_that_comes_again_is_prepared_whatever_its_parameters(at_the_second_time: None) -> None:
    assert [add(number) for number in range(4)] == [1000, 1001, 1002, 1003]
    assert prepared() == ["SELECT 1000 + $1::int"]


def test_every_process_prepares_what_comes_often() -> None:
    assert [add(number) for number in range(10)][-1] == 1009
    assert "SELECT 1000 + $1::int" in prepared()


def test_what_does_not_ask_for_it_is_not_prepared(at_the_second_time: None) -> None:
    for number in range(10):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 2000 + %s::int", [number])
    assert not [statement for statement in prepared() if "2000" in statement]


def test_the_queries_are_counted_as_all_others() -> None:
    with CaptureQueriesContext(connection) as captured:
        add(1)
    assert len(captured) == 1
