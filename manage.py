#!/usr/bin/env python
"""Django's command line, with the embedded PostgreSQL behind it unless CHITRA_DATABASE_URL names a server."""

import os
import sys

from chitra import embedded
from chitra.postgres import EmbeddedError


def main() -> None:
    """Run the command in sys.argv."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chitra.settings")
    try:
        embedded.prepare_data_dir(embedded.data_dir())
        embedded.provide(sys.argv[1:])
    except EmbeddedError as error:
        sys.exit(str(error))

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
