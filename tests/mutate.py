"""Damage done to good files, the same every time: flipped bytes, cuts, repeated pieces, numbers blown up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from unflat.errors import UnflatError
from unflat.types import Scene


def mutations(data: bytes, count: int, seed: int, head: int = 400) -> Iterator[bytes]:
    """``count`` damaged copies of ``data``; half of the damage falls on its first ``head`` bytes."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        broken = bytearray(data)
        reach = min(head, len(data)) if number % 2 else len(data)
        at = int(rng.integers(reach))
        match number % 5:
            case 0:
                del broken[at:]
            case 1 | 2:
                for place in rng.integers(0, reach, int(rng.integers(1, 8))):
                    broken[place] = int(rng.integers(256))
            case 3:
                broken[at : at + 4] = b"\xff\xff\xff\x7f"
            case _:
                broken[at:at] = broken[at : at + int(rng.integers(1, 60))] * 2
        yield bytes(broken)


def survives(read: Callable[[Path], Scene], path: Path, data: bytes, *, count: int = 300, seed: int = 1) -> None:
    """Every damaged copy is read, or refused with one of our own errors; some of each must happen."""
    refused = 0
    for broken in mutations(data, count, seed):
        path.write_bytes(broken)
        try:
            scene = read(path)
        except UnflatError as error:
            refused += 1
            assert str(error) and error.hint
        else:
            assert scene.nodes
    assert refused > count // 20


def refused(read: Callable[[Path], Scene], path: Path, data: bytes, match: str) -> None:
    """``data`` is refused with words that fit ``match``."""
    path.write_bytes(data)
    with pytest.raises(UnflatError, match=match) as caught:
        read(path)
    assert caught.value.exit_code == 2
