"""What several views measured is inside every outline; masks that are right stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
from test_agree_outlines_laws import BODY, HEAD, WAYS, seen, with_alpha
from test_hull_laws import LENS, SIDE, looking

from unflat.geometry.closed_surface import volume_of
from unflat.stages.hull import hull
from unflat.stages.witness_outlines import witness_outlines
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.sight import Sight
from unflat.types.views import Lens, Still, View, ViewDepth


def measured(number: int, sight: Sight) -> ViewDepth:
    """The depth of the two balls where a cut-out shows them."""
    pose = looking(*WAYS[number])
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    rays = np.stack([(x - LENS.cx) / LENS.fx, (y - LENS.cy) / LENS.fy, np.ones_like(x)], axis=-1)
    squared, z = (rays**2).sum(axis=-1), np.full((SIDE, SIDE), np.inf)
    for centre, radius in (BODY, HEAD):
        to = (np.array(centre) - pose.centre) @ pose.world_from_camera[:3, :3]
        half = rays @ to
        root = half**2 - squared * (to @ to - radius**2)
        z = np.where(root > 0, np.minimum(z, (half - np.sqrt(np.maximum(root, 0))) / squared), z)
    valid = np.isfinite(z) & (sight.alpha >= 128)
    sure = np.where(valid, np.float32(0.9), np.float32(0))
    values = np.where(valid, z, 0).astype(np.float32)
    depth = DepthMap(values, DepthKind.SCALE, valid, confidence=sure, intrinsics=LENS)
    still = Still(f"{number}", Size(SIDE, SIDE), lambda: sight.image.pixels)
    return ViewDepth(View(still, Lens(LENS), pose), depth)


@pytest.fixture(scope="module")
def right() -> list[Sight]:
    return [seen(way, BODY, HEAD) for way in WAYS]


def test_what_many_masks_leave_out_comes_back_if_the_others_measured_it(right: list[Sight]) -> None:
    """Four of twelve show no head: more than outlines alone can tell from a thing without one."""
    wrong = {1, 2, 7, 8}
    spoilt = [seen(WAYS[n], BODY) if n in wrong else sight for n, sight in enumerate(right)]
    told = witness_outlines(spoilt, [measured(n, sight) for n, sight in enumerate(spoilt)])
    assert set(told.mended) == wrong
    assert all((told.sights[n].alpha >= spoilt[n].alpha).all() for n in wrong)  # nothing is taken away
    whole, bitten, mended = (volume_of(hull(sights, 64)) for sights in (right, spoilt, told.sights))
    assert bitten < 0.97 * whole
    assert mended == pytest.approx(whole, rel=0.01)


def test_masks_that_are_right_stay(right: list[Sight]) -> None:
    told = witness_outlines(right, [measured(n, sight) for n, sight in enumerate(right)])
    assert told.mended == [] and all(one is other for one, other in zip(told.sights, right, strict=True))


def test_what_one_view_alone_measured_beside_the_thing_is_not_believed(right: list[Sight]) -> None:
    alone = with_alpha(right[3], np.full_like(right[3].alpha, 255))
    frames = [measured(n, sight) for n, sight in enumerate(right)]
    far = DepthMap(
        np.full((SIDE, SIDE), 4, np.float32),
        DepthKind.SCALE,
        confidence=np.ones((SIDE, SIDE), np.float32),
        intrinsics=LENS,
    )
    frames[3] = ViewDepth(frames[3].view, far)
    told = witness_outlines([*right[:3], alone, *right[4:]], frames)
    assert told.mended == []
