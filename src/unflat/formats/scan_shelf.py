"""What a scan has done so far: its pictures, cameras, depth and surface, each by the content of what went into it.

A shelf is a folder that its owner alone may look into. Every thing on it has a name and a key, a digest of all that
decides what it holds; a thing whose key differs is as good as not there. Things appear whole or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from unflat.errors import ConsentError, InputError, OutputError, RightsError
from unflat.formats.atomic import replacing, safe_stem, translated
from unflat.formats.film_parts import locked
from unflat.formats.shelf_source import lens_of, lens_words, source_of, source_told
from unflat.formats.zip_faults import ZIP_FAULTS
from unflat.trust.places import close_files, close_folder
from unflat.types.arrays import U8, Bool
from unflat.types.camera import Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.scale import Scale
from unflat.types.views import Dropped, Lens, Reconstruction, SparsePoints, Still, Stills, View, ViewDepth

_LOSSY = 95
_LOCK = "lock"
_STILLS, _CAMERAS = "stills", "cameras"
Arrays = dict[str, NDArray[Any]]


class Shelf:
    """A folder of things that need not be made again.

    Attributes:
        folder: Where they lie.
        longest: Long side of the pictures on it, in pixels.
    """

    def __init__(self, folder: Path, longest: int) -> None:
        self.folder = folder
        self.longest = longest
        try:
            close_folder(folder)
        except OSError as error:
            raise translated(error, folder) from error

    def get(self, name: str, key: str) -> tuple[dict[str, Any], Arrays] | None:
        """The words and arrays of a thing, or None where it is not there, is another, or is damaged."""
        try:
            with np.load(self._place(name), allow_pickle=False) as saved:
                words = json.loads(str(saved["words"]))
                if words["key"] != key:
                    return None
                return words["told"], {n: saved[n] for n in saved.files if n != "words"}
        except (OSError, *ZIP_FAULTS):
            return None

    def put(self, name: str, key: str, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put a thing there, in the place of an older one.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        words = json.dumps({"key": key, "told": told}, default=str)
        with _closed(self._place(name)) as draft, draft.open("wb") as file:
            np.savez(file, allow_pickle=False, words=np.array(words), **arrays)

    def keep_still(self, still: Still, pixels: U8, mask: Bool | None, *, lossy: bool) -> Still:
        """Put a still's pixels there, no larger than ``longest``, and give the still that reads them.

        Args:
            still: What is known of it.
            pixels: (h, w, 3) uint8 of its size.
            mask: (h, w) bool, or None.
            lossy: As a JPEG of high quality (frames of films, which were lossy before), else without loss.
        """
        size = still.size.fitted(self.longest)
        small = _resized(pixels, size)
        picture = self.folder / f"{safe_stem(still.name)}.{'jpg' if lossy else 'npy'}"
        with _closed(picture) as draft:
            if lossy:
                Pil.fromarray(small).save(draft, "JPEG", quality=_LOSSY, subsampling=0)
            else:
                with draft.open("wb") as file:
                    np.save(file, small, allow_pickle=False)
        if mask is not None:
            with _closed(self._mask(still)) as draft, draft.open("wb") as file:
                np.save(file, _resized(mask.astype(np.uint8) * 255, size) >= 128, allow_pickle=False)
        lens = None if still.lens is None else still.lens.resized(size)
        return self._still(
            replace(still, size=size, lens=lens, taken=still.taken or still.size), picture, masked=mask is not None
        )

    def mask_still(self, still: Still, mask: Bool) -> Still:
        """The same still with a mask, which is put there.

        Args:
            still: From this shelf.
            mask: (h, w) bool of its size.
        """
        with _closed(self._mask(still)) as draft, draft.open("wb") as file:
            np.save(file, mask, allow_pickle=False)
        return replace(still, mask=_loader(self._mask(still)))

    def clear(self) -> None:
        """Throw everything away but the lock: it belongs to other pictures, or to another way of taking them in."""
        for old in self.folder.iterdir():
            if old.name != _LOCK and old.is_file():
                old.unlink(missing_ok=True)

    def holds(self, name: str) -> bool:
        """Whether there is a thing of that name, of whatever key."""
        return self._place(name).is_file()

    def forget_still(self, still: Still) -> None:
        """Throw the pixels of a still away that was not chosen."""
        for path in (*(self.folder / f"{safe_stem(still.name)}.{s}" for s in ("jpg", "npy")), self._mask(still)):
            path.unlink(missing_ok=True)

    def put_stills(self, key: str, stills: Stills) -> None:
        """Put the list of the chosen stills there; their pixels are there already."""
        rows = [_still_words(still, self._picture_of(still).suffix) for still in stills.items]
        told = {"rows": rows, "ordered": stills.ordered, "dropped": [asdict(one) for one in stills.dropped]}
        self.put(_STILLS, key, told, {})

    def get_stills(self, key: str) -> Stills | None:
        """The chosen stills, if they are there with all their pixels."""
        found = self.get(_STILLS, key)
        if found is None:
            return None
        told, _ = found
        stills = [self._still_of(row) for row in told["rows"]]
        if any(still is None for still in stills):
            return None
        items = tuple(still for still in stills if still is not None)
        return Stills(items, told["ordered"], tuple(Dropped(**one) for one in told["dropped"]))

    def put_reconstruction(self, key: str, made: Reconstruction) -> None:
        """Put cameras and points there; their stills must be on the shelf."""
        views = [
            {"name": v.still.name, "lens": lens_words(v.lens), "error_px": v.error_px, "sure": v.sure}
            for v in made.views
        ]
        told = {
            "views": views,
            "lost": [asdict(one) for one in made.lost],
            "scale": None if made.scale is None else asdict(made.scale),
            "level": made.level,
            "notes": list(made.notes),
        }
        poses = np.array([v.pose.world_from_camera for v in made.views]).reshape(-1, 4, 4)
        points = made.points
        names = ("xyz", "colors", "error_px", "view", "point", "pixel")
        self.put(_CAMERAS, key, told, {"poses": poses, **{n: getattr(points, n) for n in names}})

    def get_reconstruction(self, key: str, stills: Stills) -> Reconstruction | None:
        """Cameras and points, if they are there; ``stills`` are those that they were made of."""
        found = self.get(_CAMERAS, key)
        if found is None:
            return None
        told, arrays = found
        by_name = {still.name: still for still in stills.items}
        views = tuple(
            View(by_name[row["name"]], lens_of(row["lens"]), Pose(pose), row["error_px"], row["sure"])
            for row, pose in zip(told["views"], arrays.pop("poses"), strict=True)
        )
        return Reconstruction(
            views,
            SparsePoints(**arrays),
            tuple(Dropped(**one) for one in told["lost"]),
            None if told["scale"] is None else Scale(**told["scale"]),
            told["level"],
            tuple(told["notes"]),
        )

    def put_depth(self, name: str, key: str, seen: ViewDepth) -> None:
        """Put what a view sees there; normals and confidence in half precision."""
        depth = seen.depth
        assert depth.intrinsics is not None
        arrays: Arrays = {"values": depth.values, "valid": np.asarray(depth.valid)}
        for what, kind, plane in (
            ("sky", bool, depth.sky),
            ("confidence", np.float16, depth.confidence),
            ("normals", np.float16, seen.normals),
            ("learned", bool, seen.learned),
            ("flat", bool, seen.flat),
        ):
            if plane is not None:
                arrays[what] = np.asarray(plane, kind)
        told = {"kind": depth.kind.value, "origin": depth.origin, "lens": lens_words(Lens(depth.intrinsics))}
        self.put(name, key, told, arrays)

    def get_depth(self, name: str, key: str, view: View) -> ViewDepth | None:
        """What a view sees, if it is there."""
        found = self.get(name, key)
        if found is None:
            return None
        told, arrays = found
        confidence, normals = arrays.get("confidence"), arrays.get("normals")
        depth = DepthMap(
            arrays["values"],
            DepthKind(told["kind"]),
            valid=arrays["valid"],
            sky=arrays.get("sky"),
            confidence=None if confidence is None else confidence.astype(np.float32),
            intrinsics=lens_of(told["lens"]).intrinsics,
            origin=told["origin"],
        )
        normals = None if normals is None else normals.astype(np.float32)
        return ViewDepth(view, depth, normals, arrays.get("learned"), arrays.get("flat"))

    def put_mesh(self, name: str, key: str, mesh: Mesh) -> None:
        """Put a surface without a texture there."""
        parts = {
            n: getattr(mesh, n) for n in ("vertices", "faces", "normals", "uv", "colors", "confidence", "invented")
        }
        self.put(name, key, {}, {n: part for n, part in parts.items() if part is not None})

    def put_notes(self, name: str, key: str, notes: Sequence[str]) -> None:
        """Put what a step had to say there, for runs that find it done."""
        self.put(f"{name} notes", key, {"notes": list(notes)}, {})

    def get_notes(self, name: str, key: str) -> list[str]:
        """What a step had to say; nothing if it is not there."""
        found = self.get(f"{name} notes", key)
        return [] if found is None else found[0]["notes"]

    def get_mesh(self, name: str, key: str) -> Mesh | None:
        """A surface, if it is there."""
        found = self.get(name, key)
        if found is None:
            return None
        parts: dict[str, Any] = dict(found[1])
        return Mesh(**parts)

    def remove(self) -> None:
        """Throw all of it away: the scene is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, name: str) -> Path:
        return self.folder / f"{safe_stem(name)}.npz"

    def _mask(self, still: Still) -> Path:
        return self.folder / f"{safe_stem(still.name)}.mask.npy"

    def _picture_of(self, still: Still) -> Path:
        """The picture of a still that was kept.

        Raises:
            OutputError: It is gone.
        """
        for suffix in ("npy", "jpg"):
            path = self.folder / f"{safe_stem(still.name)}.{suffix}"
            if path.is_file():
                return path
        raise OutputError(f"the picture {still.name} is gone from {self.folder}", hint="Run it again from the start.")

    def _still(self, still: Still, picture: Path, *, masked: bool) -> Still:
        read = _loader(picture) if picture.suffix == ".npy" else _jpeg(picture)
        return replace(still, read=read, mask=_loader(self._mask(still)) if masked else None)

    def _still_of(self, row: Mapping[str, Any]) -> Still | None:
        size = Size(*row["size"])
        bare = Still(
            row["name"], size, _nothing, row["camera"], row["lens"] and lens_of(row["lens"]), row["seconds"], None,
            source_of(row["source"]), row["sharpness"], Size(*row["taken"]),
        )  # fmt: skip
        picture = self.folder / f"{safe_stem(bare.name)}{row['suffix']}"
        if not picture.is_file() or (row["masked"] and not self._mask(bare).is_file()):
            return None
        return self._still(bare, picture, masked=row["masked"])


@contextmanager
def _closed(place: Path) -> Generator[Path]:
    """A draft that its owner alone may read, and that takes its place in the end."""
    with replacing(place, force=True) as (draft,):
        yield draft
        close_files(draft)


@contextmanager
def shelf_beside(target: Path, longest: int, *, keep: bool = False) -> Generator[Shelf]:
    """The shelf of the scene that is to become ``target``: NAME.parts beside it, for one run at a time.

    Where the block ends without an error the shelf goes; a run that was stopped is gone on from there. It also goes
    where nothing is worth it: no pictures yet, of an input that was refused no cameras, or nobody gave leave.

    Args:
        target: The scene.
        longest: Long side of the pictures on it, in pixels.
        keep: Leave it there in any case, for another run with other options.

    Raises:
        OutputError: Another run works on this scene, or the folder cannot be written or holds something else.
    """
    folder = target.with_name(target.name + ".parts")
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (folder / _LOCK).is_file():
            raise OutputError(f"{folder} is in the way", hint="Move it: unfinished scenes lie in such folders.")
        with (close_folder(folder) / _LOCK).open("a+b") as lock:
            close_files(folder / _LOCK)
            if not locked(lock):
                raise OutputError(f"another run works on {target}", hint="Wait for it, or choose another name with -o.")
            shelf, worth = Shelf(folder, longest), _STILLS
            try:
                yield shelf
                worth = None
            except InputError:
                worth = _CAMERAS
                raise
            except (ConsentError, RightsError):
                worth, keep = None, False
                raise
            finally:
                if not (keep if worth is None else shelf.holds(worth)):
                    shelf.remove()
    except OSError as error:
        raise translated(error, folder) from error


class Depths(Sequence[ViewDepth]):
    """What the views see, each read from the shelf when it is asked for."""

    def __init__(self, shelf: Shelf, key: str, views: Sequence[View], names: Sequence[str]) -> None:
        self._shelf = shelf
        self._key = key
        self._views = views
        self._names = names

    def __len__(self) -> int:
        return len(self._views)

    @overload
    def __getitem__(self, index: int) -> ViewDepth: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ViewDepth]: ...

    def __getitem__(self, index: int | slice) -> ViewDepth | Sequence[ViewDepth]:
        if isinstance(index, slice):
            return Depths(self._shelf, self._key, self._views[index], self._names[index])
        seen = self._shelf.get_depth(self._names[index], self._key, self._views[index])
        if seen is None:
            raise OutputError(f"{self._names[index]} is gone from {self._shelf.folder}", hint="Run it again.")
        return seen

    def __iter__(self) -> Iterator[ViewDepth]:
        return (self[index] for index in range(len(self)))


def _resized(plane: U8, size: Size) -> U8:
    if plane.shape[:2] == size.shape:
        return np.ascontiguousarray(plane)
    import cv2

    return np.asarray(cv2.resize(plane, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def _loader(path: Path) -> Callable[[], NDArray[Any]]:
    return lambda: np.load(path, allow_pickle=False)


def _jpeg(path: Path) -> Callable[[], U8]:
    def read() -> U8:
        with Pil.open(path) as picture:
            return np.asarray(picture.convert("RGB"))

    return read


def _nothing() -> U8:
    raise OutputError("a still without pixels was read")


def _still_words(still: Still, suffix: str) -> dict[str, Any]:
    return {
        "name": still.name,
        "size": [still.size.width, still.size.height],
        "camera": still.camera,
        "lens": None if still.lens is None else lens_words(still.lens),
        "seconds": still.seconds,
        "masked": still.mask is not None,
        "source": source_told(still.source),
        "sharpness": still.sharpness,
        "taken": astuple(still.taken or still.size),
        "suffix": suffix,
    }
