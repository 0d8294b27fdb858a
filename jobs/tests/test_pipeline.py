"""Many questions at the same time on one connection, and what happens when it breaks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from jobs import pipeline, reads
from jobs.pipeline import Pipeline, numbered
from jobs.reads import Pipelines, connect, fetch_one

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def like_the_web_server(settings: Any) -> Iterator[None]:
    """Where reads do not take the ORM's connection."""
    options = settings.DATABASES["default"]["OPTIONS"]
    options["pool"] = {}
    yield
    del options["pool"]


def run(use: Callable[[Pipeline], Awaitable[Any]], prepare_threshold: int = 2) -> Any:
    async def main() -> Any:
        opened = await connect()
        opened._connection.prepare_threshold = prepare_threshold
        try:
            return await use(opened)
        finally:
            opened.close()

    return asyncio.run(main())


def test_each_answer_comes_back_to_who_asked() -> None:
    async def use(opened: Pipeline) -> list[Any]:
        questions = (opened.fetch_one("SELECT %s::int, repeat('x', %s)", (n, n * 1000)) for n in range(100))
        return await asyncio.gather(*questions)

    assert run(use) == [(n, "x" * n * 1000) for n in range(100)]


def test_a_query_without_rows_is_none() -> None:
    async def use(opened: Pipeline) -> Any:
        return await opened.fetch_one("SELECT 1 WHERE false", ())

    assert run(use) is None


def test_an_error_is_that_of_its_asker_alone() -> None:
    async def use(opened: Pipeline) -> list[Any]:
        questions = [opened.fetch_one("SELECT 1 / %s::int", (n,)) for n in (1, 0, 1, 0, 1)]
        questions.append(opened.fetch_one("SELECT nonsense", ()))
        return await asyncio.gather(*questions, return_exceptions=True)

    answers = run(use)
    assert answers[::2][:3] == [(1,)] * 3
    assert isinstance(answers[1], psycopg.errors.DivisionByZero)
    assert isinstance(answers[3], psycopg.errors.DivisionByZero)
    assert isinstance(answers[5], psycopg.errors.UndefinedColumn)


def test_a_statement_prepared_beside_an_error_is_prepared_again() -> None:
    async def use(opened: Pipeline) -> list[Any]:
        def three_of_which_one_is_wrong() -> list[Any]:
            return [opened.fetch_one("SELECT 1 / %s::int", (n,)) for n in (1, 0, 1)]

        together = three_of_which_one_is_wrong()
        opened._sync()  # the next ones are sent before the answers are here
        later = [opened.fetch_one("SELECT 1 / %s::int", (1,)) for _ in range(3)]
        answers = await asyncio.gather(*together, *later, return_exceptions=True)
        return [*answers, await opened.fetch_one("SELECT 1 / %s::int", (1,))]

    first, wrong, *others = run(use, prepare_threshold=3)
    assert isinstance(wrong, psycopg.errors.DivisionByZero)
    assert [first, *others] == [(1,)] * 6


def test_who_does_not_wait_any_longer_leaves_the_others_their_answers() -> None:
    async def use(opened: Pipeline) -> Any:
        impatient = asyncio.ensure_future(opened.fetch_one("SELECT 'slow', pg_sleep(0.2)::text", ()))
        patient = opened.fetch_one("SELECT 'next'", ())
        await asyncio.sleep(0)
        impatient.cancel()
        return await patient

    assert run(use) == ("next",)


def test_a_statement_that_comes_again_is_prepared_and_not_too_many_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "MOST_PREPARED", 5)

    async def use(opened: Pipeline) -> list[int]:
        counts = []
        for statement in range(20):
            for number in range(3):
                assert await opened.fetch_one(f"SELECT {statement}, %s::int", (number,)) == (
                    statement,
                    number,
                )
            row = await opened.fetch_one("SELECT count(*) FROM pg_prepared_statements", ())
            assert row is not None
            counts.append(row[0])
        return counts

    counts = run(use)
    assert counts[:3] == [1, 3, 4]  # the question after their number is one of them
    assert max(counts) <= 7


def test_a_table_that_changed_is_read_again_after_one_error() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (a int)")
        cursor.execute("INSERT INTO changing VALUES (1)")

    async def use(opened: Pipeline) -> list[Any]:
        found: list[Any] = [await opened.fetch_one("SELECT * FROM changing", ()) for _ in range(3)]
        change = psycopg.AsyncConnection.connect(opened._connection.info.dsn, autocommit=True)
        async with await change as other:
            await other.execute("ALTER TABLE changing ADD b int")
        for _ in range(2):
            again = await asyncio.gather(
                opened.fetch_one("SELECT * FROM changing", ()), return_exceptions=True
            )
            found += again
        return found

    try:
        found = run(use)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE changing")
    assert found[:3] == [(1,)] * 3
    assert isinstance(found[3], psycopg.errors.FeatureNotSupported)
    assert found[4] == (1, None)


def test_a_lost_connection_is_an_error_for_who_waits_and_a_new_one_for_who_comes() -> None:
    async def main() -> tuple[list[Any], Any]:
        pipelines = Pipelines()
        first = await pipelines.ask("SELECT pg_backend_pid()", ())
        waiting = asyncio.ensure_future(pipelines.ask("SELECT pg_sleep(30)::text", ()))
        await asyncio.sleep(0.1)
        killer = await connect()
        await killer.fetch_one("SELECT pg_terminate_backend(%s)", first or ())
        killer.close()
        lost = await asyncio.gather(waiting, return_exceptions=True)
        second = await pipelines.ask("SELECT pg_backend_pid()", ())
        for opened in pipelines._open:
            opened.close()
        return list(lost), first != second

    lost, is_new = asyncio.run(main())
    assert isinstance(lost[0], psycopg.OperationalError)
    assert is_new


def test_a_crowd_shares_a_few_connections() -> None:
    async def main() -> tuple[list[Any], int]:
        pipelines = Pipelines()
        answers = await asyncio.gather(*(pipelines.ask("SELECT %s::int", (n,)) for n in range(100)))
        for opened in pipelines._open:
            opened.close()
        return answers, len(pipelines._open)

    answers, connections = asyncio.run(main())
    assert answers == [(n,) for n in range(100)]
    assert connections <= reads.MOST_PIPELINES


def test_a_slow_read_does_not_hold_up_the_others() -> None:
    async def main() -> Any:
        pipelines = Pipelines()
        slow = asyncio.ensure_future(pipelines.ask("SELECT 'slow', pg_sleep(2)::text", ()))
        await asyncio.sleep(0.2)
        answers = [await pipelines.ask("SELECT %s::int", (n,)) for n in range(20)]
        assert not slow.done()
        slow.cancel()
        for opened in pipelines._open:
            opened.close()
        return answers

    assert asyncio.run(main()) == [(n,) for n in range(20)]


def test_a_database_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "WAIT_SECONDS", 0.1)

    async def use(opened: Pipeline) -> None:
        with pytest.raises(psycopg.OperationalError, match="does not answer"):
            await opened.fetch_one("SELECT pg_sleep(1)::text", ())
        assert not opened.is_open

    run(use)


def test_errors_are_those_of_the_orm(like_the_web_server: None, settings: Any) -> None:
    async def main() -> None:
        with pytest.raises(OperationalError):
            await fetch_one("SELECT pg_terminate_backend(pg_backend_pid())", ())
        for opened in reads._pipelines.pop(asyncio.get_running_loop())._open:
            opened.close()

    asyncio.run(main())


def test_placeholders_are_numbered() -> None:
    assert numbered("SELECT %s, '100 %%', %s") == b"SELECT $1, '100 %', $2"
