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


def on_gpu(world: trace.World) -> trace.World:
    """The world with its arrays in the GPU's memory; send the tiles and panoramas once and `_replace` the rest."""
    return world._replace(**{k: cuda.to_device(v) for k, v in world._asdict().items() if isinstance(v, np.ndarray)})


def render(
    world: trace.World, camera: Camera, size: tuple[int, int], samples: int = 1, seed: int = 0
) -> NDArray[np.float32]:
    """`trace.render` on the GPU; world from `on_gpu`."""
    film = cuda.to_device(np.zeros((size[1], size[0], trace.FILM), np.float32))
    scale = max(size) / 2 / tan(camera.fov / 2)
    blocks = tuple(-(-side // edge) for side, edge in zip(size, BLOCK, strict=True))
    eye, axes = cuda.to_device(np.asarray(camera.eye, np.float32)), cuda.to_device(trace.pose(camera))
    _kernel()[blocks, BLOCK](world, film, eye, axes, scale, samples, seed)
    return film.copy_to_host()
