"""The product's settings with the bare view of `benchmarks/api.py` among its URLs."""

from chitra.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.api_urls"
