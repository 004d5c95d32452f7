"""What files say of themselves is found again wherever it is written, and what is damaged in it is said."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from unflat.errors import InputError
from unflat.formats import registry
from unflat.formats.c2pa_read import read_verdict
from unflat.formats.film_boxes import read_film
from unflat.formats.image import write_image
from unflat.formats.picture_story import film_words, picture_words
from unflat.formats.provenance_text import to_plain
from unflat.formats.video import write_film
from unflat.pipelines.inspect import inspect
from unflat.types import DepthKind, DepthMap, Image, Provenance, Rights, Scale, Size, Source, Step

SIZE = Size(48, 32)
STORY = Provenance(
    (Source("Ærø.jpg", "ab" * 32, "jpeg", Rights(copyright="© Ada")),),
    (Step("depth", "worlds", "Apache-2.0", (("kind", "scale"),)), Step("render eye")),
    "0.1",
    True,
    ("careful",),
    "2026-01-01T00:00:00Z",
)


def frames(count: int = 3) -> Iterator[np.ndarray]:
    for i in range(count):
        yield np.random.default_rng(i).integers(0, 255, (*SIZE.shape, 3), np.uint8)


@pytest.mark.parametrize("name", ["e.png", "e.jpg", "e.webp", "e.tif", "e.avif"])
def test_a_picture_of_another_eye_tells_its_story(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_image(Image(next(frames())), path, text=picture_words(STORY))
    told = inspect(path)
    assert told["what"] == "picture" and told["provenance"] == to_plain(STORY) and told["invented"] is True
    assert told["notes"] == []


@pytest.mark.parametrize("name", ["f.gif", "f.webp", "f.png", "f.mp4"])
def test_a_film_tells_its_story(tmp_path: Path, name: str) -> None:
    if name == "f.mp4":
        pytest.importorskip("av")
    files = [inspect(path) for path in write_film(frames(), tmp_path / name, 10, film_words(STORY))]
    for told in files:
        assert told["provenance"] == to_plain(STORY) and told["invented"] is True
        assert told["size"] == str(SIZE)
    if name == "f.mp4":
        assert [files[0][key] for key in ("what", "frames", "seconds", "coding")] == ["film", 3, 0.3, "avc1"]
    else:
        assert len(files) == (3 if name == "f.png" else 1)


def test_the_boxes_say_what_another_reader_says(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "f.mp4"
    write_film(frames(7), path, 24, {"comment": "words"})
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        seconds = float(stream.duration * stream.time_base)
        wanted = (stream.width, stream.height, stream.frames, film.metadata["comment"])
    told = read_film(path)
    assert told.size is not None
    assert (told.size.width, told.size.height, told.frames, told.comment) == wanted
    assert told.seconds == pytest.approx(seconds, abs=1e-3) == pytest.approx(7 / 24, abs=1e-3)


@pytest.mark.parametrize("name", ["d.png", "d.exr", "d.npy", "d.pfm", "d.jpg"])
def test_a_depth_file_tells_its_story(tmp_path: Path, name: str) -> None:
    scale = Scale("known-length", 0.9, 1.1, 0.9, "a door")
    values = np.linspace(1, 3, SIZE.width * SIZE.height, dtype=np.float32).reshape(SIZE.shape)
    path = tmp_path / name
    registry.write(DepthMap(values, DepthKind.METRIC, provenance=STORY, scale=scale), path)
    told = inspect(path)
    assert told["provenance"].pop("urn") == read_verdict(path).urn
    assert told["provenance"] == to_plain(STORY)
    if name == "d.jpg":
        assert told["what"] == "picture" and told["shows_depth"] == {"kind": "metric", "model": "array"}
    else:
        assert told["what"] == "depth" and told["scale"]["basis"] == "known-length"


def test_what_others_write_there_is_theirs_and_what_is_damaged_is_noted(tmp_path: Path) -> None:
    pixels = Pil.fromarray(next(frames()))
    for i, words in enumerate(("a day at the sea", '{"by": "another program"}', "[1, 2]", "{not json")):
        pixels.save(tmp_path / f"{i}.jpg", comment=words.encode())
        told = inspect(tmp_path / f"{i}.jpg")
        assert told["provenance"] is None and told["notes"] == []
    for i, words in enumerate(
        ('{"unflat": 3}', '{"unflat": "{"}', '{"unflat": {"version": 1}}', '{"unflat": [' * 9999)
    ):
        pixels.save(tmp_path / f"{i}.gif", comment=words.encode())
        told = inspect(tmp_path / f"{i}.gif")
        assert told["provenance"] is None and any("damaged" in note for note in told["notes"])


def test_damaged_films_are_refused_in_words(tmp_path: Path) -> None:
    pytest.importorskip("av")
    whole = tmp_path / "f.mp4"
    write_film(frames(), whole, 10, film_words(STORY))
    data, path = whole.read_bytes(), tmp_path / "g.mp4"
    path.write_bytes(data[: data.index(b"moov")])
    with pytest.raises(InputError, match="no index"):
        inspect(path)
    end = data.index(b"mdat")
    for seed in range(200):
        dice, spoilt = random.Random(seed), bytearray(data)
        for _ in range(dice.randint(1, 8)):
            spoilt[dice.randrange(24, end)] = dice.randrange(256)
        path.write_bytes(spoilt)
        try:
            json.dumps(inspect(path))
        except InputError as error:
            assert "damaged" in str(error) or "index" in str(error), seed
