"""Pictures whose name or story says that they hold two views; names that lie are not believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from bundled import PHOTOGRAPHS, bundled
from unflat.formats.image import write_image
from unflat.formats.picture_story import picture_words
from unflat.formats.stereo_picture import default_name
from unflat.geometry.layout import PACKED, packed
from unflat.pipelines.inspect import inspect
from unflat.stages.make_stereo import make_stereo
from unflat.types.image import Image
from unflat.types.provenance import Provenance, Source, Step
from unflat.types.stereo import Layout, Rig

CUT = tuple(layout for layout in PACKED if layout is not Layout.RGBD)


def views(name: str = "coffee") -> tuple[np.ndarray, np.ndarray]:
    """A small photograph before two eyes, what is lower being nearer."""
    picture = np.ascontiguousarray(bundled(name)[::3, ::3][:120, :160])
    h, w = picture.shape[:2]
    inverse = np.tile(np.linspace(0.2, 1, h, dtype=np.float32)[:, None], (1, w))
    pair = make_stereo(picture, inverse, Rig(0.06 * w, 0.03 * w, w)).pair
    return pair.left, pair.right


def saved(path: Path, pixels: np.ndarray) -> dict[str, object]:
    Pil.fromarray(pixels).save(path)
    return inspect(path)


@pytest.mark.parametrize("layout", CUT)
def test_a_name_that_the_picture_bears_out(tmp_path: Path, layout: Layout) -> None:
    left, right = views()
    about = saved(tmp_path / default_name(layout, "a"), packed(left, right, layout))["stereo"]
    assert isinstance(about, dict) and about["layout"] == layout.value and about["words_in_name"]
    assert any(row["shows_3d"] != "no" for row in about["devices"])
    assert about["degrees"] == (180 if layout is Layout.VR180 else None)
    h, w = left.shape[:2]
    half = {Layout.HALF_SBS: f"{w // 2}×{h}", Layout.HALF_TB: f"{w}×{h // 2}"}
    assert about["eye"] == half.get(layout, f"{w}×{h}")


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("name", ["IMG_LR.png", "IMG_SBS.png", "IMG_TB.png", "IMG_RLF.png"])
def test_a_photograph_of_such_a_name_is_one_picture(tmp_path: Path, photograph: str, name: str) -> None:
    pixels = bundled(photograph)[::2, ::2]
    h, w = pixels.shape[:2]
    assert saved(tmp_path / name, np.ascontiguousarray(pixels[: h // 2 * 2, : w // 2 * 2]))["stereo"] is None


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_two_views_of_any_photograph_are_seen_as_two(tmp_path: Path, photograph: str) -> None:
    about = saved(tmp_path / "a_SBS.png", packed(*views(photograph), Layout.FULL_SBS))["stereo"]
    assert isinstance(about, dict) and about["layout"] == "full-sbs"


@pytest.mark.parametrize("layout", [Layout.HALF_SBS, Layout.ANAGLYPH, Layout.RGBD])
def test_our_own_story_says_it_under_any_name(tmp_path: Path, layout: Layout) -> None:
    story = Provenance((Source.array(),), (Step("lay_out", options=(("layout", layout.value),)),), "0", True)
    write_image(Image(np.zeros((20, 30, 3), np.uint8)), tmp_path / "plain.jpg", text=picture_words(story))
    about = inspect(tmp_path / "plain.jpg")["stereo"]
    assert about["layout"] == layout.value and about["marks"] == {"story": layout.value}
    assert bool(about["notes"]) == (layout is not Layout.ANAGLYPH)


def test_words_alone_are_enough_for_what_cannot_be_looked_at(tmp_path: Path) -> None:
    about = saved(tmp_path / "a_redcyan.png", np.zeros((20, 30, 3), np.uint8))["stereo"]
    assert isinstance(about, dict) and about["layout"] == "anaglyph" and about["eye"] == "30×20"
    assert saved(tmp_path / "a.png", np.zeros((20, 30, 3), np.uint8))["stereo"] is None
    assert saved(tmp_path / "b_SBS.png", np.zeros((21, 31, 3), np.uint8))["stereo"] is None
    view = Step("lay_out", options=(("layout", "right eye"),))
    story = Provenance((Source.array(),), (view,), "0", True)
    write_image(Image(np.zeros((20, 30, 3), np.uint8)), tmp_path / "r.png", text=picture_words(story))
    assert inspect(tmp_path / "r.png")["stereo"] is None
