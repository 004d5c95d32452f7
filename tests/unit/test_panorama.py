"""Which pictures look around, what their files say of it, and how large what is around is."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from panoramas import Room, whole
from unflat.errors import InputError, UnitError
from unflat.formats.depthmap import read as read_depth
from unflat.formats.gpano import GPANO, read_panorama
from unflat.formats.image import read_image
from unflat.geometry.panorama import panorama_rays, roll_deg, turn_deg
from unflat.geometry.zenith import sky_overhead
from unflat.pipelines.animate import AnimateOptions, animate
from unflat.pipelines.depth import DepthMapOptions, depth_map
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.forecast import forecast
from unflat.pipelines.panorama import PanoramaResult
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.pipelines.result import PhotoResult
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.look_around import bring_together, looked, tangent_windows
from unflat.stages.recognise_panorama import PanoramaOptions, recognise_panorama
from unflat.stages.scale_panorama import floor_below, scale_panorama
from unflat.stages.scale_to_metres import KnownLength, ScaleOptions
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, PanoramaRecord, Size
from unflat.types.panorama import Panorama

AUTO = PanoramaOptions()
YES = PanoramaOptions(panorama="yes")


def packet(**said: object) -> str:
    words = " ".join(f'GPano:{name}="{value}"' for name, value in said.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:GPano="{GPANO}" {words}/></rdf:RDF></x:xmpmeta>'
    )


PART = {
    "ProjectionType": "equirectangular",
    "FullPanoWidthPixels": 4000,
    "FullPanoHeightPixels": 2000,
    "CroppedAreaLeftPixels": 500,
    "CroppedAreaTopPixels": 600,
    "CroppedAreaImageWidthPixels": 3000,
    "CroppedAreaImageHeightPixels": 900,
}


def told(**said: object) -> PanoramaRecord:
    record, notes = read_panorama(packet(**said))
    assert record is not None and not notes
    return record


def blank(width: int, height: int, record: PanoramaRecord | None = None) -> Image:
    return Image(np.full((height, width, 3), 99, np.uint8), panorama=record)


def test_a_record_is_read_and_one_that_makes_no_sense_is_noted() -> None:
    record = told(**PART, PosePitchDegrees=5, PoseRollDegrees=-3, InitialViewHeadingDegrees=90, PoseHeadingDegrees=30)
    assert record.full == (4000, 2000) and record.area == (500, 600, 3000, 900)
    assert (record.pitch_deg, record.roll_deg, record.view_deg, record.heading_deg) == (5, -3, 90, 30)
    for wrong in (
        {"CroppedAreaImageWidthPixels": 5000},
        {"CroppedAreaLeftPixels": -1},
        {"PosePitchDegrees": 91},
        {"PoseRollDegrees": 400},
    ):
        record, notes = read_panorama(packet(**{**PART, **wrong}))
        assert record is None and "contradicts" in notes[-1]
    for number in ("nan", "wide", "1e9", "-5", "0"):
        record, notes = read_panorama(packet(ProjectionType="equirectangular", FullPanoWidthPixels=number))
        assert record is not None and len(notes) == 1 and "FullPanoWidthPixels" in notes[0]
    assert read_panorama(packet(UsePanoramaViewer="True")) == (None, ())
    assert read_panorama(None) == read_panorama("<broken") == (None, ())


def test_a_cropped_sphere_spans_what_its_file_says_however_it_was_resized() -> None:
    for size in ((3000, 900), (1500, 450)):
        panorama = recognise_panorama(blank(*size, told(**PART)), AUTO)
        assert panorama is not None and panorama.basis == "file"
        assert panorama.span == pytest.approx((-135, 135, 36, -45))


def test_the_pose_of_the_file_levels_the_panorama_and_its_view_is_ahead() -> None:
    record = told(
        ProjectionType="equirectangular", PosePitchDegrees=10, PoseRollDegrees=4, InitialViewHeadingDegrees=50
    )
    panorama = recognise_panorama(blank(400, 200, replace(record, heading_deg=20)), AUTO)
    assert panorama is not None
    expected = turn_deg(-30) @ turn_deg(0, 10) @ roll_deg(4)
    assert panorama.scene_from_panorama == pytest.approx(expected, abs=1e-9)


def test_a_cylinder_of_a_file_is_one() -> None:
    said = {**PART, "ProjectionType": "cylindrical", "CroppedAreaTopPixels": 500, "CroppedAreaImageHeightPixels": 1000}
    panorama = recognise_panorama(blank(3000, 1000, told(**said)), AUTO)
    assert panorama is not None and panorama.projection == "cylindrical"
    up = math.degrees(math.atan(500 / (4000 / (2 * math.pi))))
    assert panorama.span == pytest.approx((-135, 135, up, -up))
    assert recognise_panorama(blank(300, 100, told(ProjectionType="fisheye")), AUTO) is None


def test_two_to_one_that_closes_is_a_panorama_and_anything_else_is_not() -> None:
    picture, _ = Room().seen(whole(512))
    found = recognise_panorama(picture, AUTO)
    assert found is not None and found.whole and found.basis == "shape"
    cut = Image(np.ascontiguousarray(picture.pixels[64:192, 100:356]))  # 2:1, but not all around
    assert recognise_panorama(cut, AUTO) is None
    assert recognise_panorama(Image(np.roll(picture.pixels, 128, axis=0)), AUTO) is None  # its poles are no poles
    assert recognise_panorama(blank(512, 256), AUTO) is None  # plain: it says nothing
    assert recognise_panorama(picture, PanoramaOptions(panorama="no")) is None
    assert recognise_panorama(Image(picture.pixels[:250]), AUTO) is None
    assert recognise_panorama(cut, YES) is not None


def test_a_sweep_is_told_by_its_angle() -> None:
    with pytest.raises(InputError, match="2:1") as error:
        recognise_panorama(blank(900, 200), YES)
    assert "--fov 270" in (error.value.hint or "")
    panorama = recognise_panorama(blank(900, 200), YES, 270)
    assert panorama is not None and panorama.projection == "cylindrical" and not panorama.closed
    up = math.degrees(math.atan(math.radians(270) * 200 / 900 / 2))
    assert panorama.span == pytest.approx((-135, 135, up, -up))
    assert recognise_panorama(blank(900, 200), AUTO, 270) is None
    around = recognise_panorama(blank(720, 360), YES, 360)
    assert around is not None and around.whole and around.projection == "equirectangular"


@pytest.mark.parametrize("wrong", [{"panorama": "perhaps"}, {"eye_height": 0.0}, {"eye_height": math.nan}])
def test_impossible_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        PanoramaOptions(**wrong)  # pyright: ignore[reportArgumentType]


def test_an_angle_that_only_a_panorama_has_is_refused_for_a_picture() -> None:
    with pytest.raises(InputError, match="270") as error:
        photo(blank(64, 48), from_keywords(PhotoOptions(), {"fov": 270.0, "depth": "ramp"}))
    assert "--panorama" in (error.value.hint or "")


def _distance(kind: DepthKind = DepthKind.SCALE, factor: float = 1.0) -> DepthMap:
    _, distance = Room(pillar=None).seen(whole(256))
    return DepthMap(distance * np.float32(factor), kind, panorama=whole(256))


def test_the_floor_is_found_and_gives_the_size() -> None:
    assert floor_below(_distance()) == pytest.approx(1.6, rel=0.005)
    factor, scale = scale_panorama(_distance(factor=0.25), (), blank(256, 128), ScaleOptions(), None)
    assert factor == pytest.approx(4, rel=0.005) and scale.assumed and "1.6 m" in scale.detail
    factor, scale = scale_panorama(_distance(factor=0.25), (), blank(256, 128), ScaleOptions(), 3.2)
    assert factor == pytest.approx(8, rel=0.005) and not scale.assumed
    factor, scale = scale_panorama(_distance(DepthKind.METRIC), (), blank(256, 128), ScaleOptions(), None)
    assert factor == 1 and scale.basis == "metric-source"


def test_a_known_length_gives_the_size() -> None:
    room, size = Room(pillar=None), Size(512, 256)
    rays = panorama_rays(Panorama(size))
    ends = [(100, 120), (180, 140)]
    points = [rays[y, x] * room.distance(rays[y, x].astype(np.float64)) for x, y in ends]
    true = float(np.linalg.norm(points[0] - points[1]))
    length = KnownLength(*(v + 0.5 for end in ends for v in end), metres=10 * true)
    factor, scale = scale_panorama(_distance(), (), blank(512, 256), ScaleOptions(length), None)
    assert factor == pytest.approx(10, rel=0.05) and scale.low < factor / 10 < scale.high
    for x, y in ((600, 10), (10, -1)):
        with pytest.raises(InputError):
            scale_panorama(_distance(), (), blank(512, 256), ScaleOptions(KnownLength(1, 1, x, y, 1)), None)


def test_distances_along_rays_are_not_lifted_as_depth(tmp_path: Path) -> None:
    with pytest.raises(UnitError, match="rays"):
        _ = _distance().z
    told = _distance(DepthKind.METRIC)
    from unflat.formats import registry

    for name in ("d.npy", "d.exr", "d.png"):
        registry.write(told, tmp_path / name)
        words = json.loads((tmp_path / f"{name}.json").read_text())
        assert words["along"] == "ray" and words["panorama"]["span_deg"] == [-180, 180, 90, -90]
        back = read_depth(tmp_path / name)
        assert back.panorama is not None and back.panorama.whole
        assert np.abs(back.values / told.values - 1).max() < 0.001
    wrong = (
        {"panorama": {**words["panorama"], "span_deg": [0, 900, 90, -90]}},
        {"panorama": {**words["panorama"], "scene_from_panorama": [1, 2, 3]}},
        {"panorama": {**words["panorama"], "scene_from_panorama": [[1, 0, 0], [0, 1, 0], [0, 0, 1], 7]}},
        {"panorama": None},
        {"along": "axis"},
    )
    for change in wrong:
        (tmp_path / "d.png.json").write_text(json.dumps({**words, **change}))
        with pytest.raises(InputError, match="makes no sense"):
            read_depth(tmp_path / "d.png")


def test_windows_of_a_part_stay_within_it() -> None:
    part = Panorama(Size(1200, 300), -120, 120, 30, -30)
    windows = tangent_windows(part)
    assert 3 <= len(windows) <= 8
    from unflat.geometry.panorama import inside

    assert all(inside(part, window).mean() > 0.6 for window in windows)
    assert len(tangent_windows(whole(512))) == 10


def test_a_part_is_seen_to_its_rims() -> None:
    part = Panorama(Size(480, 150), -100, 100, 30, -32.5)
    picture, _ = Room().seen(part)
    record = PanoramaRecord("equirectangular", (864.0, 432.0), (192.0, 144.0, 480.0, 150.0))
    seen = depth_map(replace(picture, panorama=record), replace(DepthMapOptions(), estimate=DepthOptions(threads=2)))
    depth = seen.depth
    assert depth.panorama is not None and depth.panorama.span == pytest.approx((-100, 100, 30, -32.5))
    assert np.asarray(depth.valid)[1:-1, 1:-1].all()
    assert np.isfinite(depth.values[1:-1, 1:-1]).all()


def test_windows_are_brought_together() -> None:
    """Each window sees the room at a size of its own; together they see one room."""
    from unflat.geometry.cube import norms
    from unflat.geometry.panorama import looked_up, window_rays
    from unflat.stages.estimate_depth import Estimate
    from unflat.stages.look_around import blended

    room, panorama = Room(), whole(512)
    _, distance = room.seen(panorama)
    rng = np.random.default_rng(5)
    looks = []
    for window in tangent_windows(panorama):
        z = looked_up(distance, panorama, window_rays(window), nearest=True) / norms(window)
        looks.append(looked(window, Estimate(DepthMap(z * np.float32(np.exp(rng.normal() * 0.5)), DepthKind.SCALE))))
    fields, (before, after) = bring_together(looks, panorama)
    assert before < 0.01 and after < 0.01  # shifts alone explain it all
    from unflat.geometry.cube import cube, inner_pixels

    ratios = []
    for window in cube(96):
        got = blended(looks, fields, window)
        assert got.known.all()
        true = room.distance(window_rays(window).astype(np.float64) / norms(window)[..., None])
        ratios.append(np.log(got.distance / true)[inner_pixels(window)])
    off = np.concatenate(ratios)
    assert np.quantile(np.abs(off - np.median(off)), 0.9) < 0.02


def test_plain_sky_overhead_is_sky_where_it_goes_on_from_sky() -> None:
    y, x = np.mgrid[:96, :96]
    picture = np.dstack([120 + y // 4, 150 + x // 8, 220 + 0 * x]).astype(np.uint8)
    picture[40:50, 40:50] = 255  # the sun
    picture[60:, 20:40] = (60, 40, 20)  # a mast that comes in from below
    beside = np.ones((96, 96), np.float32)
    beside[60:, 20:40] = 0
    seen = np.hypot(x - 48, y - 48) > 40
    sky = sky_overhead(picture, beside, seen)
    assert sky[5:55, 5:90].all()
    assert not sky[64:, 24:36].any()
    assert not sky_overhead(picture, np.zeros((96, 96), np.float32), seen).any()


def test_a_panorama_has_no_relief_and_no_other_eye(tmp_path: Path) -> None:
    picture, distance = Room().seen(whole(256))
    told = from_keywords(PhotoOptions(), {"panorama": "yes", "depth_kind": "scale"})
    result = photo(picture, told, handed=distance)
    assert isinstance(result, PanoramaResult)
    with pytest.raises(InputError, match="front"):
        result.save(tmp_path / "x.stl")
    with pytest.raises(InputError, match="eye"):
        result.save_eye("right", tmp_path / "x.png")
    assert result.report["panorama"]["right_deg"] == 180
    assert result.scale.assumed and result.safe_view.radius <= result.sphere.shared.reach
    pinhole = DepthMap(distance, DepthKind.SCALE, intrinsics=None)
    from unflat.types.camera import Intrinsics

    with pytest.raises(InputError, match="pinhole"):
        photo(picture, told, handed=replace(pinhole, intrinsics=Intrinsics.from_fov(90, pinhole.size)))


@pytest.mark.parametrize(("word", "value"), [("extend", 0.2), ("reflections", "surface")])
def test_what_is_not_done_to_panoramas_is_refused(word: str, value: object) -> None:
    picture, distance = Room().seen(whole(256))
    told = from_keywords(PhotoOptions(), {"panorama": "yes", "depth_kind": "scale", word: value})
    with pytest.raises(InputError, match="panorama"):
        photo(picture, told, handed=distance)


def test_a_film_takes_a_panorama_for_an_ordinary_picture() -> None:
    picture, _ = Room().seen(whole(256))
    assert recognise_panorama(picture, PanoramaOptions()) is not None
    told = {"depth": "ramp", "seconds": 0.1}
    film = animate(picture, from_keywords(AnimateOptions(), told))
    assert not isinstance(film.result, PanoramaResult) and film.cameras(picture.size)
    with pytest.raises(InputError, match="panorama"):
        animate(picture, from_keywords(AnimateOptions(), {**told, "panorama": "yes"}))


def test_a_stereo_pair_is_never_taken_for_a_panorama() -> None:
    picture, distance = Room().seen(whole(256))
    told = from_keywords(PhotoOptions(), {"depth_kind": "disparity-px"})
    assert not isinstance(photo(picture, told, handed=5 / distance), PanoramaResult)


def test_splats_and_points_stand_on_the_room() -> None:
    room = Room()
    picture, distance = room.seen(whole(512))
    told = from_keywords(PhotoOptions(), {"panorama": "yes", "depth_kind": "metric", "count": 30_000, "points": 30_000})
    result = photo(picture, told, handed=distance)
    splats = result.as_form("splats").nodes[0].item
    points = result.as_form("points").nodes[0].item
    for xyz, seen in ((splats.means, splats.invented), (points.xyz, None)):  # pyright: ignore[reportAttributeAccessIssue]
        kept = np.ones(len(xyz), np.bool_) if seen is None else ~seen
        off = room.off(xyz[kept].astype(np.float64)) / np.linalg.norm(xyz[kept], axis=1)
        assert 5_000 < len(xyz) <= 30_000
        assert np.quantile(off, 0.9) < 0.02
        around = np.arctan2(xyz[:, 0], xyz[:, 2])
        assert np.histogram(around, 8, (-np.pi, np.pi))[0].min() > 0.04 * len(xyz)


def test_the_record_travels_from_a_file_to_the_camera(tmp_path: Path) -> None:
    picture, _ = Room().seen(whole(256))
    path = tmp_path / "sphere.jpg"
    Pil.fromarray(picture.pixels).save(path, xmp=packet(ProjectionType="equirectangular").encode())
    found = recognise_panorama(read_image(path), AUTO)
    assert found is not None and found.whole and found.basis == "file"


def test_the_network_sees_a_room_all_around_without_a_seam() -> None:
    """The room of tiles is not photographic, yet its walls must come out closed, and about where they are."""
    picture, truth = Room(pillar=None).seen(whole(512))
    options = replace(DepthMapOptions(), estimate=DepthOptions(detail=512, threads=2), around=YES)
    depth = depth_map(picture, options).depth
    assert depth.panorama is not None and depth.kind is DepthKind.SCALE
    ratio = np.log(depth.values / truth)
    area = np.cos((np.arange(256) + 0.5) / 256 * np.pi - np.pi / 2)[:, None] * np.ones(512)
    assert float((np.abs(ratio - np.median(ratio)) * area).sum() / area.sum()) < 0.5
    seam = np.abs(depth.values[:, 0] / depth.values[:, -1] - 1)
    assert np.quantile(seam, 0.95) < 0.01 and seam.mean() < 0.01
    for row in (0, -1):
        assert np.ptp(depth.values[row]) < 0.03 * depth.values[row].mean()


def test_depth_along_rays_is_no_depth_of_an_ordinary_picture() -> None:
    picture, distance = Room().seen(whole(256))
    around = DepthMap(distance, DepthKind.SCALE, panorama=whole(256))
    with pytest.raises(InputError, match="along the rays") as caught:
        photo(picture, from_keywords(PhotoOptions(), {"panorama": "no"}), handed=around)
    assert "--panorama yes" in caught.value.hint


def test_what_the_user_says_of_the_lens_is_heeded_or_answered() -> None:
    picture, distance = Room().seen(whole(256))

    def made(**said: object) -> PhotoResult:
        kind = {"depth_kind": "scale", "familiar": False}
        return photo(picture, from_keywords(PhotoOptions(), {**kind, **said}), handed=distance)

    assert isinstance(made(), PanoramaResult)
    for lens in ({"fov": 60.0}, {"focal_mm": 28.0}):
        assert not isinstance(made(**lens), PanoramaResult)
    around = made(panorama="yes", focal_mm=28.0)
    assert isinstance(around, PanoramaResult)
    assert any("lens" in warning for warning in around.report["warnings"])
    assert any("eye height" in warning for warning in made(fov=60.0, eye_height=1.2).report["warnings"])
    assert not any("eye height" in warning for warning in made(eye_height=1.2).report["warnings"])


def test_no_frame_cuts_a_panorama(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, _ = Room().seen(whole(256))
    seen: list[DepthMap | None] = []
    monkeypatch.setattr("unflat.pipelines.forecast.findings", lambda marks, depth: seen.append(depth) or ())
    for word in ("auto", "no"):
        forecast(picture, from_keywords(PhotoOptions(), {"panorama": word}))
    assert seen[0] is None and seen[1] is not None
