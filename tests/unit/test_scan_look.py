"""Laws: what the network says of a view has the view's size, for it is laid beside what was triangulated."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.pipelines.scan_look import network_guess
from unflat.stages.estimate_depth import DepthOptions


@pytest.mark.parametrize("shape", [(599, 799), (480, 360), (90, 1100)])
def test_a_guess_has_the_size_of_its_picture(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    tiles = rng.integers(0, 255, (12, 12, 3)).astype(np.uint8)
    picture = np.kron(tiles, np.ones((100, 100, 1), np.uint8))[: shape[0], : shape[1]]
    asked: list[None] = []
    seen = network_guess("auto", DepthOptions(), lambda: asked.append(None))(np.ascontiguousarray(picture))
    assert seen.values.shape == shape
    assert len(asked) == 1
