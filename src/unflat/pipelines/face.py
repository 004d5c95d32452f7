"""The public verbs of Python: the words of the command line, with their options as keywords."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unflat.pipelines.depth import DepthMapOptions, depth_map
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.inspect import inspect
from unflat.pipelines.photo import PhotoOptions
from unflat.pipelines.photo import photo as photo_recipe
from unflat.pipelines.result import PhotoResult
from unflat.pipelines.source import Picture
from unflat.pipelines.stereo import StereoPictureOptions
from unflat.pipelines.stereo import stereo as stereo_recipe
from unflat.pipelines.stereo_result import StereoResult
from unflat.types.depth import DepthMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unflat.pipelines.scan import ScanOptions
    from unflat.pipelines.scan_result import ScanResult
    from unflat.pipelines.stereo_film import Film, FilmOptions
    from unflat.pipelines.tour_result import TourResult
    from unflat.pipelines.volume import VolumeOptions, VolumeResult
    from unflat.types.tour import TourPlan
    from unflat.types.volume import LabelMap, Volume

__all__ = ["depth", "depth_film", "inspect", "photo", "scan", "stereo", "stereo_film", "tour", "volume"]


def photo(picture: Picture, options: PhotoOptions | None = None, **keywords: Any) -> PhotoResult:
    """Turn one picture into space.

    Args:
        picture: A file, an (h, w, 3) or (h, w, 4) sRGB uint8 array, or an Image.
        options: All options as one value; or give any of them by keyword: ``photo("x.jpg", fov=60, sky="none")``.
        **keywords: The flags of ``unflat photo`` by name. ``depth`` may also be a DepthMap, or an array with
            ``depth_kind``.

    Returns:
        The result: ``.scene``, ``.depth``, ``.report``, ``.save("x.glb", "x.usdz")``.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    handed = keywords.pop("depth") if not isinstance(keywords.get("depth", ""), str | Path) else None
    return photo_recipe(picture, from_keywords(options or PhotoOptions(), _as_text(keywords)), handed=handed)


def depth(picture: Picture, options: DepthMapOptions | None = None, **keywords: Any) -> DepthMap:
    """See how far everything in one picture is.

    Args:
        picture: A file, an (h, w, 3) or (h, w, 4) sRGB uint8 array, or an Image.
        options: All options as one value; or give any of them by keyword: ``depth("x.jpg", depth="worlds")``.
        **keywords: The flags of ``unflat depth`` by name.

    Returns:
        A depth map as fine as the picture: ``values`` (h, w), ``kind``, ``confidence``, ``sky``, ``intrinsics``.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    return depth_map(picture, from_keywords(options or DepthMapOptions(), _as_text(keywords))).depth


def stereo(picture: Picture, options: StereoPictureOptions | None = None, **keywords: Any) -> StereoResult:
    """See one picture with two eyes.

    Args:
        picture: A file, an (h, w, 3) or (h, w, 4) sRGB uint8 array, or an Image.
        options: All options as one value; or give any of them by keyword: ``stereo("x.jpg", layout="anaglyph")``.
        **keywords: The flags of ``unflat stereo`` by name. ``depth`` may also be a DepthMap, or an array with
            ``depth_kind``.

    Returns:
        The result: ``.pair`` (left and right), ``.report``, ``.save("x.jpg", "x_LR.jpg", "x.mpo")``.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    handed = keywords.pop("depth") if not isinstance(keywords.get("depth", ""), str | Path) else None
    told = from_keywords(options or StereoPictureOptions(), _as_text(keywords))
    return stereo_recipe(picture, told, handed=handed)


def stereo_film(film: str | Path, options: FilmOptions | None = None, **keywords: Any) -> Film:
    """See a film with two eyes. Nothing is made before it is saved.

    Args:
        film: A file.
        options: All options as one value; or give any of them by keyword: ``stereo_film("x.mp4", preview="10s")``.
        **keywords: The flags of ``unflat stereo`` by name; ``from_`` is ``--from``.

    Returns:
        The film to be: ``.save("x_LR.mp4", "x.html")``, ``.clip``, ``.report``.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    from unflat.pipelines.stereo_film import Film, FilmOptions

    return Film(Path(film), from_keywords(options or FilmOptions(), _as_text(keywords)))


def depth_film(film: str | Path, options: FilmOptions | None = None, **keywords: Any) -> Film:
    """See how far everything in a film is. Nothing is made before it is saved.

    Args:
        film: A file.
        options: All options as one value; or give any of them by keyword: ``depth_film("x.mp4", depth_bits="10")``.
        **keywords: The flags of ``unflat depth`` by name; ``from_`` is ``--from``.

    Returns:
        The film to be: ``.save("x.mkv")``, ``.clip``, ``.report``.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    from unflat.pipelines.stereo_film import Film, FilmOptions

    return Film(Path(film), from_keywords(options or FilmOptions(), _as_text(keywords)), "depth")


def _as_text(keywords: dict[str, Any]) -> dict[str, Any]:
    """Paths as the text that the command line would give."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in keywords.items()}


def scan(
    pictures: str | Path | Sequence[str | Path], options: ScanOptions | None = None, **keywords: Any
) -> ScanResult:
    """Turn a film, a folder, or photographs of one place into one scene.

    Args:
        pictures: A path or several: films, pictures, folders of them.
        options: All options as one value; or give any of them by keyword: ``scan("flat.mp4", longest=1000)``.
        **keywords: The flags of ``unflat scan`` by name.

    Returns:
        The result: ``.cameras`` (views, points, scale), ``.scene``, ``.report``, ``.save("x.html", "x.colmap")``. Each
        step is done when it is first asked for.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    from unflat.pipelines.scan import Scan, ScanOptions
    from unflat.pipelines.scan_result import ScanResult

    paths = [pictures] if isinstance(pictures, str | Path) else pictures
    told = from_keywords(options or ScanOptions(), _as_text(keywords))
    return ScanResult(Scan([Path(path) for path in paths], told))


def tour(
    pictures: str | Path | Sequence[str | Path],
    plan: str | Path | dict[str, Any] | TourPlan | None = None,
    options: ScanOptions | None = None,
    **keywords: Any,
) -> TourResult:
    """Turn pictures that share little or nothing into one tour.

    Args:
        pictures: A path or several: pictures, folders of them, films.
        plan: What you know of them: a JSON file or its contents (docs/walk.md), or a TourPlan; None: nothing.
        options: Of the pictures that find their places by themselves; or any of them by keyword.
        **keywords: The flags of ``unflat scan`` by name.

    Returns:
        The result: ``.scene``, ``.report``, ``.save("x.html", "x.glb")``.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    from unflat.formats import tour_plan
    from unflat.pipelines.scan import ScanOptions
    from unflat.pipelines.scan_tour import TourRun
    from unflat.pipelines.tour_result import TourResult
    from unflat.types.tour import TourPlan

    if isinstance(plan, str | Path):
        plan = tour_plan.read(Path(plan))
    elif not isinstance(plan, TourPlan):
        plan = tour_plan.plan_of(plan or {})
    paths = [pictures] if isinstance(pictures, str | Path) else pictures
    told = from_keywords(options or ScanOptions(), _as_text(keywords))
    return TourResult(TourRun([Path(path) for path in paths], plan, told))


def volume(
    scan: str | Path | Volume | NDArray[Any],
    options: VolumeOptions | None = None,
    *,
    labels: str | Path | LabelMap | NDArray[Any] | None = None,
    label_names: str | Path | None = None,
    pins: str | Path | None = None,
    **keywords: Any,
) -> VolumeResult:
    """Turn CT or MRI slices into anatomy that one can turn.

    Args:
        scan: A folder or zip of DICOM files, NIfTI, NRRD, MetaImage, a folder of pictures, a Volume, or an array
            (slices, rows, columns) with ``spacing_mm=(column, row, slice)``.
        options: All options as one value; or give any of them by keyword: ``volume("ct", preset="bone,skin")``.
        labels: A label map, the file of one, or an array of numbers on the scan's voxels: its parts become the nodes.
        label_names: A file that says what the numbers of the map are called.
        pins: A file of texts for places of the model (docs/volumes.md).
        **keywords: The flags of ``unflat volume`` by name.

    Returns:
        The result: ``.volume``, ``.tissues``, ``.scene``, ``.report``, ``.save("x.glb", "x.html")``. Each step is done
        when it is first asked for.

    Raises:
        UnflatError: Any of the tree; ``.hint`` says what to do.
    """
    from unflat.formats import pins as pins_file
    from unflat.pipelines.volume import VolumeOptions, VolumeResult

    told = from_keywords(options or VolumeOptions(), _as_text(keywords))
    return VolumeResult(
        Path(scan) if isinstance(scan, str | Path) else scan,
        told,
        labels=Path(labels) if isinstance(labels, str | Path) else labels,
        label_names=None if label_names is None else Path(label_names),
        pins=() if pins is None else pins_file.read(Path(pins)),
    )
