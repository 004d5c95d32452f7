"""What the recipes take in: a path or an array, a user's depth file, a phone's own depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.models.outside import PREFIXES, is_outside
from unflat.stages.crop_frame import Crop, FrameOptions, crop_depth, crop_frame, crop_points
from unflat.stages.scale_to_metres import ScaleOptions
from unflat.stages.see_as_art import ArtOptions, judge_style, without_lens
from unflat.trust.lineage import Lineage
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.provenance import Source

Picture = str | Path | NDArray[np.uint8] | Image
"""Whatever a recipe takes as a picture: a file, an (h, w, 3) or (h, w, 4) uint8 sRGB array, or an Image."""

DepthKindWord = Literal["metric", "scale", "affine", "disparity", "disparity-px"]
_KINDS = ", ".join(get_args(DepthKindWord))


@dataclass(frozen=True, slots=True)
class DepthSource:
    """Where depth comes from."""

    depth: str = "auto"
    """A depth model ('unflat models' lists them; auto is the best on this disk), onnx:FILE, transformers:FOLDER, or
    your own depth file (.png 16 bit, .exr, .npy, .pfm)."""
    depth_kind: DepthKindWord | None = None
    """What the numbers of your depth file or outside model mean; its sidecar or card says so if it has one."""
    phone_depth: bool = True
    """Use the depth that a phone stored inside the picture, if there is one."""

    @property
    def file(self) -> Path | None:
        """The user's depth file, if ``depth`` names one rather than a model."""
        if self.depth.startswith(PREFIXES):
            return None
        path = Path(self.depth)
        return path if path.suffix.lower() in (".png", ".exr", ".npy", ".pfm") else None


@dataclass(frozen=True, slots=True)
class Given:
    """Depth that needs no model.

    Attributes:
        depth: Of the whole upright picture, in its own size.
        exact: Its outlines are where they belong: a user's own map is not to be improved.
        fill: Its holes may be filled by a model.
        source: The file it came from, if that is not the picture itself.
    """

    depth: DepthMap
    exact: bool
    fill: bool
    source: Source | None = None


def open_picture(picture: Picture) -> Image:
    """Read a file, wrap an array, or pass an Image on.

    Raises:
        InputError: The file cannot be read, or the array is no picture.
    """
    if isinstance(picture, Image):
        return picture
    if hasattr(picture, "__array_interface__") or isinstance(picture, np.ndarray):  # arrays, and Pillow's pictures
        return _from_array(np.asarray(picture))
    if not isinstance(picture, str | Path):
        raise InputError(f"a {type(picture).__name__} is no picture", hint="Give a path, a uint8 array or an Image.")
    from unflat.formats.image import read_image

    return read_image(Path(picture))


def take_out(image: Image, options: FrameOptions, lineage: Lineage) -> tuple[Image, Crop | None]:
    """The picture without what is around it, and how it was cropped; noted in the lineage."""
    crop = crop_frame(image, options)
    if crop is None:
        return image, None
    corners = [[round(v, 1) for v in corner] for corner in crop.way.corners.tolist()]
    lineage.did("crop_frame", corners=corners, size=str(crop.way.size), reproduction=crop.reproduction)
    return crop.picture, crop


def told_style(image: Image, options: ArtOptions, lineage: Lineage) -> tuple[Image, ArtOptions]:
    """The picture, and the options with the style decided on; noted in the lineage.

    A painting and a drawing have no lens: what EXIF tells is of the camera that reproduced them.
    """
    verdict = judge_style(image, options)
    decided = "auto" if options.style == "auto" else "given"
    lineage.did("judge_style", style=verdict.style, decided=decided)
    if verdict.note is not None:
        lineage.warn(verdict.note)
    if verdict.style in ("painting", "drawing"):
        image = without_lens(image)
    return image, replace(options, style=verdict.style)


def scale_of(options: ScaleOptions, crop: Crop | None) -> ScaleOptions:
    """What the user knows of the size, in pixels of the picture that is left.

    Raises:
        InputError: A point of the known length lies in what was cropped away.
    """
    known = options.known_length
    if crop is None or known is None:
        return options
    (x1, y1), (x2, y2) = crop_points([(known.x1, known.y1), (known.x2, known.y2)], crop)
    return replace(options, known_length=replace(known, x1=x1, y1=y1, x2=x2, y2=y2))


def _from_array(array: NDArray[np.uint8]) -> Image:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InputError(
            f"an array of shape {array.shape} and type {array.dtype} is no picture",
            hint="Give uint8 of shape (h, w), (h, w, 3) or (h, w, 4), sRGB.",
        )
    grey = array.ndim == 2 or array.shape[2] == 1
    colour = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2) if grey else array[..., :3]
    alpha = array[..., 3] if array.ndim == 3 and array.shape[2] == 4 else None
    return Image(np.ascontiguousarray(colour), alpha if alpha is None or (alpha < 255).any() else None)


def given_depth(source: DepthSource, picture: Picture, image: Image, crop: Crop | None = None) -> Given | None:
    """The depth that needs no model: the user's file first, then what the phone stored.

    Args:
        source: Where depth comes from.
        picture: As the recipe got it.
        image: The picture, upright; without its frame if it was cropped.
        crop: How it was cropped: a user's depth of the whole is cropped along. What a phone measured of a picture on
            a wall is the wall, and is left aside.

    Raises:
        InputError: The file is damaged, says nothing of its kind, or has another shape than the picture.
    """
    if source.file is not None:
        from unflat.formats import depthmap

        depth = depthmap.read(source.file, kind=source.depth_kind)
        _not_extended(depth, source.file.name)
        depth = _fitting(depth, image, crop, source.file.name)
        return Given(depth, exact=True, fill=False, source=depthmap.source_of(source.file))
    if is_outside(source.depth):
        if source.depth_kind == "disparity-px":
            raise InputError("disparity-px is for stereo depth files", hint="Networks give disparity or scale.")
        return None
    if Path(source.depth).is_file():
        if source.depth.lower().endswith(".onnx"):
            raise InputError(f"'{source.depth}' is a network", hint=f"Write --depth onnx:{source.depth}")
        raise InputError(f"'{source.depth}' is no depth file that is read", hint="Depth files are .png .exr .npy .pfm.")
    if source.depth_kind is not None:
        raise InputError(
            "--depth-kind goes with a depth file or a network of your own",
            hint="Name it: --depth FILE --depth-kind KIND, or --depth onnx:FILE --depth-kind KIND.",
        )
    if not source.phone_depth or source.depth != "auto" or (crop is not None and crop.reproduction):
        return None
    if isinstance(picture, str | Path):
        from unflat.formats.phone_depth import read_phone_depth

        phone = read_phone_depth(Path(picture))
        if phone is not None:
            return Given(phone if crop is None else crop_depth(phone, crop), exact=False, fill=True)
    return None


def handed_depth(
    depth: DepthMap | NDArray[np.floating], kind: str | None, image: Image, crop: Crop | None = None
) -> Given:
    """Depth that was handed over in memory: a DepthMap, or (h, w) numbers and what they mean.

    Raises:
        InputError: An array without a kind, or of another shape than the picture.
    """
    if not isinstance(depth, DepthMap):
        if kind is None:
            raise InputError("an array does not say what its numbers mean", hint=f"Give depth_kind: {_KINDS}.")
        values = np.asarray(depth, dtype=np.float32)
        if kind == "disparity-px":
            values = np.divide(1, values, out=np.full_like(values, np.nan), where=values > 0)
        depth = DepthMap(values, DepthKind("scale" if kind == "disparity-px" else kind))
    _not_extended(depth, "map")
    return Given(_fitting(depth, image, crop, "map"), exact=True, fill=False)


def lost_confidence(depth: DepthMap) -> bool:
    """Whether a depth file of ours came without the confidence of the network that made it; the editor's PNG, too."""
    return depth.confidence is None and depth.provenance is not None


def _not_extended(depth: DepthMap, name: str) -> None:
    """Depth that was continued beyond the border has the picture's shape, but is not the picture's."""
    steps = () if depth.provenance is None else depth.provenance.steps
    if depth.invented is not None or any(step.name == "extend_picture" for step in steps):
        raise InputError(
            f"the depth {name} goes on beyond the picture's border (--extend)",
            hint="Give depth that was written without --extend; the picture can be extended with it again.",
        )


def _fitting(depth: DepthMap, image: Image, crop: Crop | None, name: str) -> DepthMap:
    """Depth of the picture, from depth of it or of the whole that it was cropped from."""
    if crop is not None and depth.size != image.size and _alike(depth, crop.whole):
        return crop_depth(depth, crop)
    _same_shape(depth, image, name)
    return depth


def _alike(depth: DepthMap, image: Image) -> bool:
    """Whether a depth map has the shape of a picture, in whatever size."""
    fitted = image.size.fitted(depth.size.long_side)
    sides = abs(fitted.width - depth.size.width), abs(fitted.height - depth.size.height)
    return depth.size == image.size or max(sides) <= 1


def _same_shape(depth: DepthMap, image: Image, name: str) -> None:
    """A depth map may be smaller or larger than its picture, but must be of the same shape."""
    if not _alike(depth, image):
        raise InputError(
            f"the depth {name} is {depth.size}, the picture is {image.size}: not the same shape",
            hint="Give a depth map of the whole, upright picture.",
        )
