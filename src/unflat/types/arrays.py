"""How a noun takes an array in: checked once, then read-only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unflat.errors import ShapeError

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
Bool = NDArray[np.bool_]


def frozen(name: str, array: object, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return a read-only view of ``array`` as ``dtype``, or say what is wrong with its shape.

    No copy is made when the type already fits, so whoever made the array should not change it afterwards.

    Args:
        name: What the array is called in the error.
        array: Anything numpy takes.
        dtype: The wanted element type. A floating value never becomes an integer silently.
        shape: The wanted length per axis; None stands for any length.

    Raises:
        ShapeError: The number of axes, a length or the type does not fit.
    """
    given = np.asarray(array)
    if given.ndim != len(shape) or any(w is not None and w != g for w, g in zip(shape, given.shape, strict=True)):
        wanted = "×".join("any" if w is None else str(w) for w in shape)
        raise ShapeError(f"{name} must have the shape {wanted}, not {'×'.join(map(str, given.shape)) or 'a scalar'}")
    if not np.can_cast(given.dtype, dtype, casting="same_kind"):
        raise ShapeError(f"{name} must be {np.dtype(dtype)}, not {given.dtype}")
    view = given.astype(dtype, copy=False).view()
    view.flags.writeable = False
    return view


def settle(noun: object, name: str, dtype: DTypeLike, shape: tuple[int | None, ...]) -> None:
    """Replace the field ``name`` of a frozen dataclass by its checked, read-only array; None stays None."""
    value = getattr(noun, name)
    if value is not None:
        object.__setattr__(noun, name, frozen(f"{type(noun).__name__}.{name}", value, dtype, shape))
