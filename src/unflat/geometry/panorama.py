"""Where the pixels of a panorama look, and what a window into it shows.

A window is a pinhole camera at the panorama's place: its axes x right, y down, z forward, ``scene_from_window`` a
rotation. All windows share one eye, so a direction is all there is between two of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.panorama import Panorama

Plane = TypeVar("Plane", bound=NDArray[Any])


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A pinhole view at the panorama's place.

    Attributes:
        name: For people.
        camera: Its pixels.
        scene_from_window: (3, 3) float64 rotation.
    """

    name: str
    camera: Intrinsics
    scene_from_window: F64


def turn_deg(longitude: float, latitude: float = 0.0) -> F64:
    """(3, 3) scene_from_window of a level window that looks at a longitude and latitude, in degrees."""
    a, b = math.radians(longitude), math.radians(latitude)
    around = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    up = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    return around @ up


def roll_deg(angle: float) -> F64:
    """(3, 3) scene_from_camera of a camera that leans to its right by so many degrees."""
    a = math.radians(angle)
    return np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])


def window_rays(window: Window) -> F32:
    """(h, w, 3) directions in the scene through the pixels' centres; along the window's axis they are 1 long."""
    camera = window.camera
    x = (np.arange(camera.size.width) + 0.5 - camera.cx) / camera.fx
    y = (np.arange(camera.size.height) + 0.5 - camera.cy) / camera.fy
    xx, yy = np.meshgrid(x, y)
    rays = np.stack([xx, yy, np.ones_like(xx)], axis=-1)
    return (rays @ window.scene_from_window.T).astype(np.float32)


def in_window(window: Window, rays: F32) -> tuple[F32, F32, F32]:
    """Pixel x, pixel y, and how long the ray is along the window's axis (not positive: behind it)."""
    local = rays @ window.scene_from_window.astype(np.float32)
    along = local[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = local[..., 0] / along * np.float32(window.camera.fx) + np.float32(window.camera.cx)
        y = local[..., 1] / along * np.float32(window.camera.fy) + np.float32(window.camera.cy)
    return x.astype(np.float32), y.astype(np.float32), along.astype(np.float32)


def panorama_rays(panorama: Panorama) -> F32:
    """(h, w, 3) unit directions in the scene through the centres of a panorama's pixels."""
    width, height = panorama.size.width, panorama.size.height
    left, right, top, bottom = (math.radians(angle) for angle in panorama.span)
    longitude = left + (np.arange(width) + 0.5) * ((right - left) / width)
    share = (np.arange(height) + 0.5) / height
    if panorama.projection == "cylindrical":
        latitude = np.arctan(math.tan(top) + share * (math.tan(bottom) - math.tan(top)))
    else:
        latitude = top + share * (bottom - top)
    out = np.empty((height, width, 3))
    out[..., 0] = np.cos(latitude)[:, None] * np.sin(longitude)[None]
    out[..., 1] = -np.sin(latitude)[:, None]
    out[..., 2] = np.cos(latitude)[:, None] * np.cos(longitude)[None]
    return (out @ panorama.scene_from_panorama.T).astype(np.float32)


def in_panorama(panorama: Panorama, rays: F32) -> tuple[F32, F32, Bool]:
    """Pixel x and y of directions in the scene, and whether they lie in the picture.

    Args:
        panorama: The camera.
        rays: (…, 3) of any length.
    """
    local = rays @ panorama.scene_from_panorama.astype(np.float32)
    longitude = np.arctan2(local[..., 0], local[..., 2])
    flat = np.hypot(local[..., 0], local[..., 2])
    left, right, top, bottom = (math.radians(angle) for angle in panorama.span)
    middle = (left + right) / 2
    longitude = np.mod(longitude - middle + math.pi, 2 * math.pi) + middle - math.pi
    if panorama.projection == "cylindrical":
        with np.errstate(divide="ignore"):
            height = -local[..., 1] / flat
        low, high = math.tan(bottom), math.tan(top)
    else:
        height = np.arctan2(-local[..., 1], flat)
        low, high = bottom, top
    x = (longitude - left) * (panorama.size.width / (right - left))
    y = (high - height) * (panorama.size.height / (high - low))
    inside = (x >= 0) & (x <= panorama.size.width) & (y >= 0) & (y <= panorama.size.height)
    return x.astype(np.float32), y.astype(np.float32), inside


def looked_up(plane: Plane, panorama: Panorama, rays: F32, *, nearest: bool = False) -> Plane:
    """What a plane over a panorama holds in directions of the scene: bilinear, going on around where it is closed.

    Args:
        plane: (h, w) or (h, w, c) of any size, over the whole panorama.
        panorama: The camera.
        rays: (m, n, 3); outside the panorama its border is taken.
        nearest: Take the nearest pixel rather than the mean of four.
    """
    height, width = plane.shape[:2]
    x, y, _ = in_panorama(panorama.resized(Size(width, height)), rays)
    x, y = x - np.float32(0.5), np.clip(y - np.float32(0.5), 0, height - 1)
    if panorama.closed:
        plane = cast(Plane, np.concatenate([plane[:, -1:], plane, plane[:, :1]], axis=1))
        x = np.clip(x, -1, width) + 1
    else:
        x = np.clip(x, 0, width - 1)
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return cast(Plane, np.asarray(cv2.remap(plane, x, y, how, borderMode=cv2.BORDER_REPLICATE), plane.dtype))


def shrunk(pixels: U8, panorama: Panorama, per_radian: float) -> U8:
    """A panorama's pixels averaged down to so many a radian, so that a window of that fineness does not flicker."""
    factor = per_radian / panorama.pixels_per_radian
    if factor >= 1:
        return pixels
    size = max(2, round(pixels.shape[1] * factor)), max(2, round(pixels.shape[0] * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def window_picture(pixels: U8, panorama: Panorama, window: Window) -> U8:
    """(h, w, 3) what a window shows of a panorama's picture."""
    small = shrunk(pixels, panorama, window.camera.fx)
    return looked_up(small, panorama, window_rays(window))


def inside(panorama: Panorama, window: Window) -> Bool:
    """(h, w), where a window looks into the panorama."""
    return in_panorama(panorama, window_rays(window))[2]
