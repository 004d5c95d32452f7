"""The process that pycolmap works in: it has been seen to end with a fault, which would take everything with it.

Run as ``python -m unflat.models.views.mapping_child``: materials come in, messages go out, both pickled.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import BinaryIO

from unflat.models.views.colmap_late import library
from unflat.models.views.mapping import models_of
from unflat.models.views.placement import Material


def _serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Answer each material with ("placed", count) …, then ("models", list) or ("failed", words)."""

    def tell(kind: str, what: object) -> None:
        pickle.dump((kind, what), told)
        told.flush()

    library()
    while True:
        try:
            material: Material = pickle.load(asked)
        except EOFError:
            return
        try:
            models = models_of(material, lambda count: tell("placed", count))
        except (RuntimeError, ValueError) as error:
            tell("failed", str(error).splitlines()[0] if str(error) else type(error).__name__)
        else:
            tell("models", models)


if __name__ == "__main__":
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no message
    _serve(sys.stdin.buffer, own)
