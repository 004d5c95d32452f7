"""The tracer on a GPU: the very functions of `trace`, compiled once more for CUDA, a thread a pixel.

numba compiles a function for the target of its decorator, so each function that a pixel needs is taken as plain Python
(`py_func`) and decorated anew, with its helpers replaced by their own new versions. `NUMBA_ENABLE_CUDASIM=1` runs it
all without a GPU, slowly; the test does.
"""

from __future__ import annotations

from functools import cache
from math import tan
from types import FunctionType
from typing import Any

import numpy as np
from numba import cuda, int32
from numpy.typing import NDArray

from training.worlds import trace
from training.worlds.stage import Camera

BLOCK = (8, 8)


@cache
def _for_gpu(function: Any) -> Any:
    """The function as a device function, and with it all jitted functions that it calls."""
    plain = function.py_func
    names = {name: plain.__globals__[name] for name in plain.__code__.co_names if name in plain.__globals__}
    names = {name: _for_gpu(value) if hasattr(value, "py_func") else value for name, value in names.items()}
    copy = FunctionType(plain.__code__, {**plain.__globals__, **names}, plain.__name__, plain.__defaults__)
    return cuda.jit(device=True, fastmath=True)(copy)


@cache
def _kernel() -> Any:
    pixel, size = _for_gpu(trace.pixel), trace.STACK

    @cuda.jit
    def paint(world: Any, film: Any, eye: Any, axes: Any, scale: float, samples: int, seed: int) -> None:
        x, y = cuda.grid(2)
        if x < film.shape[1] and y < film.shape[0]:
            stack = cuda.local.array(size, int32)
            pixel(world, stack, film[y, x], x, y, film.shape[1], film.shape[0], eye, axes, scale, samples, seed)

    return paint


class Gpu:
    """Draws like `trace.render`; what all stages share is sent to the GPU once."""

    def __init__(self, materials: trace.Materials) -> None:
        ready = materials.panoramas.radiance
        self._shared = {
            "tiles": cuda.to_device(materials.tiles),
            "tile_means": cuda.to_device(materials.tile_means),
            "gallery": cuda.to_device(materials.gallery),
        }
        if len(ready):
            self._shared["panoramas"] = cuda.to_device(ready)

    def __call__(
        self, world: trace.World, camera: Camera, size: tuple[int, int], samples: int, seed: int
    ) -> NDArray[np.float32]:
        """Film (height, width, FILM) of a picture of size (width, height); see `trace.render`."""
        own = {k: v for k, v in world._asdict().items() if isinstance(v, np.ndarray) and k not in self._shared}
        there = world._replace(**self._shared, **{k: cuda.to_device(v) for k, v in own.items()})
        film = cuda.to_device(np.zeros((size[1], size[0], trace.FILM), np.float32))
        scale = max(size) / 2 / tan(camera.fov / 2)
        blocks = tuple(-(-side // edge) for side, edge in zip(size, BLOCK, strict=True))
        eye, axes = cuda.to_device(np.asarray(camera.eye, np.float32)), cuda.to_device(trace.pose(camera))
        _kernel()[blocks, BLOCK](there, film, eye, axes, scale, samples, seed)
        return film.copy_to_host()
