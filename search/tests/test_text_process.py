"""The process for query vectors, with the real offline encoder: killed, stopped, idle, orphaned."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search import encoders
from search.text_child import as_argument, from_argument
from search.text_process import ROOT, TextProcess, TextProcessError

PATIENCE_SECONDS = 180
PARENT = """
import asyncio, sys, time
from search.text_child import from_argument
from search.text_process import TextProcess
process = TextProcess(from_argument(sys.argv[1]))
print(process.start().process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def choice(tmp_path_factory: pytest.TempPathFactory) -> encoders.Choice:
    return encoders.choose(
        preference="offline",
        model="ViT-B-32",
        pretrained="openai",
        model_dir=None,
        state_dir=tmp_path_factory.mktemp("state"),
    )


@pytest.fixture(scope="module")
def process(choice: encoders.Choice) -> Iterator[TextProcess]:
    process = TextProcess(choice, answer_seconds=PATIENCE_SECONDS)
    yield process
    process.stop()


def pid_of(process: TextProcess) -> int:
    assert process.child is not None
    return process.child.process.pid


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_choice_survives_the_command_line(choice: encoders.Choice) -> None:
    assert from_argument(as_argument(choice)) == choice


def test_vector_and_cutoff_are_those_of_the_encoder(process: TextProcess, choice: encoders.Choice) -> None:
    vector, cutoff = asyncio.run(process.embed("a dog"))
    encoder = encoders.load(choice, text_only=True)
    expected = encoder.embed_texts(["a dog"])
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, expected[0], atol=1e-5)
    assert cutoff == pytest.approx(encoder.cutoffs(expected)[0], abs=1e-5)


def test_many_ask_at_once_and_each_gets_its_own_answer(process: TextProcess) -> None:
    async def ask() -> list[float]:
        texts = ["a dog", "a boat", "a dog", "some fruit"] * 4
        vectors = [vector for vector, _ in await asyncio.gather(*map(process.embed, texts))]
        return [float(vector @ vectors[0]) for vector in vectors[:4]]

    same, boat, again, fruit = asyncio.run(ask())
    assert min(same, again) > 0.999 > 0.9 > max(boat, fruit)


def test_the_process_inherits_nothing_of_ours(process: TextProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        ours.set_inheritable(True)
        process.stop()
        asyncio.run(process.embed("a dog"))
        theirs = Path(f"/proc/{pid_of(process)}/fd").iterdir()
        assert Path(f"/proc/self/fd/{ours.fileno()}").readlink() not in [path.readlink() for path in theirs]


def test_a_process_killed_between_two_questions_is_started_again(process: TextProcess) -> None:
    asyncio.run(process.embed("a dog"))
    os.kill(pid_of(process), signal.SIGKILL)
    assert asyncio.run(process.embed("a boat"))[0].shape == (384,)


def test_a_process_killed_over_a_question_costs_one_more_try(process: TextProcess) -> None:
    async def ask_and_kill() -> int:
        process.stop()
        asking = [asyncio.create_task(process.embed(text)) for text in ("a dog", "a boat")]
        await asyncio.sleep(0.2)
        first = pid_of(process)
        os.kill(first, signal.SIGKILL)
        await asyncio.gather(*asking)
        return first

    assert asyncio.run(ask_and_kill()) != pid_of(process)


def test_a_process_that_does_not_answer_is_given_up_and_replaced(
    process: TextProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(process.embed("a dog"))
    hanging = pid_of(process)
    os.kill(hanging, signal.SIGSTOP)
    monkeypatch.setattr(process, "answer_seconds", 0.2)
    with pytest.raises(TextProcessError, match="did not answer"):
        asyncio.run(process.embed("a boat"))
    wait_until(lambda: is_gone(hanging))
    with pytest.raises(TextProcessError, match="still being loaded"):
        asyncio.run(process.embed("a boat"))
    loading = pid_of(process)
    monkeypatch.undo()
    asyncio.run(process.embed("a boat"))
    assert pid_of(process) == loading


def test_a_process_that_nobody_asks_ends_and_leaves_no_zombie(choice: encoders.Choice) -> None:
    process = TextProcess(choice, answer_seconds=PATIENCE_SECONDS, idle_seconds=0.1)
    asyncio.run(process.embed("a dog"))
    first = pid_of(process)
    wait_until(lambda: is_gone(first))
    asyncio.run(process.embed("a boat"))
    process.stop()


def test_weights_that_are_gone_are_named(choice: encoders.Choice, tmp_path: Path) -> None:
    weights = tmp_path / "gone.safetensors"
    gone = replace(choice, kind="open_clip", version="open_clip:gone", weights=weights)
    process = TextProcess(gone, answer_seconds=PATIENCE_SECONDS)
    with pytest.raises(TextProcessError, match=r"gone\.safetensors"):
        asyncio.run(process.embed("a dog"))
    process.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_orphan_stays_when_the_parent_dies(choice: encoders.Choice, number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, as_argument(choice)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert not is_gone(child)
    parent.send_signal(number)
    parent.communicate(timeout=PATIENCE_SECONDS)
    wait_until(lambda: is_gone(child))
