"""The web process starts without the heavy libraries."""

from chitra.tests import processes

HEAVY = (
    "torch",
    "torchvision",
    "cv2",
    "insightface",
    "onnxruntime",
    "rapidocr",
    "transformers",
    "open_clip",
    "pyvips",
    "PIL",
    "boto3",
)
VISIT = f"""
import sys
import chitra.asgi
from django.urls import get_resolver
get_resolver().url_patterns
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_the_web_process_loads_no_heavy_library(db: None) -> None:
    code, out, errors = processes.run("-c", VISIT)
    assert (code, out.strip()) == (0, "[]"), errors


def test_help_needs_no_database_and_no_heavy_library() -> None:
    visit = VISIT.replace("import chitra.asgi", "import manage; sys.argv[1:] = ['--help']; manage.main()")
    visit = "\n".join(line for line in visit.splitlines() if "resolver" not in line)
    code, out, errors = processes.run(
        "-c", visit, environment={"CHITRA_DATABASE_URL": "postgresql://127.0.0.1:9/nothing"}
    )
    assert (code, out.splitlines()[-1]) == (0, "[]"), errors
