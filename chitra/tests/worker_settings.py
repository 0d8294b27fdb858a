"""Settings of a worker that a test kills: short leases, one process, and a step that waits for the test."""

from chitra.settings import *  # noqa: F403
from chitra.settings import Q_CLUSTER

LEDGER_LEASE_SECONDS = 2
PHOTO_STEPS = ["photos.steps.METADATA", "chitra.tests.patient_step.RENDITIONS"]
Q_CLUSTER = {**Q_CLUSTER, "workers": 1, "poll": 0.1, "guard_cycle": 0.1}
