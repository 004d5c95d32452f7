"""``unflat scan`` as people call it, on pictures of a known room."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

import unflat
from tests.journeys.test_cli import unflat as run
from tests.scan_places import room
from unflat.errors import InputError
from unflat.types.image import Size


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures of a walk through a room."""
    folder = tmp_path_factory.mktemp("walk")
    film = room(Size(320, 240), 12)
    for number, pixels in enumerate(film.frames()):
        Pil.fromarray(pixels).save(folder / f"{number:03d}.png")
    return folder
