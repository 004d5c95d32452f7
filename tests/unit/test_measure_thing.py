"""A length that is marked on a thing makes its size true, as well as its error bar says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import painted
from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed
from unflat.pipelines.scan_object import ObjectOptions, object_from_cutouts
from unflat.stages.inflate import InflateOptions
from unflat.stages.marked_length import MarkedLength
from unflat.stages.measure_thing import measure_thing
from unflat.types.camera import Camera, FocalBasis, Intrinsics
from unflat.types.image import Image, Size
from unflat.types.provenance import Source
from unflat.types.sight import Sight
from unflat.types.views import Still, Stills

SIZE = Size(320, 240)
QUICK = ObjectOptions(front="none", shape="relief", object_triangles=4000, inflate=InflateOptions(cells=64))


def cube() -> Closed:
    """One unit along each side, about the origin."""
    block = painted.box(0.5)
    places, number = np.unique(np.asarray(block.vertices, np.float64), axis=0, return_inverse=True)
    return Closed(places, number.reshape(-1)[np.asarray(block.faces)].astype(np.uint32))


def seen_from(eye: tuple[float, float, float], name: str, basis: FocalBasis = "file") -> Sight:
    lens = replace(Intrinsics.from_fov(35, SIZE), basis=basis)
    image = Image(np.zeros((240, 320, 3), np.uint8), np.full((240, 320), 255, np.uint8), source=Source.array(name))
    return Sight(image, Camera(lens, painted.looking(eye, (0, 0, 0)), name))


def at(sight: Sight, point: tuple[float, float, float]) -> str:
    """The pixel of a point."""
    local = np.linalg.inv(sight.camera.pose.world_from_camera) @ np.array([*point, 1.0])
    lens = sight.camera.intrinsics
    return f"{lens.fx * local[0] / local[2] + lens.cx:.3f},{lens.fy * local[1] / local[2] + lens.cy:.3f}"


ENDS = (-0.45, -0.3, -0.5), (0.45, 0.35, -0.5)
TRUE = float(np.linalg.norm(np.subtract(*ENDS)))


def marked(sight: Sight, metres: float, name: str = "") -> str:
    return f"{name}{at(sight, ENDS[0])},{at(sight, ENDS[1])}={metres}"


def test_the_unit_of_a_known_cube_is_found_and_the_bar_holds_it() -> None:
    sights = [seen_from((1.2, -0.8, -4.0), "a.png"), seen_from((-1.5, -0.6, -4.0), "b.png")]
    for told in (marked(sights[0], 0.3), marked(sights[1], 0.3, "b.png:"), marked(sights[1], 0.3, "b:")):
        known = measure_thing(cube(), sights, MarkedLength.parse(told))
        assert known.metres_per_unit == pytest.approx(0.3 / TRUE, rel=0.01)
        assert known.scale.basis == "known-length" and not known.scale.assumed
        assert 1.005 < known.scale.high < 1.1 and known.scale.low == pytest.approx(1 / known.scale.high)
    both = f"{marked(sights[0], 1, 'a.png:').partition('=')[0]}+{marked(sights[1], 0.3, 'b.png:')}"
    together = measure_thing(cube(), sights, MarkedLength.parse(both)).scale
    assert together.high < 1.1 and "a.png and b.png" in together.detail


def test_what_is_less_sure_has_a_wider_bar() -> None:
    eye = (1.2, -0.8, -4.0)
    across = marked(seen_from(eye, "a.png"), 0.3)
    a = seen_from(eye, "a.png")
    along = f"{at(a, (0.5, -0.3, -0.45))},{at(a, (0.5, -0.3, 0.45))}=0.3"

    def high(told: str, *sights: Sight) -> float:
        return measure_thing(cube(), sights, MarkedLength.parse(told)).scale.high

    assert high(along, a) > 1.2 > high(across, a)  # nobody saw how deep it is
    assert high(along, a) > high(along, a, seen_from((4.0, -1, 0), "b.png"))
    assert high(across, seen_from(eye, "a.png", "assumed")) > high(across, a)


def test_marks_beside_the_thing_are_refused() -> None:
    sight = seen_from((0, 0, -4), "a.png")
    for told, why in (
        ("1,1,160,120=1", "beside"),
        ("160,120,400,120=1", "outside"),
        ("x.png:150,120,170,120=1", "x.png"),
    ):
        with pytest.raises(InputError, match=why):
            measure_thing(cube(), [sight], MarkedLength.parse(told))
    with pytest.raises(InputError, match="same"):
        measure_thing(cube(), [sight], MarkedLength.parse("160,120,160.5,120=1"))


def test_a_cut_out_takes_its_size_from_a_length_in_its_picture() -> None:
    mask = np.zeros((240, 320), bool)
    mask[40:200, 60:260] = True
    pixels = np.where(mask[..., None], (30, 160, 60), (255, 0, 255)).astype(np.uint8)
    still = Still("board.png", SIZE, lambda: pixels, mask=lambda: mask)
    scene = object_from_cutouts(Stills((still,), False), QUICK, length=MarkedLength.parse("62,120,258,120=0.49"))
    assert scene.scale.basis == "known-length" and scene.scale.low < 1 < scene.scale.high
    width = float(np.ptp(scene.nodes[0].item.vertices[:, 0]))  # type: ignore[union-attr]
    assert width == pytest.approx(0.5, rel=0.04) and scene.scale.low < 0.5 / width < scene.scale.high
