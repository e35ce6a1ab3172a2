"""``python -m deploykit`` in a checkout; a bundle is started by run.py beside this package."""

import sys

from deploykit.cli import main

if __name__ == "__main__":
    sys.exit(main())
