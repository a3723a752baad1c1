"""`python -m sipstrobe` is the command `sipstrobe`."""

import sys

from sipstrobe.cli import main

if __name__ == "__main__":
    sys.exit(main())
