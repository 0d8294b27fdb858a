"""The renditions step, which waits in the middle of a batch for as long as a test wants."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jobs.steps import StepResult
from photos import steps

GATE_VARIABLE = "CHITRA_TEST_GATE"  # a folder: while it holds `closed`, the step writes `pid` there and waits


def run(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    gate = Path(os.environ[GATE_VARIABLE])
    if (gate / "closed").exists():
        (gate / "pid.new").write_text(str(os.getpid()))
        (gate / "pid.new").rename(gate / "pid")
    while (gate / "closed").exists():
        time.sleep(0.05)
    return steps.make_renditions(photo_ids)


RENDITIONS = replace(steps.RENDITIONS, run=run)
