"""Films: re-opened by other people's readers, in order, in time, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from unflat.errors import InputError, MissingExtraError, OutputError
from unflat.formats import video
from unflat.formats.video import check_suffix, fitted, write_film
from unflat.types.image import Size

av = pytest.importorskip("av")
TOLD = {"comment": "a story"}
COLOURS = [(220, 40, 30), (30, 200, 60), (40, 60, 210), (240, 240, 240), (10, 10, 10)]


SIZE = Size(96, 64)


def frames(size: Size = SIZE) -> Iterator[np.ndarray]:
    """All colours in each frame; the first half of it shows whose turn it is."""
    for colour in COLOURS:
        pixels = np.full((*size.shape, 3), colour, np.uint8)
        for i, other in enumerate(COLOURS):
            pixels[size.height // 2 :, i * 16 : i * 16 + 16] = other
        yield pixels


def test_an_mp4_is_h264_in_the_right_colours_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    assert write_film(frames(), path, 25, TOLD) == [path]
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 25
        assert stream.codec_context.colorspace == 1 and stream.codec_context.color_range == 1  # BT.709, narrow
        assert film.metadata["comment"] == "a story"
        shown = [(f.time, f.to_ndarray(format="rgb24")[20, 20]) for f in film.decode(video=0)]
    assert [t for t, _ in shown] == pytest.approx([i / 25 for i in range(5)])
    assert all(np.abs(rgb.astype(int) - colour).max() <= 6 for (_, rgb), colour in zip(shown, COLOURS, strict=True))
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays before all of it has come


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_animated_stills_play_for_ever(tmp_path: Path, name: str) -> None:
    write_film(frames(), tmp_path / name, 10, TOLD)
    with Pil.open(tmp_path / name) as film:
        assert film.n_frames == 5 and film.info["loop"] == 0  # type: ignore[attr-defined]
        for i, colour in enumerate(COLOURS):
            film.seek(i)
            shown = np.asarray(film.convert("RGB"))[15, 30].astype(int)
            assert film.info["duration"] == 100 and np.abs(shown - colour).max() <= 12


def test_a_row_of_pictures_is_exact_and_numbered(tmp_path: Path) -> None:
    written = write_film(frames(), tmp_path / "a.png", 10, TOLD)
    assert [p.name for p in written] == [f"a.{i:05d}.png" for i in range(5)]
    assert [tuple(np.asarray(Pil.open(p))[3, 3]) for p in written] == COLOURS


STORY = json.dumps({"unflat": {"by": "Ada Ørsted"}})


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp", "a.png"])
def test_every_film_says_where_it_comes_from(tmp_path: Path, name: str) -> None:
    (path, *more) = write_film(frames(), tmp_path / name, 10, {"comment": STORY})
    if name == "a.mp4":
        with av.open(str(path)) as film:
            assert film.metadata["comment"] == STORY
        return
    for one in (path, *more):
        with Pil.open(one) as film:
            said = {
                "a.gif": lambda film=film: film.info["comment"].decode(),
                "a.webp": lambda film=film: film.getexif()[270],
                "a.png": lambda film=film: film.text["Comment"],  # type: ignore[attr-defined]
            }[name]()
            assert said == STORY
            film.load()
    write_film(frames(), tmp_path / f"plain{name[1:]}", 10, {})


def failing() -> Iterator[np.ndarray]:
    yield from list(frames())[:3]
    raise InputError("no more")


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp", "a.png"])
def test_a_film_that_fails_leaves_nothing_new_and_loses_nothing(tmp_path: Path, name: str) -> None:
    old = tmp_path / ("a.00001.png" if name == "a.png" else name)
    old.write_bytes(b"mine")
    with pytest.raises(InputError, match="no more"):
        write_film(failing(), tmp_path / name, 10, TOLD, force=True)
    assert [p.name for p in tmp_path.iterdir()] == [old.name]
    if name != "a.png":
        assert old.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp", "a.png"])
def test_what_exists_is_not_replaced_unasked(tmp_path: Path, name: str) -> None:
    (tmp_path / ("a.00000.png" if name == "a.png" else name)).write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        write_film(frames(), tmp_path / name, 10, TOLD)
    with pytest.raises(InputError, match="at least one"):
        write_film(iter(()), tmp_path / f"b{name[1:]}", 10, TOLD)
    assert len(list(tmp_path.iterdir())) == 1


def test_sizes_that_formats_take(tmp_path: Path) -> None:
    assert fitted(Path("a.mp4"), Size(1921, 1081)) == Size(1920, 1080)
    assert fitted(Path("a.gif"), Size(1920, 1080)) == Size(640, 360)
    assert fitted(Path("a.webp"), Size(1920, 1080)) == Size(960, 540)
    assert fitted(Path("a.png"), Size(1921, 1081)) == Size(1921, 1081)
    with pytest.raises(InputError, match="even"):
        write_film(frames(Size(95, 64)), tmp_path / "a.mp4", 10, TOLD)
    with pytest.raises(InputError, match="no film format"):
        check_suffix(Path("a.avi"))


def test_without_the_extra_only_mp4_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtraError, match="video"):
        check_suffix(Path("a.mp4"))
    check_suffix(Path("a.gif"))
    assert video.write_film(frames(), tmp_path / "a.gif", 10, TOLD)
