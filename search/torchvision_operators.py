"""Makes `import torchvision` work beside a CPU build of torch.

The torchvision wheel of the package index is compiled against CUDA torch. Beside CPU torch its compiled
library does not load, and its Python part then fails at import: `operator torchvision::nms does not exist`.
open_clip and transformers import torchvision for its image transforms and never call these operators, so
declaring their signatures is enough.
"""

from __future__ import annotations

import importlib.util
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_lock = threading.Lock()


def ensure() -> None:
    """Declare torchvision's compiled operators where they are missing. Call it before its first import."""
    with _lock:
        _declare_if_missing()


@cache  # the library object must live as long as the process: with it go its declarations
def _declare_if_missing() -> torch.library.Library | None:
    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None or _loads_compiled_library(Path(spec.origin).parent):
        return None
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(operator + signature)  # type: ignore[no-untyped-call]
    return library


def _loads_compiled_library(package: Path) -> bool:
    """Try what torchvision itself tries at import; loading the same library twice is harmless."""
    import torch

    for path in (*package.glob("_C*.so"), *package.glob("_C*.pyd")):
        try:
            torch.ops.load_library(str(path))  # type: ignore[no-untyped-call]
        except OSError:
            return False
        return True
    return False
