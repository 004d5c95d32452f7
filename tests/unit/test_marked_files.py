"""The visible mark in what is written: in every frame and in both eyes at one place, and nowhere unless asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageSequence
from tests.film_files import FilmRecipe, make_film
from tests.marks import legible, shift_of

import scenes
import unflat
from unflat.formats import registry
from unflat.formats.outlet import SealOptions
from unflat.formats.picture_story import story_in
from unflat.geometry.layout import unpacked
from unflat.geometry.stamp import Stamp, stamp
from unflat.pipelines.animate import AnimateOptions, LensOptions, animate
from unflat.pipelines.film_kinds import layout_for
from unflat.pipelines.marking import stamp_of
from unflat.pipelines.photo import PhotoOptions
from unflat.pipelines.source import DepthSource
from unflat.pipelines.stereo_film import Film, FilmOptions
from unflat.pipelines.stereo_result import StereoResult
from unflat.pipelines.verify import in_words, verify
from unflat.stages.lay_out import LayoutOptions, lay_out
from unflat.stages.move_camera import MotionOptions
from unflat.trust.label import COMPUTED_LABEL
from unflat.trust.mark import mark_in, with_mark
from unflat.types.image import Image, Size
from unflat.types.scene import Node
from unflat.types.stereo import Layout

Bytes = NDArray[np.uint8]
SIZE = Size(320, 240)
MARKED, PLAIN = SealOptions(mark=True), SealOptions()
LEAST = 0.8
"""How well a mark that is there correlates with what was drawn."""


def picture(size: Size = SIZE) -> Bytes:
    """Something everywhere, bright and dark."""
    import cv2

    noise = np.random.default_rng(0).normal(0, 1, (*size.shape, 3))
    return np.clip(128 + 170 * cv2.GaussianBlur(noise, (0, 0), 2.5), 0, 255).astype(np.uint8)


def eyes(**told: object) -> StereoResult:
    depth = np.full(SIZE.shape, 8, np.float32)
    depth[60:240, 120:320] = 2  # what is near goes below the mark
    return unflat.stereo(picture(), depth=depth, depth_kind="scale", fov=60, keep_frame=True, **told)  # type: ignore[arg-type]


def pixels_of(path: Path) -> Bytes:
    with Pil.open(path) as held:
        return np.asarray(held.convert("RGB"))


def frames_of(path: Path) -> list[Bytes]:
    """All frames of a film or of an animated picture, as any player shows them."""
    if path.suffix in (".mp4", ".mkv", ".mov", ".webm"):
        av: Any = pytest.importorskip("av")
        with av.open(str(path)) as film:
            return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    with Pil.open(path) as held:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(held)]


def words_of(path: Path) -> str:
    """What the story in a picture says that is drawn on it."""
    story = story_in(path)
    assert story is not None
    words = mark_in(story)
    assert words is not None
    return words


def is_there(view: Bytes, drawn: Stamp) -> bool:
    return legible(view, drawn) > LEAST


# --- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        (Layout.FULL_SBS, "a.png"),
        (Layout.FULL_SBS, "a.jpg"),
        (Layout.HALF_SBS, "a.png"),
        (Layout.FULL_TB, "a.png"),
        (Layout.HALF_TB, "a.jpg"),
        (Layout.CROSS, "a.jps"),
    ],
)
def test_both_eyes_carry_it_at_the_same_place(tmp_path: Path, layout: Layout, name: str) -> None:
    made = eyes(layout=layout.value)
    made.save(tmp_path / name, seal=MARKED)
    made.save(tmp_path / f"plain-{name}", seal=PLAIN)
    left, right = unpacked(pixels_of(tmp_path / name), layout)
    bare = unpacked(pixels_of(tmp_path / f"plain-{name}"), layout)
    drawn = stamp(words_of(tmp_path / name), SIZE)
    assert is_there(left, drawn) and is_there(right, drawn)
    assert shift_of(left, right, drawn) == 0
    assert not any(is_there(view, drawn) for view in bare)
    story = story_in(tmp_path / f"plain-{name}")
    assert story is not None and mark_in(story) is None


def test_two_files_one_eye_and_containers_carry_it(tmp_path: Path) -> None:
    made = eyes(layout="pair")
    made.save(tmp_path / "a.png", seal=MARKED)
    for side in ("left", "right"):
        path = tmp_path / f"a_{side}.png"
        assert is_there(pixels_of(path), stamp(words_of(path), SIZE))
    eyes(eye="right").save(tmp_path / "one.png", seal=MARKED)
    assert is_there(pixels_of(tmp_path / "one.png"), stamp(words_of(tmp_path / "one.png"), SIZE))
    eyes().save(tmp_path / "a.mpo", seal=MARKED)
    both, drawn = frames_of(tmp_path / "a.mpo"), stamp(words_of(tmp_path / "one.png"), SIZE)
    assert len(both) == 2 and all(is_there(view, drawn) for view in both)


@pytest.mark.parametrize("method", ["dubois", "half-colour", "grey", "colour"])
def test_an_anaglyph_is_legible_through_either_filter(tmp_path: Path, method: str) -> None:
    eyes(layout="anaglyph", anaglyph=method).save(tmp_path / "a.png", seal=MARKED)
    seen, drawn = pixels_of(tmp_path / "a.png"), stamp(words_of(tmp_path / "a.png"), SIZE)
    for channel in range(3):
        assert is_there(np.repeat(seen[..., channel : channel + 1], 3, axis=2), drawn)


def test_beside_its_depth_the_plate_is_flat(tmp_path: Path) -> None:
    eyes(layout="rgbd").save(tmp_path / "a.png", seal=MARKED)
    left, depth = unpacked(pixels_of(tmp_path / "a.png"), Layout.RGBD)
    drawn = stamp(words_of(tmp_path / "a.png"), SIZE)
    assert is_there(left, drawn)
    assert np.ptp(depth[drawn.place][drawn.cover[..., 0] > 0]) == 0


def test_half_a_sphere_shows_it_low_in_front_of_both_eyes(tmp_path: Path) -> None:
    made = eyes()
    lay = LayoutOptions(layout="vr180")
    eyes(layout="vr180").save(tmp_path / "a_180x180_3dh.png", seal=MARKED)
    left, right = unpacked(pixels_of(tmp_path / "a_180x180_3dh.png"), Layout.VR180)
    pack = lay_out(Layout.VR180, SIZE, lay, made.around.fov_x_deg)
    drawn = stamp_of(words_of(tmp_path / "a_180x180_3dh.png"), SIZE, pack)
    grey = np.zeros((*SIZE.shape, 3), np.uint8)
    letters = grey.copy()
    letters[drawn.place] = np.rint(255 * drawn.letters)[..., None]
    where, _ = unpacked(pack(letters, letters), Layout.VR180)
    rows, columns = np.nonzero(where[..., 0] > 30)
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    side = where.shape[0]
    assert 0.5 < rows.mean() / side < 0.7 and abs(columns.mean() / side - 0.5) < 0.01
    for view in (left, right):
        shown = view[box].astype(float).mean(axis=2).ravel()
        assert np.corrcoef(shown, where[box][..., 0].astype(float).ravel())[0, 1] > LEAST


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.mp4"])
def test_a_wiggle_shows_it_in_every_frame(tmp_path: Path, name: str) -> None:
    if name.endswith(".mp4"):
        pytest.importorskip("av")
    made = eyes(layout="wiggle")
    made.save(tmp_path / name, seal=MARKED)
    made.save(tmp_path / f"plain{name}", seal=PLAIN)
    drawn = stamp(made.report["provenance"]["label"], SIZE)
    shown, bare = frames_of(tmp_path / name), frames_of(tmp_path / f"plain{name}")
    assert len(shown) == len(bare) > 1
    assert all(is_there(frame, drawn) for frame in shown)
    assert not any(is_there(frame, drawn) for frame in bare)


def test_what_is_transparent_stays_so_beside_the_plate(tmp_path: Path) -> None:
    cut = Image(picture(), np.where(np.arange(SIZE.width) < 160, 255, 0).astype(np.uint8)[None].repeat(SIZE.height, 0))
    depth = np.full(SIZE.shape, 4, np.float32)
    made = unflat.stereo(cut, depth=depth, depth_kind="scale", fov=60, layout="pair", keep_frame=True)
    made.save(tmp_path / "a.png", seal=MARKED)
    with Pil.open(tmp_path / "a_left.png") as held:
        shown = np.asarray(held)
    drawn = stamp(words_of(tmp_path / "a_left.png"), SIZE)
    assert shown.shape[2] == 4 and is_there(np.ascontiguousarray(shown[..., :3]), drawn)
    assert shown[drawn.place][drawn.letters > 0.9][:, 3].min() > 225
    assert shown[: drawn.top - 2, 200:, 3].max() == 0


# --- moving pictures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.mp4", "a.png"])
def test_every_frame_of_a_move_shows_it(tmp_path: Path, name: str) -> None:
    if name.endswith(".mp4"):
        pytest.importorskip("av")
    options = AnimateOptions(
        PhotoOptions(source=DepthSource(depth="ramp")),
        MotionOptions(seconds=0.4, fps=10),
        LensOptions(long_side=SIZE.width),
    )
    made = animate(Image(picture()), options)
    made.save(tmp_path / name, seal=MARKED)
    made.save(tmp_path / f"plain{name}", seal=PLAIN)
    drawn = stamp(label_of(made.result.scene.provenance), SIZE)
    rows = [sorted(tmp_path.glob("a.0*.png")), sorted(tmp_path.glob("plaina.0*.png"))] if name == "a.png" else []
    shown, bare = (
        [[pixels_of(path) for path in row] for row in rows]
        if rows
        else [frames_of(tmp_path / one) for one in (name, f"plain{name}")]
    )
    assert len(shown) == len(bare) == 4
    assert all(is_there(frame, drawn) for frame in shown)
    assert not any(is_there(frame, drawn) for frame in bare)


def label_of(story: Any) -> str:
    words = mark_in(with_mark(story))
    assert words is not None
    return words


def barred(number: int) -> Bytes:
    """A frame with black bars above and below, in which something moves."""
    frame = np.zeros((*SIZE.shape, 3), np.uint8)
    frame[40:200] = np.roll(picture(Size(SIZE.width, 160)), 3 * number, axis=1)
    return frame


@pytest.mark.parametrize("name", ["a_LRF_Full_SBS.mp4", "a_HSBS.mp4", "a_HOU.mkv", "a_anaglyph.mp4", "a_RGBD.mp4"])
def test_every_frame_of_a_film_shows_it_to_both_eyes(tmp_path: Path, name: str) -> None:
    pytest.importorskip("av")
    path = tmp_path / name
    layout = layout_for(path, "anaglyph" if "anaglyph" in name else "rgbd" if "RGBD" in name else None)
    clip = make_film(tmp_path / "clip.mp4", FilmRecipe(size=(SIZE.width, SIZE.height), count=6, paint=barred))
    options = FilmOptions(source=DepthSource(depth="ramp"), lay=LayoutOptions(layout=layout.value))  # type: ignore[arg-type]
    inner, window = Size(SIZE.width, 160), np.s_[40:200]
    drawn = stamp(COMPUTED_LABEL, inner)
    for seal, there in ((MARKED, True), (PLAIN, False)):
        film = Film(clip, options).save(path, seal=seal, force=True)
        shown = frames_of(path)
        assert len(shown) == 6
        for frame in shown:
            views = [frame] if layout is Layout.ANAGLYPH else list(unpacked(frame, layout))
            views = views[:1] if layout is Layout.RGBD else views
            assert all(is_there(view[window], drawn) == there for view in views), (name, there)
            assert all(view[202:].max() < 40 for view in views), "the bars stay black"
            if len(views) == 2 and there:
                assert shift_of(views[0][window], views[1][window], drawn) == 0
        assert (film.mark == COMPUTED_LABEL) == there


def test_a_film_of_half_spheres_shows_it(tmp_path: Path) -> None:
    pytest.importorskip("av")
    clip = make_film(tmp_path / "clip.mp4", FilmRecipe(size=(SIZE.width, SIZE.height), count=3, paint=barred))
    options = FilmOptions(source=DepthSource(depth="ramp"), lay=LayoutOptions(layout="vr180"))
    shown = []
    for name, seal in (("a.mp4", MARKED), ("b.mp4", PLAIN)):
        Film(clip, options).save(tmp_path / name, seal=seal)
        shown.append(frames_of(tmp_path / name))
    for marked, bare in zip(*shown, strict=True):
        boxes = []
        for one, other in zip(unpacked(marked, Layout.VR180), unpacked(bare, Layout.VR180), strict=True):
            rows, columns = np.nonzero(np.abs(one.astype(int) - other).max(axis=2) > 60)
            assert len(rows) > 100
            boxes.append((rows.mean() / one.shape[0], columns.mean() / one.shape[1]))
        assert all(0.5 < row < 0.75 and abs(column - 0.5) < 0.1 for row, column in boxes)
        assert abs(boxes[0][0] - boxes[1][0]) < 0.01


def test_a_film_is_not_taken_up_with_frames_of_another_look(tmp_path: Path) -> None:
    """Segments without the mark are not joined with segments that have it."""
    pytest.importorskip("av")
    clip = make_film(tmp_path / "clip.mp4", FilmRecipe(size=(SIZE.width, SIZE.height), count=3))
    film = Film(clip, FilmOptions(source=DepthSource(depth="ramp")))
    from unflat.pipelines.film_kinds import film_kinds

    plain = film_kinds([tmp_path / "a.mp4"], film)[0].words
    film._seal = MARKED
    assert film_kinds([tmp_path / "a.mp4"], film)[0].words != plain


def test_a_film_of_depth_has_none_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("av")
    clip = make_film(tmp_path / "clip.mp4", FilmRecipe(size=(SIZE.width, SIZE.height), count=3))
    film = Film(clip, FilmOptions(source=DepthSource(depth="ramp")), "depth").save(tmp_path / "d.mp4", seal=MARKED)
    assert any("no mark" in note.lower() for note in film.report["warnings"])
    assert "visible mark" not in json.dumps(film.report["provenance"])


# --- pages, other files, and what is said of it -------------------------------------------------------------------


def test_pages_hold_it_in_their_own_words(tmp_path: Path) -> None:
    scene = scenes.scene_of(Node("sheet", scenes.coloured_sheet()))
    for name, seal in (("a.html", MARKED), ("b.html", PLAIN)):
        registry.write(scene, tmp_path / name, registry.ExportOptions(seal=seal))
    words = label_of(scene.provenance)
    assert f'<p id="mark">{words}</p>' in (tmp_path / "a.html").read_text()
    assert '<p id="mark"' not in (tmp_path / "b.html").read_text()
    again = registry.read_scene(tmp_path / "a.html")
    out = registry.write(again, tmp_path / "a.glb", registry.ExportOptions(seal=MARKED))
    assert any("No mark is drawn in a.glb" in note for note in out.notes)
    assert b"visible mark" not in (tmp_path / "a.glb").read_bytes(), "nothing is drawn on a surface"


def test_credentials_say_that_it_was_drawn(tmp_path: Path) -> None:
    c2pa: Any = pytest.importorskip("c2pa")
    made = eyes()
    made.save(tmp_path / "a.jpg", seal=MARKED)
    made.save(tmp_path / "b.jpg", seal=PLAIN)
    words = words_of(tmp_path / "a.jpg")
    assert f'A visible mark was drawn on it: "{words}".' in in_words(verify(tmp_path / "a.jpg"))
    assert not any("mark" in line for line in in_words(verify(tmp_path / "b.jpg")))
    told = json.loads(c2pa.Reader(str(tmp_path / "a.jpg")).json())
    actions = next(
        one["data"]["actions"]
        for one in told["manifests"][told["active_manifest"]]["assertions"]
        if one["label"].startswith("c2pa.actions")
    )
    drawn = [one for one in actions if one["action"] == "c2pa.drawing"]
    assert [one["description"] for one in drawn] == [f"visible mark: {words}"]
