"""Dockerfile, compose.yaml and .env.example agree with each other and with the settings."""

import json
import re
import sys
from typing import Any

import pytest
import yaml
from django.conf import settings

from chitra import __version__
from chitra.management.commands.run import make_services
from chitra.tests.test_settings_doc import variables_described, variables_read

ROOT = settings.BASE_DIR
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
OURS = ("prepare", "web", "worker", "ml-worker", "video-worker")
# Read by others than Chitra: by compose, by the build, by the neighbours' images.
FOR_COMPOSE = {"COMPOSE_PROFILES", "CHITRA_IMAGE", "CHITRA_BIND", "CHITRA_PORT"}
FOR_COMPOSE |= {
    "CHITRA_SECRETS_DIR",
    "CHITRA_PHOTOS_DIR",
    "MINIO_IMAGE",
    "MINIO_CPUS",
    "MINIO_MEMORY",
    "REDIS_IMAGE",
}
FOR_COMPOSE |= {
    f"CHITRA_{part}_{limit}" for part in ("WEB", "WORKER", "ML", "VIDEO") for limit in ("CPUS", "MEMORY")
}
FOR_COMPOSE |= {
    f"POSTGRES_{word}" for word in ("IMAGE", "CPUS", "MEMORY", "SHARED_BUFFERS", "MAINTENANCE_WORK_MEM")
}
FOR_THE_BUILD = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "TORCH_BUILD"}
FOR_THE_QUEUE = {"Q_CLUSTER_NAME"}


def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
    return loaded


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their words, comments and line breaks gone."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line.strip()]  # type: ignore[misc]


def without_file(name: str) -> str:
    return name.removesuffix("_FILE")


@pytest.mark.parametrize("name", OURS)
def test_chitra_knows_every_variable_that_compose_gives_it(name: str) -> None:
    given = {without_file(variable) for variable in services()[name]["environment"]}
    assert given - variables_read() - FOR_THE_QUEUE == set()


def test_every_line_of_the_example_means_something() -> None:
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", ENV_EXAMPLE, re.MULTILINE))
    assert named - variables_described() - FOR_COMPOSE - FOR_THE_BUILD == set()
    assert named >= FOR_COMPOSE | FOR_THE_BUILD


def test_the_example_names_what_compose_asks_for_with_its_default() -> None:
    asked = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", COMPOSE))
    example = dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    assert set(asked) - set(example) == set()
    examples_of_use = {"CHITRA_HTTPS", "CHITRA_TRUSTED_ORIGINS", "CHITRA_REDIS_URL", "CHITRA_PHOTOS_DIR"}
    examples_of_use |= {"CHITRA_ALLOWED_HOSTS"}
    different = {name for name, default in asked.items() if example[name] != default}
    assert different - examples_of_use == set()


def test_no_password_stands_in_the_files() -> None:
    for name in OURS:
        for variable in services()[name]["environment"]:
            assert not re.search(r"(PASSWORD|SECRET_KEY|ACCESS_KEY)$", variable)
    assert not re.search(
        r"^(?:# )?\w*(PASSWORD|SECRET|ACCESS_KEY)\w*=", ENV_EXAMPLE.replace("SECRETS_DIR", ""), re.M
    )


def test_every_service_is_limited_watched_and_started_again() -> None:
    for name, service in services().items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert service["restart"] == ("no" if name == "prepare" else "unless-stopped"), name
        if name != "web":  # it keeps the image's check
            assert "healthcheck" in service, name


def test_images_are_pinned() -> None:
    for service in services().values():
        tag = service["image"].removesuffix("}").rpartition(":")[2]
        assert re.search(r"\d+\.\d|\d{4}-\d\d", tag), service["image"]
    assert f"chitra:{__version__}" in services()["web"]["image"]
    bases = [words for word, words in instructions() if word == "FROM"]
    assert bases[0].startswith("debian:${DEBIAN_TAG}")
    assert re.search(r"^ARG DEBIAN_TAG=\d+\.\d+-slim$", DOCKERFILE, re.MULTILINE)


def test_services_wait_for_what_they_need() -> None:
    for name in OURS:
        needs = services()[name]["depends_on"]
        assert {needs[store]["condition"] for store in ("postgres", "minio")} == {"service_healthy"}
        if name != "prepare":
            assert needs["prepare"]["condition"] == "service_completed_successfully"


def test_stores_cannot_be_reached_from_outside() -> None:
    loaded = yaml.safe_load(COMPOSE)
    assert loaded["networks"]["inside"]["internal"] is True
    for name in ("postgres", "minio", "redis"):
        assert services()[name]["networks"] == ["inside"]
        assert "ports" not in services()[name]


def test_the_image_runs_as_an_ordinary_user_with_a_numeric_id() -> None:
    last_stage = instructions()[max(i for i, (word, _) in enumerate(instructions()) if word == "FROM") :]
    users = [words for word, words in last_stage if word == "USER"]
    assert [re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) is not None for user in users] == [True]


def test_the_final_stage_installs_nothing_that_compiles() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    base, runtime = stages[1], stages[-1]
    assert not re.search(r"build-essential|gcc|-dev\b|python3-venv", base + runtime)
    assert "--no-install-recommends" in base


def test_the_image_installs_the_pinned_requirements_and_nothing_else() -> None:
    installs = re.findall(r"pip install ([^&]*)", "\n".join(words for _, words in instructions()))
    assert len(installs) == 2
    assert "grep '^torch==' requirements.txt" in installs[0]
    assert "-r requirements.txt" in installs[1]
    assert re.search(r"^torch==[\d.]+$", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert not re.search(r"==\d", DOCKERFILE)


def test_the_image_starts_the_web_server_as_the_run_command_does() -> None:
    web = make_services("0.0.0.0", 8000, {})[0]
    command = json.loads(next(words for word, words in instructions() if word == "CMD"))
    program = [str(word) for word in web.command]
    assert command[0] == "python"
    assert program[0] == sys.executable
    verbosity = program.index("-v") + 1
    assert program[1:verbosity] + program[verbosity + 1 :] == command[1:verbosity] + command[verbosity + 1 :]


def test_everything_that_runs_goes_into_the_image() -> None:
    wanted = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert wanted >= apps | {"manage.py", "requirements.txt", "packaging", "static", "templates"}


def test_no_registry_of_packages_is_named() -> None:
    assert not re.search(r"https?://", DOCKERFILE + COMPOSE)
