"""What people really give to ``unflat scan``: torn files, films among photographs, phones' depth."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from film_files import make_film
from pictures import encoded, gdepth_jpeg, with_segments, xmp_packet, xmp_segment
from unflat.errors import InputError, MissingExtraError
from unflat.formats import raw, stills
from unflat.formats.stills import Album, album
from unflat.stages.sample_frames import SampleOptions, sample_film, sample_photos
from unflat.types.depth import DepthKind
from unflat.types.image import Size
from unflat.types.views import Offered, Still, Stills

MODEL = 'GDepth:Format="RangeLinear" GDepth:Near="1" GDepth:Far="3" GDepth:Mime="image/png" GDepth:Units="{}"'


def picture(seed: int, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 255, (size[0] // 8, size[1] // 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)


def save(path: Path, pixels: np.ndarray) -> Path:
    Pil.fromarray(pixels).save(path)
    return path


def chosen(found: Album, every: int = 1) -> Stills:
    from fractions import Fraction

    return sample_photos(found.stills(Fraction(every, 25)), SampleOptions(), lambda still, _pixels, _mask: still)


def whys(found: Stills) -> dict[str, str]:
    return {one.name: one.why for one in found.dropped}


def test_each_thing_that_is_no_picture_is_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.png", picture(number))
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "none.jpg").write_bytes(b"")
    (tmp_path / "none.mp4").write_bytes(b"")
    save(tmp_path / "dot.png", picture(5)[:1, :1])
    save(tmp_path / "strip.png", picture(5)[:3])
    Pil.fromarray(picture(6)).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Pil.fromarray(picture(7)[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    save(tmp_path / "._0.png", picture(0))
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "again.jpg").symlink_to(".")
    found = chosen(album([tmp_path]))
    assert {still.name for still in found.items} == {"0.png", "1.png", "2.png", "cmyk.jpg", "deep.png"}
    told = whys(found)
    assert told.keys() == {"text.jpg", "none.jpg", "none.mp4", "dot.png", "strip.png"}
    assert told["dot.png"] == "it is only 1×1 pixels"
    assert told["none.jpg"] == told["none.mp4"] == "it is empty"
    assert not any(name in why for name, why in told.items()), "a name is said once"


def test_frames_of_a_film_are_no_copies_of_each_other(tmp_path: Path) -> None:
    shots = [picture(number, (64, 96)) for number in range(5)]
    make_film(tmp_path / "walk.mp4", count=5, paint=lambda number: shots[number])
    save(tmp_path / "a.png", picture(8))
    found = chosen(album([tmp_path]))
    assert len(found.items) == 6 and not found.dropped and not found.ordered


def test_a_film_that_breaks_off_gives_what_it_has(tmp_path: Path) -> None:
    shots = [picture(number, (64, 96)) for number in range(40)]
    whole = make_film(tmp_path / "walk.ts", count=40, paint=lambda number: shots[number]).read_bytes()
    (tmp_path / "walk.ts").write_bytes(whole[: len(whole) // 2])
    found = list(album([tmp_path / "walk.ts"]).stills())
    assert 5 < sum(isinstance(one, Offered) for one in found) < 40
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(InputError):
        list(album([tmp_path / "text.mp4"]).stills())


def test_what_is_given_twice_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = save(tmp_path / "a.png", picture(0))
    monkeypatch.chdir(tmp_path)
    assert album([tmp_path, one, Path("a.png")]).files == (Path("a.png"),)


def test_a_pipe_and_a_missing_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        album([tmp_path / "pipe.jpg"])
    with pytest.raises(InputError, match="does not exist"):
        album([tmp_path / "gone"])


def test_pictures_one_level_down_are_found_and_where_is_told(tmp_path: Path) -> None:
    (tmp_path / "dino" / "shots").mkdir(parents=True)
    (tmp_path / "dino" / ".cache").mkdir()
    (tmp_path / "dino" / "notes").mkdir()
    (tmp_path / "dino" / "notes" / "read me.txt").write_text("nothing")
    save(tmp_path / "dino" / ".cache" / "small.png", picture(0))
    one = save(tmp_path / "dino" / "shots" / "a.png", picture(0))
    found = album([tmp_path / "dino"])
    assert found.files == (one,)
    assert found.sequence
    assert found.notes == (f"the pictures are those in {one.parent}",)
    with pytest.raises(InputError, match="no picture and no film"):
        album([tmp_path])  # two levels down is not looked at
    own = save(tmp_path / "dino" / "b.png", picture(1))
    assert album([tmp_path / "dino"]).files == (own,)
    assert not album([tmp_path / "dino"]).notes


def test_of_several_folders_one_is_asked_for_unless_its_name_tells(tmp_path: Path) -> None:
    for name in ("monday", "tuesday", "Images", "masks"):
        (tmp_path / name).mkdir()
    for name in ("monday", "tuesday"):
        save(tmp_path / name / "a.png", picture(0))
    with pytest.raises(InputError, match="2 folders in it do") as told:
        album([tmp_path])
    assert str(tmp_path / "monday") in told.value.hint
    assert str(tmp_path / "tuesday") in told.value.hint
    save(tmp_path / "masks" / "a.png", picture(0))
    one = save(tmp_path / "Images" / "a.png", picture(0))
    assert album([tmp_path]).files == (one,)


def test_the_times_of_a_sequence_may_lie_above_its_pictures(tmp_path: Path) -> None:
    for name in ("rgb", "depth"):
        (tmp_path / name).mkdir()
        for number in range(2):
            save(tmp_path / name / f"{number}.png", picture(number))
    (tmp_path / "rgb.txt").write_text("# seconds file\n5.5 rgb/0.png\n5.75 rgb/1.png\n")
    found = album([tmp_path])
    assert [path.parent.name for path in found.pictures] == ["rgb", "rgb"]
    assert found.stamps == (5.5, 5.75)


def test_a_folder_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(InputError, match="Permission denied"):
        album([tmp_path])


def test_raw_photographs_without_their_extra_are_left_out_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingExtraError("reading RAW photographs", "raw")

    monkeypatch.setattr(raw, "rawpy", missing)
    (tmp_path / "a.dng").write_bytes(b"II*\0" + b"\0" * 100)
    with pytest.raises(MissingExtraError):
        chosen(album([tmp_path]))
    save(tmp_path / "a.png", picture(0))
    found = chosen(album([tmp_path]))
    assert [still.name for still in found.items] == ["a.png"]
    assert "extra" in whys(found)["a.dng"]


def test_a_panorama_among_photographs_is_named(tmp_path: Path) -> None:
    space = 'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"'
    packet = xmp_packet('GPano:ProjectionType="equirectangular"', namespaces=space)
    (tmp_path / "around.jpg").write_bytes(with_segments(encoded(picture(1, (128, 256)), "JPEG"), xmp_segment(packet)))
    save(tmp_path / "a.png", picture(0))
    found = chosen(album([tmp_path]))
    assert [still.name for still in found.items] == ["a.png"]
    assert "panorama" in whys(found)["around.jpg"]


def test_depth_in_metres_comes_with_the_pictures_that_have_it(tmp_path: Path) -> None:
    v = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
    for name, unit in (("metres.jpg", "m"), ("strange.jpg", "elephants")):
        (tmp_path / name).write_bytes(gdepth_jpeg(encoded(picture(1), "JPEG"), v, MODEL.format(unit)))
    torn = gdepth_jpeg(encoded(picture(1), "JPEG"), v, MODEL.format("m")).replace(
        b'GDepth:Data="iVBOR', b'GDepth:Data="iVBQQ'
    )
    (tmp_path / "torn.jpg").write_bytes(torn)
    save(tmp_path / "a.png", picture(0))
    found = album([tmp_path])
    told = found.depths(["metres.jpg", "strange.jpg", "torn.jpg", "a.png"])
    assert told.keys() == {"metres.jpg"}
    assert told["metres.jpg"].kind is DepthKind.METRIC
    assert np.allclose(told["metres.jpg"].z[0, [0, -1]], [1, 3], atol=0.01)
    assert not found.depths(["a.png"])


def test_a_film_of_a_few_pixels_is_refused() -> None:
    small = Offered(Still("000000", Size(32, 16), lambda: picture(0), seconds=0.0), np.zeros((16, 32, 3), np.uint8))
    with pytest.raises(InputError, match="only 32×16 pixels"):
        sample_film([small], SampleOptions(), lambda still, _pixels, _mask: still, seconds=1.0, fps=15)


def test_the_suffixes_of_films_and_pictures_are_different() -> None:
    both: Sequence[str] = [s for s in stills.PICTURES if s in stills.film_read.SUFFIXES]
    assert not both
