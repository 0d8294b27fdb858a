"""`chitra`: log in, upload and search from the command line."""

import sys

from chitra.client.commands import main

if __name__ == "__main__":
    sys.exit(main())
