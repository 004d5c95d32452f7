"""What the network says of a view where nothing can be triangulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from unflat.geometry.align import assume_scale
from unflat.models.registry import depth_model
from unflat.stages.estimate_depth import DepthOptions, estimate_depth, refine_to
from unflat.trust.lineage import Lineage
from unflat.types.arrays import U8
from unflat.types.depth import DepthMap
from unflat.types.image import Image

Guess = Callable[[U8], DepthMap]
"""(h, w, 3) uint8 sRGB pixels of an upright, undistorted picture -> its depth up to a factor, FINEST pixels long."""
FINEST = 640
"""Long side of what the network gives: it is fitted to what was triangulated, which has the finer outlines."""


def weights_of(model: str, options: DepthOptions) -> dict[str, str | None]:
    """Which network would be asked: its name, the digest of its weights, and where they come from.

    Raises:
        WeightsError: They are missing.
        RightsError: Its licence forbids what ``options`` asks for.
    """
    card = depth_model(model, device=options.device, commercial_only=options.commercial_only).card
    return {"name": card.name, "sha256": card.sha256, "source": card.source}


def network_guess(model: str, options: DepthOptions, lineage: Lineage) -> Guess:
    """A function that asks the network; what it is goes into the lineage when it is asked first.

    Args:
        model: Its name in the table of models.
        options: Threads, device.
        lineage: Takes the step.
    """
    told: list[str] = []

    def guess(pixels: U8) -> DepthMap:
        image = Image(pixels)
        seen = estimate_depth(image, model, options)
        depth = assume_scale(refine_to(seen, image, image.size.fitted(FINEST)))
        if not told:
            sha = None if seen.card is None else seen.card.sha256
            more = {} if sha is None else {"weights_sha256": sha}
            lineage.did("learned depth", model=depth.origin, licence=depth.licence, **more)
            told.append(depth.origin)
        return replace(depth, intrinsics=None)

    return guess
