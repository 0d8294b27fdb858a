"""What the schema says, a live server does: schemathesis makes requests of it and checks the answers.

FUZZ_EXAMPLES is how many it makes up for each operation, beside those that every boundary of the schema gets:
a few in `make test`, hundreds with `make fuzz`.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chitra.accounts.models import ApiKey, User
from chitra.tests.processes import database_url
from chitra.tests.web import WebProcess
from photos.models import Library, Photo

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "3")
LIMIT_SECONDS = 60 * 60
UNENDING = "/api/events"


@pytest.fixture
def web(tmp_path: Path, transactional_db: None) -> Iterator[WebProcess]:
    limits = dict.fromkeys(("CHITRA_LOGINS_PER_MINUTE", "CHITRA_SEARCHES_PER_MINUTE"), "0")
    environment = {"CHITRA_DATA_DIR": str(tmp_path), "CHITRA_DATABASE_URL": database_url(), **limits}
    process = WebProcess(tmp_path, **environment)
    process.start()
    yield process
    process.kill()


def test_no_request_that_the_schema_allows_or_forbids_is_answered_against_it(
    web: WebProcess, add_photo: Callable[..., Photo], alice: User, tmp_path: Path
) -> None:
    for seed in range(3):
        add_photo(seed=seed, to=Library.objects.home_of(alice))
    arguments = [
        *(
            "run",
            f"{web.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {ApiKey.issue(alice, 'fuzz')[1]}",
        ),
        *("--checks", "all", "--max-examples", EXAMPLES, "--seed", "1", "--exclude-path", UNENDING),
        *("--phases", "examples,coverage,fuzzing", "--no-color", "--continue-on-failure"),
        *("--request-timeout", "60"),
    ]
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [str(schemathesis), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    sys.stdout.write(done.stdout[-20_000:])
    log = web.log.read_text(errors="replace")
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-2000:]}\n{log[-3000:]}"
