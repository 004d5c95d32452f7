"""What the network says of a view where nothing can be triangulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from unflat.geometry.align import assume_scale
from unflat.models.card import ModelCard
from unflat.models.registry import depth_model
from unflat.stages.estimate_depth import DepthOptions, estimate_depth, refine_to
from unflat.types.arrays import U8
from unflat.types.depth import DepthMap
from unflat.types.image import Image

Guess = Callable[[U8], DepthMap]
"""(h, w, 3) uint8 sRGB pixels of an upright, undistorted picture -> its depth up to a factor, of the same size."""


def weights_of(model: str, options: DepthOptions) -> ModelCard:
    """The card of the network that would be asked.

    Raises:
        WeightsError: They are missing.
        RightsError: Its licence forbids what ``options`` asks for.
    """
    return depth_model(model, device=options.device, commercial_only=options.commercial_only).card


def network_guess(model: str, options: DepthOptions, asked: Callable[[], None]) -> Guess:
    """A function that asks the network.

    Args:
        model: Its name in the table of models.
        options: Threads, device.
        asked: Called whenever it is.
    """

    def guess(pixels: U8) -> DepthMap:
        image = Image(pixels)
        seen = estimate_depth(image, model, options)
        depth = assume_scale(refine_to(seen, image, image.size))
        asked()
        return replace(depth, intrinsics=None)

    return guess
