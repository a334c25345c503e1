"""`python -m bench`: every benchmark, one after the other."""

import sys

from bench.delivery.__main__ import app

if __name__ == "__main__":
    sys.exit(app())
