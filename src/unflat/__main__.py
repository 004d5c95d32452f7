"""``python -m unflat`` is ``unflat``."""

from unflat.cli.entry import main

if __name__ == "__main__":
    main()
