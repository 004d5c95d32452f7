"""A picture -> its depth, with edges where the picture has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from unflat.errors import InputError
from unflat.models.devices import Device, check_threads
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size

if TYPE_CHECKING:
    from unflat.models.card import ModelCard
    from unflat.models.depth.protocol import Prediction

SMALLEST_SIDE = 16
_FARTHEST = 1e-3
"""Inverse depth is not believed below this share of its 99th percentile: nothing is more than 1000 times as far."""
_NEUTRAL = np.float32(127.0)
RIM = 3
"""So many pixels of a network's depth beside what is transparent are not believed, where there are some farther in."""


@dataclass(frozen=True, slots=True)
class DepthOptions:
    """How depth is estimated."""

    detail: int = 1536
    """Long side of the depth in pixels; never more than the picture's. A scene's texture keeps the picture's own."""
    threads: int = 0
    """Threads that each network may use; 0 takes all cores. All other work keeps to the cores that the process has."""
    device: Device = "cpu"
    """Where the model runs: cpu, cuda, coreml or directml, as far as the installed onnxruntime has it."""
    commercial_only: bool = False
    """Refuse a model whose licence does not allow commercial use of its weights, or is unknown."""

    def __post_init__(self) -> None:
        if not 64 <= self.detail <= 16384:
            raise InputError(f"--detail {self.detail} is out of range", hint="Give 64 to 16384 pixels.")
        check_threads(self.threads)
        if self.device not in get_args(Device):
            raise InputError(f"there is no device '{self.device}'", hint=f"Known: {' '.join(get_args(Device))}.")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model saw, at its own resolution.

    Attributes:
        depth: The model's depth; not refined yet, without a camera. Finite where there may be sky, too: what is
            sky is decided from ``sky_probability`` when the depth is refined.
        focal_over_long_side: The model's guess of the focal length, or None.
        sky_probability: (h, w) float32 of the depth's size, or None if the model does not look for sky.
        card: Of the model that looked; None where no model did.
        device: Where it looked.
        note: What the user should know of how the model was picked, or None.
    """

    depth: DepthMap
    focal_over_long_side: float | None = None
    sky_probability: F32 | None = None
    card: ModelCard | None = None
    device: str = "cpu"
    note: str | None = None


def estimate_depth(picture: Image, model: str, options: DepthOptions, kind: str | None = None) -> Estimate:
    """Look at the picture with a model of the table, or one from outside.

    Args:
        picture: The upright picture.
        model: A name of the table, "auto", "onnx:PATH" or "transformers:FOLDER_OR_REPO".
        options: How.
        kind: What the numbers of a model from outside mean, where nothing else tells.

    Raises:
        InputError: The picture is smaller than 16 pixels on a side, or there is no such model or device.
        MissingExtraError: What runs the model is not installed.
        WeightsError: The model's weights are missing or damaged.
        RightsError: Its licence forbids what ``options.commercial_only`` asks for.
    """
    from unflat.models.registry import depth_model, left_aside

    if min(picture.size.width, picture.size.height) < SMALLEST_SIDE:
        raise InputError(
            f"the picture is only {picture.size} pixels", hint=f"Give at least {SMALLEST_SIDE}×{SMALLEST_SIDE}."
        )
    eye = depth_model(
        model,
        threads=options.threads,
        device=options.device,
        kind=kind,
        commercial_only=options.commercial_only,
    )
    prediction = eye.predict(over_grey(picture))
    depth = _as_depth(prediction, eye.card.name, eye.card.licence)
    note = None
    if model == "auto":
        note = left_aside(eye.card.name, device=options.device, commercial_only=options.commercial_only)
    return Estimate(depth, prediction.focal_over_long_side, prediction.sky, eye.card, options.device, note)


def refine_to(seen: Estimate, picture: Image, size: Size, *, exact: bool = False) -> DepthMap:
    """Bring depth to ``size`` with its edges on the picture's edges; what is transparent becomes invalid.

    Args:
        seen: Depth of any size, of the whole picture.
        picture: The upright picture.
        size: The wanted size, of the picture's shape.
        exact: The outlines of the depth are already where they belong and must not be moved.

    Raises:
        InputError: Nothing of the picture is opaque.
    """
    from unflat.geometry.refine import RefineOptions, refine_depth

    options = RefineOptions(reach=0) if exact else RefineOptions()
    if picture.alpha is None:
        return refine_depth(seen.depth, picture.pixels, size, seen.sky_probability, options)
    opaque = check_opaque(_resampled(picture.alpha, size))
    depth, sky = seen.depth, seen.sky_probability
    if not exact:
        share = _resampled(picture.alpha, depth.size)
        inside = np.asarray(depth.valid) & _inside(share >= 128, share > 0)
        depth = replace(depth, valid=inside if inside.any() else depth.valid)
        sky = None if sky is None else np.where(share >= 128, sky, np.float32(0))
    refined = refine_depth(depth, picture.pixels, size, sky, options)
    valid = np.asarray(refined.valid) | (
        _resampled(np.asarray(seen.depth.valid, np.uint8) * np.uint8(255), size) >= 128
    )
    return replace(refined, valid=valid & opaque, sky=None if refined.sky is None else refined.sky & opaque)


def check_opaque(alpha: U8) -> Bool:
    """The pixels that are rather there than not; (h, w) both.

    Raises:
        InputError: There are none.
    """
    opaque = alpha >= 128
    if not opaque.any():
        raise InputError("the picture is transparent everywhere", hint="Give a picture with something in it.")
    return opaque


def _inside(mostly: Bool, touched: Bool) -> Bool:
    """The pixels of something cut out that are RIM pixels inside of it, or as far as it goes where it is thin.

    A network's depth runs over into that of the ground which is not there.

    Args:
        mostly: (h, w), at least half of the pixel is of it.
        touched: (h, w), any of the pixel is: a wire is nowhere more.
    """
    import cv2

    around = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
    deep = np.asarray(cv2.distanceTransform(mostly.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    deepest = np.asarray(cv2.dilate(deep, around))
    wires = touched & (np.asarray(cv2.dilate(mostly.astype(np.uint8), around)) == 0)
    return (mostly & ((deep > RIM) | (deep >= deepest))) | wires


def over_grey(picture: Image) -> U8:
    """Lay a picture with alpha over neutral grey: what hides under transparency must not be seen."""
    if picture.alpha is None:
        return picture.pixels
    weight = picture.alpha[..., None].astype(np.float32) / 255
    return (picture.pixels * weight + _NEUTRAL * (1 - weight)).round().astype(np.uint8)


def _resampled(plane: U8, size: Size) -> U8:
    import cv2

    return np.asarray(cv2.resize(plane, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def _as_depth(prediction: Prediction, origin: str, licence: str) -> DepthMap:
    """Turn what a model says into the house's depth: METRIC and SCALE are inverted, the others stay as they are."""
    said = prediction.values
    values: F32 = said
    if prediction.kind.is_depth:
        floor = max(float(np.quantile(said, 0.99)) * _FARTHEST, 1e-12)
        values = (1 / np.maximum(said, floor)).astype(np.float32)
    return DepthMap(
        values=values,
        kind=prediction.kind,
        valid=np.isfinite(said),
        confidence=prediction.confidence,
        origin=origin,
        licence=licence,
    )
