"""CPU work that a request waits for, off the event loop and off the ORM's thread.

What runs here never touches the ORM: it would keep database connections for good.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async

P = ParamSpec("P")
T = TypeVar("T")

_executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="cpu")


async def run_cpu(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await `function` run on one of two CPU threads."""
    return await sync_to_async(function, thread_sensitive=False, executor=_executor)(*args, **kwargs)


def cpu_result(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for code on a request's thread, which waits."""
    return _executor.submit(function, *args, **kwargs).result()
