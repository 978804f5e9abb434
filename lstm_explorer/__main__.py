"""Run ``python -m lstm_explorer --help``."""

import sys

from lstm_explorer.export.command import main

if __name__ == "__main__":
    sys.exit(main())
