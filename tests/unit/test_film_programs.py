"""Films of ours as other people's programs see them: FFmpeg's own, of whatever version the system has."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.film_files import FilmRecipe, make_film, seen
from tests.marked_films import tool

from unflat.formats.film_join import join
from unflat.formats.film_write import EncodeOptions, SegmentWriter
from unflat.types.image import Size

pytest.importorskip("av")


def probed(path: Path) -> Any:
    words = [tool("ffprobe"), "-v", "error", "-show_streams", "-show_format", "-show_chapters", "-of", "json"]
    frames = ["-show_frames", "-select_streams", "v", "-show_entries", "frame=pts_time,key_frame,color_space,pix_fmt"]
    done = [subprocess.run([*words, *more, str(path)], capture_output=True, check=True) for more in ([], frames)]
    assert not any(one.stderr for one in done)
    return json.loads(done[0].stdout) | {"frames": json.loads(done[1].stdout)["frames"]}


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mp4", EncodeOptions()),
        (".mov", EncodeOptions(codec="hevc", speed="ultrafast")),
        (".mkv", EncodeOptions(chroma="444")),
        (".webm", EncodeOptions(codec="av1", speed="ultrafast")),
    ],
)
def test_ffprobe_and_ffmpeg_take_a_joined_film(tmp_path: Path, suffix: str, options: EncodeOptions) -> None:
    times = [0, 1001, 2002, 5005, 6006, 9009, 12012, 12512, 15015, 20020, 21021, 22022]
    sound = {"sound": 1, "sound_codec": "libopus" if suffix == ".webm" else "aac"}
    source = make_film(
        tmp_path / "a.mkv",
        FilmRecipe(count=12, tags={"title": "Home"}, **sound),  # type: ignore[arg-type]
    )
    frames = [pixels for _, pixels in seen(source)[1]]
    segments: list[Path] = []
    for begin in (0, 5):
        segments.append(tmp_path / f"{begin}.mp4")
        with SegmentWriter(segments[-1], Size(96, 64), Fraction(1, 30000), options) as writer:
            for i in range(begin, 5 if begin == 0 else 12):
                writer.write(frames[i], Fraction(times[i], 30000))
    path = tmp_path / f"out{suffix}"
    assert join(segments, source, path, told={"comment": "a story"}) == ()
    said = probed(path)
    late = 0.0005 if suffix in (".mkv", ".webm") else 1e-6
    shown = [float(frame["pts_time"]) for frame in said["frames"]]
    first = shown[0] if suffix == ".webm" else 0.0  # Opus begins before 0, and WebM hides nothing
    assert [time - first for time in shown] == pytest.approx([t / 30000 for t in times], abs=2 * late)
    assert [i for i, f in enumerate(said["frames"]) if f["key_frame"]][:2] == [0, 5]
    picture, heard = said["streams"]
    assert picture["codec_name"] == options.chosen and heard["codec_name"] == ("opus" if suffix == ".webm" else "aac")
    assert picture["color_space"] == picture["color_primaries"] == picture["color_transfer"] == "bt709"
    assert picture["disposition"]["default"] == 1
    if suffix == ".mov":
        assert picture["codec_tag_string"] == "hvc1"
    tags = {key.lower(): value for key, value in said["format"]["tags"].items()}
    assert (tags["title"], tags["comment"]) == ("Home", "a story")
    words = [tool("ffmpeg"), "-v", "warning", "-xerror", "-i", str(path), "-map", "0", "-f", "null", "-"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "rror" not in done.stderr and "nvalid" not in done.stderr
