"""A scan that was stopped goes on, one with another option makes what depends on it, and no network is mixed up."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from tests.scan_places import thing

from pictures import encoded, gdepth_jpeg
from unflat.errors import InputError, OutputError
from unflat.formats.scan_shelf import Shelf, shelf_beside
from unflat.pipelines import scan
from unflat.pipelines.scan import Scan, ScanOptions, ScanWork
from unflat.pipelines.scan_look import weights_of
from unflat.stages.dense_depth import DenseOptions
from unflat.stages.fuse_frames import FuseOptions
from unflat.stages.marked_length import MarkedLength
from unflat.stages.place_scene import PlaceOptions
from unflat.stages.track_cameras import TrackOptions
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.views import Dropped, Reconstruction, Similarity, Stills, ViewDepth

FILM = thing(Size(96, 72), 36)
COUNT = 5
QUICK = ScanOptions(work=ScanWork(learned=False))


class Stopped(Exception):
    """As if the process had been killed here."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(COUNT):
        Pil.fromarray(FILM.frame(number)).save(folder / f"{number}.png")
    return folder


def tracked(stills: Stills, _options: TrackOptions, _progress: object) -> Reconstruction:
    """The true cameras: nothing here depends on how they are found."""
    true = replace(FILM, count=COUNT, path=FILM.path).reconstruction()
    views = tuple(replace(view, still=still) for view, still in zip(true.views, stills.items, strict=False))
    return replace(true, views=views).moved(Similarity(7.0, np.eye(3), np.zeros(3)))


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each step was done."""
    counts: Counter[str] = Counter()

    def counted(name: str, real: Callable[..., Any]) -> None:
        def call(*words: Any) -> Any:
            counts[name] += len(words[3]) if name == "dense_depth" else 1
            return real(*words)

        monkeypatch.setattr(scan, name, call)

    counted("sample_photos", scan.sample_photos)
    counted("track_cameras", tracked)
    counted("dense_depth", scan.dense_depth)
    counted("fuse_frames", scan.fuse_frames)
    return counts


@pytest.fixture
def done(counts: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The same where what is done is of no matter: a flat depth, and one triangle."""

    def dense(made: Reconstruction, _options: object, _guess: object, numbers: list[int]) -> Iterator[ViewDepth]:
        counts["dense_depth"] += len(numbers)
        for number in numbers:
            lens = made.views[number].lens.intrinsics
            flat = DepthMap(np.full(lens.size.shape, 0.5, np.float32), DepthKind.SCALE, intrinsics=lens)
            yield ViewDepth(made.views[number], flat)

    def fuse(depths: Sequence[ViewDepth], _options: object, note: Callable[[str], None]) -> Mesh:
        counts["fuse_frames"] += 1
        note("it is flat")
        high = np.float32(sum(float(seen.depth.z.mean()) for seen in depths))
        return Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, high, 0]], np.float32), np.array([[0, 1, 2]], np.uint32))

    monkeypatch.setattr(scan, "dense_depth", dense)
    monkeypatch.setattr(scan, "fuse_frames", fuse)
    return counts


def run(pictures: Path, parts: Path, options: ScanOptions = QUICK, shelf: type[Shelf] = Shelf) -> Scan:
    return Scan([pictures], options, shelf=shelf(parts, options.work.longest))


def test_what_was_done_is_not_done_again(pictures: Path, tmp_path: Path, done: Counter[str]) -> None:
    first = run(pictures, tmp_path / "p")
    mesh = first.mesh
    assert done == {"sample_photos": 1, "track_cameras": 1, "dense_depth": COUNT, "fuse_frames": 1}
    second = run(pictures, tmp_path / "p")
    again = second.mesh
    assert done == {"sample_photos": 1, "track_cameras": 1, "dense_depth": COUNT, "fuse_frames": 1}
    assert np.array_equal(mesh.vertices, again.vertices) and np.array_equal(mesh.faces, again.faces)
    assert first.lineage.seal() == second.lineage.seal(), "the story is the same, too"
    assert "it is flat" in second.lineage.warnings


def test_a_run_stopped_amid_the_depths_makes_the_others_alone(
    pictures: Path, tmp_path: Path, counts: Counter[str]
) -> None:
    class Short(Shelf):
        def put_depth(self, name: str, key: str, seen: ViewDepth) -> None:
            if name.endswith("3.png"):
                raise Stopped
            super().put_depth(name, key, seen)

    small = replace(QUICK, dense=DenseOptions(depth_size=64, sources=2))
    with pytest.raises(Stopped):
        _ = run(pictures, tmp_path / "p", small, Short).depths
    counts.clear()
    next((tmp_path / "p").glob("depth_1.png*")).write_bytes(b"torn")
    found = run(pictures, tmp_path / "p", small).depths
    assert counts == {"dense_depth": COUNT - 2}, "1 was damaged, 3 and 4 were not there"
    for here, there in zip(found, run(pictures, tmp_path / "q", small).depths, strict=True):
        assert np.array_equal(here.depth.values, there.depth.values)
        assert np.array_equal(np.asarray(here.depth.valid), np.asarray(there.depth.valid))
    assert np.asarray(found[2].depth.valid).mean() > 0.1, "there is something to compare"


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        (replace(QUICK, fuse=FuseOptions(triangles=77_777)), {"fuse_frames": 1}),
        (replace(QUICK, dense=DenseOptions(sources=3)), {"dense_depth": COUNT, "fuse_frames": 1}),
        (replace(QUICK, place=PlaceOptions(metric_error=0.1)), {"dense_depth": COUNT, "fuse_frames": 1}),
        (replace(QUICK, track=TrackOptions(seed=1)), {"track_cameras": 1, "dense_depth": COUNT, "fuse_frames": 1}),
    ],
)
def test_an_option_makes_again_what_depends_on_it(
    pictures: Path, tmp_path: Path, done: Counter[str], changed: ScanOptions, again: dict[str, int]
) -> None:
    _ = run(pictures, tmp_path / "p").mesh
    done.clear()
    _ = run(pictures, tmp_path / "p", changed).mesh
    assert done == again


def test_another_network_makes_depth_again_but_no_cameras(
    pictures: Path, tmp_path: Path, done: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = replace(QUICK, work=ScanWork())
    monkeypatch.setattr(scan, "network_guess", lambda *_: None)
    _ = run(pictures, tmp_path / "p").mesh
    done.clear()
    _ = run(pictures, tmp_path / "p", learned).mesh
    assert done == {"dense_depth": COUNT, "fuse_frames": 1}
    done.clear()
    _ = run(pictures, tmp_path / "p", learned).mesh
    assert not done
    other = replace(weights_of("auto", QUICK.estimate), sha256="other")
    monkeypatch.setattr(scan, "weights_of", lambda *_: other)
    story = run(pictures, tmp_path / "p", learned)
    _ = story.mesh
    assert any(step.name == "learned depth" for step in story.lineage.seal().steps)
    assert done == {"dense_depth": COUNT, "fuse_frames": 1}


def test_a_changed_picture_begins_anew_and_its_old_self_is_never_mixed_in(
    pictures: Path, tmp_path: Path, done: Counter[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in pictures.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    _ = run(other, tmp_path / "p").tracked
    done.clear()
    before = (other / "2.png").read_bytes()
    Pil.fromarray(255 - FILM.frame(2)).save(other / "2.png")

    class Short(Shelf):
        def put_stills(self, key: str, stills: Stills) -> None:
            raise Stopped

    with pytest.raises(Stopped):
        _ = run(other, tmp_path / "p", shelf=Short).stills
    (other / "2.png").write_bytes(before)
    found = run(other, tmp_path / "p").stills
    assert done["sample_photos"] == 2
    assert np.array_equal(found.items[2].read(), FILM.frame(2))


def test_a_scene_that_lacks_pictures_is_named_partial(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def partly(stills: Stills, options: TrackOptions, progress: object) -> Reconstruction:
        true = tracked(stills, options, progress)
        lost = tuple(Dropped(still.name, "overlaps too little") for still in stills.items[2:])
        return replace(true, views=true.views[:2], lost=lost)

    monkeypatch.setattr(scan, "track_cameras", partly)
    one = run(pictures, tmp_path / "p")
    _ = one.tracked
    assert "the scene is partial: 2 of 5 pictures found their place" in one.lineage.warnings
    assert "without a place: 2.png, 3.png, 4.png (overlaps too little)" in one.lineage.warnings


def test_the_depth_of_telephones_gives_the_size(tmp_path: Path, counts: Counter[str]) -> None:
    folder = tmp_path / "phone"
    folder.mkdir()
    for number in range(COUNT):
        near, far = 0.3, 6.0
        z = np.clip(FILM.depth(number).z, near, far)
        codes = np.rint((z - near) / (far - near) * 255).astype(np.uint8)
        told = f'GDepth:Format="RangeLinear" GDepth:Near="{near}" GDepth:Far="{far}"'
        told += ' GDepth:Mime="image/png" GDepth:Units="m"'
        jpeg = encoded(FILM.frame(number), "JPEG", quality=95)
        (folder / f"{number}.jpg").write_bytes(gdepth_jpeg(jpeg, codes, told))
    placed = run(folder, tmp_path / "p").cameras
    assert placed.scale is not None and placed.scale.basis == "metric-source"
    assert placed.scale.low < 1 < placed.scale.high
    far = np.linalg.norm(placed.views[-1].pose.centre - placed.views[0].pose.centre)
    assert far == pytest.approx(np.linalg.norm(FILM.path(COUNT - 1).centre - FILM.path(0).centre), rel=0.03)


@pytest.mark.parametrize("full", [OSError("230400 requested and 147328 written"), OSError(28, "No space left")])
def test_a_full_disk_is_said_and_nothing_is_left(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: OSError
) -> None:
    def save(*_: object, **__: object) -> None:
        raise full

    monkeypatch.setattr(np, "save", save)
    with pytest.raises(OutputError, match="no room left"), shelf_beside(tmp_path / "a.glb", 1600) as shelf:
        _ = Scan([pictures], QUICK, shelf=shelf).stills
    assert not list(tmp_path.iterdir())


def test_the_shelf_stays_where_there_is_something_to_go_on_from(tmp_path: Path) -> None:
    target = tmp_path / "a.glb"
    parts = tmp_path / "a.glb.parts"

    def broken(error: BaseException, *put: str, keep: bool = False) -> bool:
        with pytest.raises(type(error)), shelf_beside(target, 800, keep=keep) as shelf:
            for name in put:
                shelf.put(name, "k", {}, {})
            raise error
        return parts.exists()

    assert not broken(InputError("refused"))
    assert not broken(InputError("refused"), "stills"), "to refuse it again is quick"
    assert broken(InputError("no such mark"), "stills", "cameras")
    with shelf_beside(target, 800):
        pass
    assert not parts.exists()
    assert not broken(KeyboardInterrupt())
    assert broken(KeyboardInterrupt(), "stills")
    with shelf_beside(target, 800, keep=True):
        pass
    assert parts.exists()
    with (
        shelf_beside(target, 800),
        pytest.raises(OutputError, match="another run"),
        shelf_beside(target, 800),
    ):
        raise AssertionError


def test_marks_on_pictures_that_were_made_smaller_are_in_pixels_of_the_file(pictures: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.mkdir()
    for file in pictures.iterdir():
        with Pil.open(file) as small:
            small.resize((384, 288)).save(large / file.name)
    for _ in range(2):  # the second time from the shelf
        still = run(large, tmp_path / "a.parts", replace(QUICK, work=ScanWork(192, learned=False))).stills.items[0]
        assert (still.size, still.taken) == (Size(192, 144), Size(384, 288))


def test_a_length_marked_in_no_picture_by_name_is_not_read_in_another_one(
    pictures: Path, tmp_path: Path, counts: Counter[str]
) -> None:
    del counts
    folder = tmp_path / "set"
    shutil.copytree(pictures, folder)
    (folder / "-first.png").write_bytes(b"torn")
    told = replace(QUICK, place=PlaceOptions(MarkedLength.parse("20,20,60,50=1")))
    with pytest.raises(InputError, match=r"-first\.png, the first picture, was left out"):
        _ = run(folder, tmp_path / "a.parts", told).cameras


def test_what_was_left_out_is_named_beside_the_error(tmp_path: Path, pictures: Path) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    shutil.copy(pictures / "0.png", folder)
    (folder / "torn.jpg").write_bytes(b"\xff\xd8torn")
    with pytest.raises(InputError, match=r"one picture alone .*torn\.jpg"):
        _ = run(folder, tmp_path / "a.parts").tracked
