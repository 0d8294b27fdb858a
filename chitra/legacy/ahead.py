"""Ordered work on a few threads, a few pieces ahead: bounded memory, results in the order of the work."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

AHEAD_PER_THREAD = 16  # results are small; while the caller writes a batch, the threads have work

T = TypeVar("T")
R = TypeVar("R")


def ahead(work: Iterable[T], action: Callable[[T], R], parallel: int) -> Iterator[tuple[T, R]]:
    """Each piece with the result of `action` on it. What `action` raises is raised in its turn.

    `work` is drawn from in the caller's thread.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="legacy")
    try:
        for piece in work:
            waiting.append((piece, pool.submit(action, piece)))
            if len(waiting) > parallel * AHEAD_PER_THREAD:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
