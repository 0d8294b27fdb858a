"""`chitra`: log in, upload and search from the command line."""

import os
import sys

from chitra.client.commands import INTERRUPTED, main

if __name__ == "__main__":
    code = main()
    if code == INTERRUPTED:
        os._exit(code)  # at once: Python would wait for the files that are under way
    sys.exit(code)
