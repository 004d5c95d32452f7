"""Segments: the same frames make the same bytes; whole or not there; colours, times and what is said of two views."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.film_files import COLOURS, colours_in, number_in, numbered

from unflat.errors import InputError, OutputError, ShapeError
from unflat.formats.film_write import EncodeOptions, SegmentWriter, coded_size
from unflat.types.image import Size

av = pytest.importorskip("av")
SIZE = Size(96, 64)
NOISE = np.random.default_rng(4).integers(0, 256, (64, 96, 3)).astype(np.uint8)


def write(path: Path, options: EncodeOptions, frames: list[np.ndarray], **more: Any) -> Path:
    size = Size(frames[0].shape[1], frames[0].shape[0])
    with SegmentWriter(path, size, Fraction(1, 24000), options, fps=Fraction(24), **more) as writer:
        for i, pixels in enumerate(frames):
            writer.write(pixels, 5 + Fraction(1001 * i, 24000))
    return path


def read(path: Path) -> tuple[Any, list[Any]]:
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
        return film.streams.video[0].codec_context.name, frames


def shown(frame: Any) -> np.ndarray:
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    flags = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
    how: dict[str, Any] = {"src_color_range": ColorRange.MPEG, "dst_color_range": ColorRange.JPEG}
    return frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709, interpolation=flags, **how).to_ndarray()


KINDS = [
    EncodeOptions(),
    EncodeOptions(chroma="444", crf=1),
    EncodeOptions(codec="hevc", speed="ultrafast"),
    EncodeOptions(bits="10", speed="ultrafast"),
    EncodeOptions(codec="h264", bits="10", chroma="444", speed="ultrafast"),
    EncodeOptions(codec="av1", speed="ultrafast"),
    EncodeOptions(codec="av1", bits="10", speed="ultrafast"),
]


@pytest.mark.parametrize("options", KINDS, ids=lambda o: f"{o.chosen}-{o.bits}-{o.chroma}")
def test_the_same_frames_are_the_same_bytes_and_come_back(
    tmp_path: Path, options: EncodeOptions, capfd: pytest.CaptureFixture[str]
) -> None:
    frames = [numbered(i) for i in range(20)]
    path = write(tmp_path / "a.mp4", options, frames)
    again = write(tmp_path / "b.mp4", options, frames)
    assert path.read_bytes() == again.read_bytes()
    codec, decoded = read(path)
    assert codec in {"h264": ("h264",), "hevc": ("hevc",), "av1": ("av1", "libdav1d")}[options.chosen]
    assert decoded[0].format.name == f"yuv{options.chroma}p{'10le' if options.bits == '10' else ''}"
    assert [f.pts * f.time_base for f in decoded] == [Fraction(1001 * i, 24000) for i in range(20)]
    assert [number_in(shown(f)) for f in decoded] == list(range(20))
    assert np.abs(colours_in(shown(decoded[9])).astype(int) - COLOURS).max() <= 6
    assert (decoded[0].colorspace, decoded[0].color_primaries, decoded[0].color_trc) == (1, 1, 1)
    assert capfd.readouterr() == ("", "")


def test_rough_frames_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    frames = [np.roll(NOISE, 3 * i, 1) if i % 7 else 255 - NOISE for i in range(40)]
    for options in (EncodeOptions(), EncodeOptions(codec="hevc", speed="ultrafast")):
        made = {write(tmp_path / f"{i}.mp4", options, frames).read_bytes() for i in range(6)}
        assert len(made) == 1


def test_colours_are_exact_but_for_the_codec(tmp_path: Path) -> None:
    """At the finest quality and full colour, what is read is within two levels everywhere, and unbiased."""
    ramp = np.stack(np.meshgrid(np.arange(0, 256, 4), np.arange(0, 256, 4)), -1).astype(np.uint8)
    pixels = np.dstack([ramp, np.full(ramp.shape[:2], 90, np.uint8)])
    decoded = read(write(tmp_path / "a.mp4", EncodeOptions(chroma="444", crf=1), [pixels] * 2))[1]
    off = shown(decoded[1]).astype(int) - pixels
    assert np.abs(off).max() <= 3 and abs(off.mean()) < 0.3


@pytest.mark.parametrize(("packing", "kind"), [("side-by-side", 1), ("top-bottom", 2), (None, None)])
def test_two_views_are_said_in_the_stream(tmp_path: Path, packing: Any, kind: int | None) -> None:
    decoded = read(write(tmp_path / "a.mp4", EncodeOptions(), [numbered(i) for i in range(4)], packing=packing))[1]
    said = decoded[0].side_data.get("STEREO3D")  # it stands at key frames
    assert (None if said is None else int.from_bytes(bytes(said)[:4], "little")) == kind


def test_odd_sides_lose_a_line_where_colour_is_at_half_size(tmp_path: Path) -> None:
    frames = [numbered(i, (97, 65)) for i in range(3)]
    assert coded_size(Size(97, 65), EncodeOptions()) == Size(96, 64)
    assert coded_size(Size(97, 65), EncodeOptions(chroma="444")) == Size(97, 65)
    assert coded_size(Size(1, 1), EncodeOptions()).width == 2
    for chroma, width in (("420", 96), ("444", 97)):
        options = EncodeOptions(chroma=chroma)  # type: ignore[arg-type]
        decoded = read(write(tmp_path / f"{chroma}.mp4", options, frames))[1]
        assert decoded[0].width == width and number_in(shown(decoded[2])) == 2


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(KeyboardInterrupt), SegmentWriter(path, SIZE, Fraction(1, 25)) as writer:
        for i in range(80):
            writer.write(NOISE, Fraction(i, 25))
        assert len(list(tmp_path.iterdir())) == 1 and not path.exists()
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="at least one frame"), SegmentWriter(path, SIZE, Fraction(1, 25)):
        pass
    assert not list(tmp_path.iterdir())
    with pytest.raises(OutputError, match="does not exist"):
        SegmentWriter(tmp_path / "missing" / "a.mp4", SIZE, Fraction(1, 25))


@pytest.mark.skipif(sys.platform != "linux", reason="a disk is made full by a limit that Linux keeps")
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    code = """
import resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from unflat.errors import OutputError
from unflat.formats.film_join import join
from unflat.formats.film_write import SegmentWriter
from unflat.types.image import Size
here = Path(sys.argv[1])
noise = np.random.default_rng(0).integers(0, 256, (20, 64, 96, 3)).astype(np.uint8)
def write(path):
    with SegmentWriter(path, Size(96, 64), Fraction(1, 25)) as writer:
        for i in range(200):
            writer.write(noise[i % 20], Fraction(i, 25))
write(here / "good.mp4")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for what in (lambda: write(here / "a.mp4"), lambda: join([here / "good.mp4"], None, here / "b.mp4")):
    try:
        what()
    except OutputError as error:
        print(error.exit_code, "|", error, "|", error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and all(line.startswith("9 | ") and "Make room" in line for line in lines), done
    assert [p.name for p in tmp_path.iterdir()] == ["good.mp4"]


def test_frames_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "a.mp4", SIZE, Fraction(1, 25)) as writer:
        writer.write(NOISE, Fraction(1))
        with pytest.raises(ShapeError, match="does not come after"):
            writer.write(NOISE, Fraction(1))
        with pytest.raises(ShapeError, match="was to come"):
            writer.write(NOISE[:32], Fraction(2))
        with pytest.raises(ShapeError, match="was to come"):
            writer.write(NOISE.astype(np.float32), Fraction(2))
        writer.write(NOISE, Fraction(2))
    assert len(read(tmp_path / "a.mp4")[1]) == 2


@pytest.mark.parametrize(
    "wrong", [{"crf": 52}, {"crf": -1}, {"codec": "av1", "chroma": "444"}, {"codec": "av1", "crf": 64}]
)
def test_options_that_no_encoder_takes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        EncodeOptions(**wrong)
