"""Python imports this by itself as it starts, where a test puts this folder on its path: see ``alone.py``."""

import os
import sys
from pathlib import Path

if os.environ.get("UNFLAT_TESTS_ATTEMPTS"):
    sys.path.append(str(Path(__file__).parent.parent))
    try:
        from alone import watch
    finally:
        sys.path.pop()
    watch(Path(os.environ["UNFLAT_TESTS_ATTEMPTS"]))
