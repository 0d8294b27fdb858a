"""Commands run by tests."""

import io
import signal

from django.core.management import call_command


def run_command(name: str, *arguments: str) -> str:
    """What a command prints. Signal handlers stay as they were."""
    before = signal.getsignal(signal.SIGTERM)
    output = io.StringIO()
    try:
        call_command(name, *arguments, stdout=output)
    finally:
        signal.signal(signal.SIGTERM, before)
    return output.getvalue()
