"""a view with gaps -> the gaps filled by the network that continues what is behind, as one picture deserves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unflat.types.arrays import F32, U8, Bool

if TYPE_CHECKING:
    from unflat.geometry.warp_rows import Seen

RING = 2
"""How wide the rim of farther surface is that goes on into a gap, in pixels."""
BRIDGED = 4
"""What is behind goes on under things so close beside a gap, too: thin ones do not part it."""
SAME = 1.0
"""What is nearer by more pixels of disparity is another surface."""
NEAR = 0.98
"""This share of the view is farther than what counts as very near."""
UNHEARD = 2.5
"""So much less (sRGB units) is added than the network says: white stays white."""
_NOWHERE = -1e9


def fill_behind(seen: Seen, threads: int = 0) -> None:
    """Fill the gaps of a view, in place: smoothly from what is farther beside them, then as the network betters it.

    Args:
        seen: As :func:`unflat.geometry.warp_rows.seen_gaps` gives it; its ``view`` is changed.
        threads: Of the network; 0 takes all cores.

    Raises:
        WeightsError: The weights are missing or damaged.
    """
    from unflat.geometry.membrane import membrane
    from unflat.models.behind import bettered

    gap = seen.cover < 255
    if not gap.any() or gap.all():
        return
    told, wanted, guide = _asked(seen, gap)
    guide = guide - min(float(guide.min()), 0.0)
    ring = told & _around(wanted, RING)
    smooth, lost = membrane(seen.view, ring, wanted, guide)
    if lost.any():
        np.copyto(smooth, membrane(seen.view, ~gap, lost)[0], where=lost[..., None])
    colour = np.where(told[..., None], seen.view, smooth).astype(np.float32) / np.float32(255)
    guide = (guide / max(float(np.quantile(guide, NEAR)), 1e-9)).astype(np.float32)
    behind = bettered(colour, told, wanted, guide, threads) * np.float32(255)
    added = behind - smooth
    behind = smooth + np.sign(added) * np.maximum(np.abs(added) - np.float32(UNHEARD), 0)
    share = seen.cover[gap].astype(np.float32)[:, None] / np.float32(255)
    both = share * seen.view[gap] + (1 - share) * behind[gap]
    seen.view[gap] = np.clip(np.rint(both), 0, 255).astype(np.uint8)


def _asked(seen: Seen, gap: Bool) -> tuple[Bool, Bool, F32]:
    """What the network is told, where it is asked, and the disparity of what belongs there."""
    import cv2

    behind = np.where(seen.cover < 128, seen.deep, np.float32(_NOWHERE)).astype(np.float32)
    under = np.asarray(cv2.dilate(behind, _square(BRIDGED)), np.float32)
    beyond = np.asarray(cv2.dilate(behind, _square(BRIDGED + 2)), np.float32)
    before = ~gap & (under > _NOWHERE) & (seen.deep > under + np.float32(SAME))
    rim = ~gap & ~before & (beyond > _NOWHERE) & (seen.deep > beyond + np.float32(SAME))
    wanted = gap | before
    return ~wanted & ~rim, wanted, np.where(before, under, seen.deep)


def _around(mask: Bool, by: int) -> Bool:
    """The mask and so many pixels around it."""
    import cv2

    return np.asarray(cv2.dilate(mask.astype(np.uint8), _square(by))) > 0


def _square(reach: int) -> U8:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
