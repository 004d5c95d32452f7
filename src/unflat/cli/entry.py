"""The installed command: listens for Ctrl-C before anything heavy is imported."""

from __future__ import annotations

import sys
import warnings

from unflat.cli import interrupts


def main() -> None:
    """Run ``unflat`` and leave with its exit code."""
    interrupts.watch()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries warn of is for programmers; what matters is in the notes
    try:
        from unflat.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
