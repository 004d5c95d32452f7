"""The installed command: listens for Ctrl-C before anything heavy is imported."""

from __future__ import annotations

import sys

from unflat.cli import interrupts


def main() -> None:
    """Run ``unflat`` and leave with its exit code."""
    interrupts.watch()
    try:
        from unflat.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
