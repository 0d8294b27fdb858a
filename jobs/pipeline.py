"""Statements asked of PostgreSQL on an event loop, without a thread and without waiting for one another.

libpq's pipeline mode: the questions of one turn of the event loop are sent together, and answers come back in
their order. To send is to wake another process, which costs more than to answer. psycopg's own async cursor
takes three times the CPU time, for locks, generators and timers that one reader of a socket does not need.
Connecting, and types in and out, are psycopg's.
"""

import asyncio
import itertools
import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

Row = tuple[Any, ...]

WAIT_SECONDS = 15  # and at most twice as long, for the first question in the row
SLOW_SECONDS = 0.02  # for a question that the others had better not wait for
MOST_PREPARED = 100  # statements of a connection; then all are forgotten
MOST_TRIES = 5  # of a question that was sent together with wrong ones
MOST_COUNTED = 1000  # texts that came and are not prepared yet
PLACEHOLDER = re.compile("%([s%])")
FINE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


@dataclass(eq=False)
class Question:
    """What waits for an answer, or, without one, for the end of what was sent together."""

    sql: str
    parameters: Row
    answer: asyncio.Future[Row | None]
    tries: int = 0
    commands: int = 0  # whose results have not come; the last one is the query's
    result: PGresult | None = None  # the last that came, but of errors the first


class Pipeline:
    """One connection. `len()` is how many questions wait for an answer."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._link = connection.pgconn
        self._transformer = Transformer(connection)
        self._waiting: deque[Question] = deque()
        self._since = 0.0  # when the first of them became the first
        self._is_unsynced = False  # questions were put, and what they end with was not
        self._asked: Counter[str] = Counter()
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._numbers = itertools.count()
        self._is_outdated = False  # what is prepared
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._socket = self._link.socket
        self._link.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._receive)
        self._watched: Question | None = None
        self._watch()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_open(self) -> bool:
        return not self._is_closed and bool(self._link.status == ConnStatus.OK)

    @property
    def is_held_up(self) -> bool:
        """Whether the first question takes long."""
        return bool(self._waiting) and self._loop.time() - self._since > SLOW_SECONDS

    def fetch_one(self, sql: str, parameters: Row) -> "asyncio.Future[Row | None]":
        """Ask for the first row of a query. A question whose asker has gone is answered to nobody."""
        question = Question(sql, parameters, self._loop.create_future())
        self._put(question)
        return question.answer

    def _put(self, question: Question) -> None:
        """Send it at the end of this turn."""
        try:
            self._send(question)
            if not self._waiting:
                self._since = self._loop.time()
            self._waiting.append(question)
            if not self._is_unsynced:
                self._is_unsynced = True
                self._loop.call_soon(self._sync)
        except psycopg.OperationalError as error:
            self.close(error)
            if not question.answer.done():
                question.answer.set_exception(error)

    def _send(self, question: Question) -> None:
        """A text that comes for the `prepare_threshold`th time is prepared, as psycopg does."""
        sql, parameters = question.sql, question.parameters
        values = self._transformer.dump_sequence(parameters, [PyFormat.TEXT] * len(parameters))
        types = self._transformer.types or ()
        question.tries += 1
        question.commands = 1
        if self._is_outdated or len(self._prepared) > MOST_PREPARED:
            self._is_outdated = False
            self._prepared.clear()
            self._link.send_query_params(b"DEALLOCATE ALL", None)
            question.commands += 1
        name = self._prepared.get((sql, types))
        if name is not None:
            self._link.send_query_prepared(name, values)
            return
        self._asked[sql] += 1
        threshold = self._connection.prepare_threshold
        if threshold is None or self._asked[sql] < threshold:
            if len(self._asked) > MOST_COUNTED:
                self._asked.clear()
            self._link.send_query_params(numbered(sql), values, types)
            return
        name = self._prepared[sql, types] = b"read%d" % next(self._numbers)
        self._link.send_prepare(name, numbered(sql), types)
        self._link.send_query_prepared(name, values)
        question.commands += 1

    def _sync(self) -> None:
        """End what was put in this turn, and send it. An error is then one of all that is sent together."""
        self._is_unsynced = False
        if self._is_closed:
            return
        try:
            self._link.pipeline_sync()
            self._flush()
        except psycopg.OperationalError as error:
            self.close(error)

    def _flush(self) -> None:
        """Send what libpq keeps; go on when the socket takes more."""
        self._loop.remove_writer(self._socket)
        if self._link.flush():
            self._loop.add_writer(self._socket, self._flush)

    def _receive(self) -> None:
        """Hand out the answers that have come. Each command's results end with None."""
        try:
            self._link.consume_input()
            while self._waiting and not self._link.is_busy():
                question, result = self._waiting[0], self._link.get_result()
                if result is None:
                    question.commands -= 1
                    if not question.commands:
                        self._settle(self._waiting.popleft())
                        self._since = self._loop.time()
                elif result.status != ExecStatus.PIPELINE_SYNC and (
                    question.result is None or question.result.status in FINE
                ):
                    question.result = result
        except psycopg.OperationalError as error:
            self.close(error)

    def _settle(self, question: Question) -> None:
        answer, result = question.answer, question.result
        if answer.done() or result is None:  # done: whoever asked was cancelled
            return
        if result.status not in FINE:
            self._is_outdated = True  # if a column has another type now, for example
            if was_another(result) and question.tries < MOST_TRIES:
                question.result = None
                self._put(question)
            else:
                answer.set_exception(error := error_of(result))
                if ends_connection(result):
                    self.close(error)
        elif not result.ntuples:
            answer.set_result(None)
        else:
            self._transformer.set_pgresult(result)
            answer.set_result(self._transformer.load_row(0, tuple))

    def _watch(self) -> None:
        """Give up when the question that was first in the row the last time still is."""
        first = self._waiting[0] if self._waiting else None
        if first is not None and first is self._watched:
            self.close(psycopg.OperationalError("The database does not answer."))
        self._watched = first
        if self.is_open:
            self._loop.call_later(WAIT_SECONDS, self._watch)

    def close(self, error: psycopg.Error | None = None) -> None:
        """End the connection, once; who still waits gets the error."""
        if not self._is_closed:  # the number of its socket may be another one's by now
            self._is_closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._link.finish()
        while self._waiting:
            answer = self._waiting.popleft().answer
            if not answer.done():
                answer.set_exception(error or psycopg.OperationalError("the connection was closed"))


def was_another(result: PGresult) -> bool:
    """Whether it was the error of another question, sent with this one or with the one that prepared it."""
    return result.status == ExecStatus.PIPELINE_ABORTED or (
        result.error_field(DiagnosticField.SQLSTATE) == b"26000"  # no such prepared statement
    )


def ends_connection(result: PGresult) -> bool:
    """Whether it is the last thing that the server says."""
    return result.error_field(DiagnosticField.SEVERITY_NONLOCALIZED) in (b"FATAL", b"PANIC")


def error_of(result: PGresult) -> psycopg.Error:
    state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind = psycopg.errors.lookup(state)
    except KeyError:
        kind = psycopg.OperationalError
    return kind(result.get_error_message())


def numbered(sql: str) -> bytes:
    """psycopg's placeholders (%s, and %% for a sign) as PostgreSQL's ($1, $2, …)."""
    count = 0

    def place(match: re.Match[str]) -> str:
        nonlocal count
        if match[1] == "%":
            return "%"
        count += 1
        return f"${count}"

    return PLACEHOLDER.sub(place, sql).encode()
