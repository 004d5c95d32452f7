"""The recipe itself: which depth is taken, what is said of it, what each form holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

import pictures
import unflat
from unflat.formats import depthmap, registry
from unflat.pipelines.depth import depth_map
from unflat.pipelines.result import AR_TRIANGLES, form_for
from unflat.types import DepthKind, DepthMap, Image, Mesh, PointCloud, Size, Splats

SIZE = Size(160, 120)


def picture() -> Image:
    """Red on the left, green on the right, darker below, with noise that no JPEG flattens."""
    rng = np.random.default_rng(3)
    pixels = np.zeros((SIZE.height, SIZE.width, 3), np.uint8)
    pixels[:, :80, 0] = 220
    pixels[:, 80:, 1] = 220
    return Image(np.clip(pixels.astype(int) + rng.integers(0, 20, pixels.shape), 0, 255).astype(np.uint8))


def result(tmp_path: Path, depth: np.ndarray, kind: str = "metric", **more: object) -> unflat.PhotoResult:
    np.save(tmp_path / "d.npy", depth.astype(np.float32))
    return unflat.photo(picture(), depth=str(tmp_path / "d.npy"), depth_kind=kind, fov=60, **more)


def wall(distance: float = 3.0) -> np.ndarray:
    return np.full(SIZE.shape, distance)


def with_sky() -> np.ndarray:
    depth = np.linspace(9, 2, SIZE.height)[:, None] * np.ones((1, SIZE.width))
    depth[:50] = np.inf
    return depth


def rough() -> np.ndarray:
    return 2 + np.random.default_rng(1).random(SIZE.shape)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.GLB", "surface"),
        ("a.usdz", "ar"),
        ("a.splat.PLY", "splats"),
        ("a.spz", "splats"),
        ("a.stl", "relief"),
        ("a.3mf", "relief"),
        ("a.html", "surface"),
        ("a.ply", "points"),
    ],
)
def test_the_suffix_chooses_the_form(name: str, form: str) -> None:
    assert form_for(Path(name), "points") == form


def test_ar_holds_what_phones_take_and_no_sky(tmp_path: Path) -> None:
    assert AR_TRIANGLES == 100_000
    made = result(tmp_path, with_sky(), triangles=150_000)
    assert {"surface", "sky"} <= {n.role for n in made.as_form("surface").nodes}
    assert "sky" not in {n.role for n in made.as_form("ar").nodes}
    steps = {s.name: dict(s.options) for s in made.as_form("ar").provenance.steps}
    assert steps["build ar"]["triangles"] == 100_000
    few = result(tmp_path, rough(), triangles=500)
    assert few.as_form("ar").triangles <= 500 and few.as_form("surface").triangles <= 500


def test_what_is_invented_is_said_in_the_scene_and_in_the_report(tmp_path: Path) -> None:
    plain = result(tmp_path, wall())
    assert not plain.scene.provenance.invented
    assert plain.report["provenance"]["invented"] is False
    sky = result(tmp_path, with_sky())
    assert sky.scene.provenance.invented
    assert sky.report["provenance"]["invented"] is True
    assert not sky.as_form("ar").provenance.invented


def test_how_far_the_eye_may_go_is_in_every_layered_form_and_in_the_report(tmp_path: Path) -> None:
    made = result(tmp_path, with_sky())
    assert made.report["safe_view"] is None
    safe = made.scene.safe_view
    assert safe is not None and 0 < safe.radius <= made.layers.reach
    assert made.as_form("splats").safe_view == made.as_form("ar").safe_view == safe
    assert made.as_form("points").safe_view is made.as_form("relief").safe_view is None
    assert made.report["safe_view"]["radius"] == safe.radius
    strict = result(tmp_path, with_sky(), safe_share=0.001)
    assert strict.scene.safe_view is not None and strict.scene.safe_view.radius < safe.radius
    assert result(tmp_path, with_sky(), layers="none").scene.safe_view is None


def test_nothing_is_written_where_one_output_is_refused(tmp_path: Path) -> None:
    made = result(tmp_path, wall())
    for other in ("b.xyz", "d.npy", "a.ply", "no/b.ply"):
        with pytest.raises(unflat.UnflatError):
            made.save(tmp_path / "a.ply", tmp_path / other)
    assert [p.name for p in tmp_path.iterdir()] == ["d.npy"]


def test_the_story_names_every_step_and_the_options_that_shaped_it(tmp_path: Path) -> None:
    made = result(tmp_path, wall(), max_error=0.01)
    names = [step.name for step in made.scene.provenance.steps]
    assert names == ["judge_style", "calibrate", "depth", "scale_to_metres", "build surface"]
    options = {step.name: dict(step.options) for step in made.scene.provenance.steps}
    assert options["build surface"]["max_error"] == 0.01
    assert options["scale_to_metres"]["low"] == pytest.approx(1 / 1.05)
    assert [source.format for source in made.scene.provenance.sources] == ["array", "depth"]
    seen = unflat.photo(picture(), fov=60)
    step = next(step for step in seen.scene.provenance.steps if step.name == "depth")
    assert step.model == "worlds" and step.licence == "Apache-2.0" and len(dict(step.options)["weights_sha256"]) == 64


def test_points_stand_where_the_picture_has_their_colour(tmp_path: Path) -> None:
    made = result(tmp_path, wall(3.0), points=1000)
    cloud = made.as_form("points").nodes[0].item
    assert isinstance(cloud, PointCloud) and cloud.colors is not None
    assert 500 < len(cloud.xyz) <= 1000
    np.testing.assert_allclose(cloud.xyz[:, 2], 3.0)
    left = cloud.xyz[:, 0] < -0.05
    assert (cloud.colors[left, 0] > 150).all() and (cloud.colors[left, 1] < 80).all()
    right = cloud.xyz[:, 0] > 0.05
    assert (cloud.colors[right, 1] > 150).all()
    assert abs(float(cloud.xyz[:, 0].mean())) < 0.02 and abs(float(cloud.xyz[:, 1].mean())) < 0.02
    with pytest.raises(unflat.UnflatError, match="at least one point"):
        result(tmp_path, wall(), points=0)


def test_all_forms_are_equally_large(tmp_path: Path) -> None:
    made = result(tmp_path, wall(3.0))
    width = 2 * 3.0 * np.tan(np.radians(30))
    for form in ("surface", "ar", "points", "splats"):
        item = made.as_form(form).nodes[0].item
        assert isinstance(item, Mesh | PointCloud | Splats)
        xyz = item.vertices if isinstance(item, Mesh) else item.xyz if isinstance(item, PointCloud) else item.means
        assert np.ptp(xyz[:, 0]) == pytest.approx(width, rel=0.02), form


def test_transparent_pixels_are_no_surface(tmp_path: Path) -> None:
    alpha = np.full(SIZE.shape, 255, np.uint8)
    alpha[:, :80] = 0
    cut = Image(picture().pixels, alpha)
    np.save(tmp_path / "d.npy", wall().astype(np.float32))
    made = unflat.photo(cut, depth=str(tmp_path / "d.npy"), depth_kind="metric", fov=60)
    mesh = made.scene.nodes[0].item
    assert isinstance(mesh, Mesh) and mesh.vertices[:, 0].min() > -0.05
    with pytest.raises(unflat.UnflatError, match="transparent everywhere"):
        unflat.photo(Image(picture().pixels, np.zeros(SIZE.shape, np.uint8)))


def test_a_phones_depth_is_used_and_can_be_refused(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    samples = np.repeat(np.linspace(0, 255, 64).round().astype(np.uint8)[None, :], 48, axis=0)
    said = 'GDepth:Format="RangeLinear" GDepth:Near="1" GDepth:Far="4" GDepth:Units="m" GDepth:Mime="image/png"'
    path.write_bytes(pictures.gdepth_jpeg(pictures.encoded(picture().pixels, "JPEG"), samples, said))
    used = unflat.photo(path, fov=60, familiar=False)
    assert used.depth.kind is DepthKind.METRIC and "worlds" not in used.depth.origin
    assert used.scale.basis == "metric-source"
    column = np.median(used.depth.values, axis=0)
    assert column[5] == pytest.approx(1.1, abs=0.15) and column[-5] == pytest.approx(3.9, abs=0.15)
    refused = unflat.photo(path, fov=60, familiar=False, phone_depth=False)
    assert refused.depth.origin == "worlds"
    by_name = unflat.photo(path, fov=60, familiar=False, depth="worlds")
    assert by_name.depth.origin == "worlds"


def test_depth_alone_needs_no_assumed_metres(tmp_path: Path) -> None:
    relative = depth_map(picture()).depth
    assert relative.kind is DepthKind.SCALE and relative.size == SIZE and relative.provenance is not None
    again = unflat.depth(picture().pixels)
    assert isinstance(again, DepthMap) and np.array_equal(again.values, relative.values)
    known = unflat.depth(picture(), known_length=unflat.KnownLength(20, 60, 140, 60, 1.0))
    assert known.kind is DepthKind.METRIC


def test_arrays_and_wrong_options(tmp_path: Path) -> None:
    grey = unflat.depth(picture().pixels[..., 0])
    assert grey.size == SIZE
    with pytest.raises(unflat.UnflatError, match="no picture"):
        unflat.depth(picture().pixels.astype(float))
    with pytest.raises(unflat.UnflatError, match="no option 'colour'") as caught:
        unflat.photo(picture(), colour=3)
    assert "fov" in caught.value.hint
    path = tmp_path / "deep.png"
    Pil.fromarray(picture().pixels).save(path)
    assert unflat.depth(path).size == SIZE


@pytest.mark.parametrize(
    "wrong",
    [{"sky": "x"}, {"fov": "60"}, {"triangles": 1.5e5}, {"familiar": 1}, {"known_length": "1,2,3"}, {"depth": 3}],
)
def test_values_of_the_wrong_kind_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(unflat.UnflatError):
        unflat.photo(picture(), **wrong)


def test_python_takes_what_python_has(tmp_path: Path) -> None:
    depth = unflat.depth(Pil.fromarray(picture().pixels), fov=np.float32(60))
    assert depth.intrinsics is not None and depth.intrinsics.fov_x_deg == pytest.approx(60)
    again = unflat.photo(picture(), depth=depth, known_length="20,60,140,60=0.5")
    assert again.scale.basis == "known-length" and again.depth.origin == "worlds"
    flat = unflat.photo(picture(), depth=wall(7.0), depth_kind="metric", fov=60)
    np.testing.assert_allclose(flat.depth.values, 7.0)
    stereo = unflat.photo(picture(), depth=wall(4.0), depth_kind="disparity-px", fov=60)
    assert stereo.depth.kind is DepthKind.SCALE
    flat.save(tmp_path / "a.glb")
    flat.save(tmp_path / "a.glb", force=True)
    assert "data:image/png;base64," in flat._repr_html_()
    with pytest.raises(unflat.UnflatError, match="cannot hold 'bogus'"):
        flat.save(tmp_path / "q.ply", ply="bogus")  # type: ignore[arg-type]
    for nothing in (None, [1, 2], b"x"):
        with pytest.raises(unflat.UnflatError, match="no picture"):
            unflat.photo(nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["affine", "disparity"])
def test_a_length_cannot_make_an_assumed_offset_true(tmp_path: Path, kind: str) -> None:
    made = result(tmp_path, rough(), kind, known_length="20,60,140,60=1")
    assert made.depth.kind is DepthKind.SCALE
    assert made.scale.basis == "known-length" and made.scale.low < 0.3 and made.scale.high > 3
    alone = depth_map(picture(), unflat.DepthMapOptions()).depth
    assert alone.kind is DepthKind.SCALE


def test_a_relief_is_as_large_as_it_was_asked_to_be(tmp_path: Path) -> None:
    made = result(tmp_path, rough(), "scale", width_mm=80.0)
    relief = made.as_form("relief")
    mesh = relief.nodes[0].item
    assert isinstance(mesh, Mesh) and np.ptp(mesh.vertices[:, 0]) == pytest.approx(0.08, rel=1e-4)
    assert relief.scale.basis == "made-to-measure" and not relief.scale.assumed
    assert not any("true size" in warning for warning in relief.provenance.warnings)
    assert any("true size" in warning for warning in made.scene.provenance.warnings)


@pytest.mark.parametrize("options", [{"texture_size": 0}, {"texture_quality": 500}, {"near": "grey"}])
def test_export_options_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(unflat.UnflatError):
        unflat.ExportOptions(**options)  # type: ignore[arg-type]


def test_depth_of_ours_keeps_its_metres_when_it_is_edited(tmp_path: Path) -> None:
    """The assumed size hangs on the median of the depth; an edit must not make everything else larger."""
    first = result(tmp_path, np.where(np.arange(SIZE.width) < 60, 2.0, 5.0) * np.ones(SIZE.shape), "scale")
    first.save(tmp_path / "a.png")
    told = depthmap.read(tmp_path / "a.png")
    edited = replace(told, values=np.where(np.arange(SIZE.width) > 30, 0.5 * told.values, told.values))
    registry.write(edited, tmp_path / "b.png")
    second = unflat.photo(picture(), depth=str(tmp_path / "b.png"))
    assert second.scale == first.scale and second.scale.assumed
    assert second.camera.intrinsics == first.camera.intrinsics
    np.testing.assert_allclose(second.depth.values, edited.values, rtol=2e-4)
    measured = unflat.photo(picture(), depth=str(tmp_path / "b.png"), known_length="10,10,10,90=1.0")
    assert measured.scale.basis == "known-length"


def test_a_page_carries_the_depth_it_was_built_from(tmp_path: Path) -> None:
    made = result(tmp_path, wall())
    made.save(tmp_path / "a.html")
    back = registry.read_scene(tmp_path / "a.html").depth
    assert back is not None and back.kind is made.depth.kind and back.scale == made.scale
    np.testing.assert_allclose(back.values, made.depth.values, rtol=1e-4)
    made.save(tmp_path / "b.html", editable=False)
    assert registry.read_scene(tmp_path / "b.html").depth is None
    assert result(tmp_path, wall(), extend=0.2).scene.depth is None, (
        "that of more than the picture cannot be given back"
    )
