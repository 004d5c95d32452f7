"""What the numbers of a network mean, and how they become the numbers of a :class:`Prediction`.

network says                            kind       inverse   Prediction.values
z in metres                             metric     no        1 / z
1 / z in 1/metres                       metric     yes       as they are
z up to one factor                      scale      no        1 / z
1 / z up to one factor                  scale      yes       as they are
z up to factor and offset               affine     no        as they are (near is small)
1 / z up to factor and offset           disparity  yes       as they are (near is large)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, WeightsError
from unflat.types.arrays import F32
from unflat.types.depth import DepthKind

KINDS = " ".join(kind.value for kind in DepthKind)
_SUSPECT = "The weights are damaged, or their card says what they are not."
_MOST = 64_000_000
_LEAST_SIDE = 4
_NEAREST = 1e-3
"""z below this share of the median z is taken for this share of it."""
_METRES = (1e-3, 1e6)
"""Where the median z of a scene in metres may lie; a card that says metres of anything else is wrong."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the numbers of a network are.

    Attributes:
        kind: Up to what they are known.
        inverse: They are 1 / z. Follows from the kind where that is AFFINE (no) or DISPARITY (yes).
    """

    kind: DepthKind
    inverse: bool = False

    def __post_init__(self) -> None:
        if self.kind is DepthKind.DISPARITY:
            object.__setattr__(self, "inverse", True)
        if self.kind is DepthKind.AFFINE and self.inverse:
            raise InputError("inverse depth up to factor and offset is kind 'disparity'", hint="Say kind disparity.")


def kind_named(word: Any) -> DepthKind:
    """The kind of a word.

    Raises:
        InputError: There is none of that name.
    """
    if word not in {kind.value for kind in DepthKind}:
        raise InputError(f"a network cannot be of the depth kind '{word!s:.40}'", hint=f"Known: {KINDS}.")
    return DepthKind(word)


def plane_of(output: NDArray[Any], name: str) -> F32:
    """The one (h, w) plane in what a network gave, whatever axes of length 1 stand around it.

    Raises:
        WeightsError: It holds no plane, an implausible one, or something that is no number.
    """
    if output.dtype.kind not in "fiu":
        raise WeightsError(f"'{name}' gave {output.dtype} instead of numbers", hint=_SUSPECT)
    if not 2 <= output.ndim <= 5 or output.size > _MOST:
        raise WeightsError(f"'{name}' gave an array of shape {output.shape}, not a depth map", hint=_SUSPECT)
    sides = [side for side in output.shape if side != 1]
    if len(sides) != 2 or min(sides) < _LEAST_SIDE:
        raise WeightsError(f"'{name}' gave an array of shape {output.shape}, not a depth map", hint=_SUSPECT)
    plane = output.astype(np.float32).reshape(sides)
    if np.isnan(plane).any():
        raise WeightsError(f"'{name}' gave something that is no number (NaN)", hint=_SUSPECT)
    return plane


def to_values(raw: F32, meaning: Meaning, name: str) -> F32:
    """The numbers of a network as the numbers of a :class:`~unflat.models.depth.protocol.Prediction`.

    z of +inf is infinitely far; z of 0 or less is as near as can be.

    Args:
        raw: (h, w) float32 without NaN, as the network gave them.
        meaning: What they are.
        name: Of the model, for the message.

    Returns:
        (h, w) float32, finite; for METRIC and SCALE 1 / z and >= 0.

    Raises:
        WeightsError: They cannot be what they are said to be.
    """
    far = not meaning.inverse and meaning.kind.is_depth
    if np.isinf(raw).any() and not (far and not np.isneginf(raw).any() and np.isfinite(raw).any()):
        raise WeightsError(f"'{name}' gave infinite numbers", hint=_SUSPECT)
    if not meaning.kind.is_depth:
        return raw
    if not ((raw > 0) & np.isfinite(raw)).any() or float(np.median(raw)) < 0:
        what = "inverse depths" if meaning.inverse else "depths"
        raise WeightsError(f"'{name}' gave {what} that are not positive", hint=_SUSPECT)
    known = raw[(raw > 0) & np.isfinite(raw)].astype(np.float64)
    nearest = float(np.median(known)) * _NEAREST
    if meaning.kind is DepthKind.METRIC:
        _check_metres(1 / known if meaning.inverse else np.maximum(known, nearest), name)
    if meaning.inverse:
        return np.maximum(raw, np.float32(0))
    return (1 / np.maximum(raw, np.float32(max(nearest, 1e-30)))).astype(np.float32)


def _check_metres(z: NDArray[np.float64], name: str) -> None:
    """Refuse metres of no scene: of dust, of planets, or with a hundredth of it nearer than dust."""
    front, middle = np.quantile(z, (0.01, 0.5))
    if not _METRES[0] <= middle <= _METRES[1] or front < _METRES[0] * _NEAREST:
        raise WeightsError(
            f"'{name}' gave a scene {middle:.3g} m away, its front {front:.3g} m: these are no metres",
            hint="If its numbers are depth up to a factor, its card must say kind 'scale'.",
        )
