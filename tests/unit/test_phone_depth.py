"""The depth inside phone pictures. All files here are made in the tests; none comes from a phone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pictures
from unflat.errors import InputError
from unflat.formats.phone_depth import Range, google_depth, heic_depth, read_phone_depth
from unflat.types.depth import DepthKind, DepthMap

Q = pictures.quarters()
JPEG = pictures.encoded(Q, "JPEG")
RAMP = np.linspace(20, 235, 32).astype(np.uint8)
SAMPLES = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
V = SAMPLES / 255
INVERSE = 'GDepth:Format="RangeInverse" GDepth:Near="0.5" GDepth:Far="20" GDepth:Mime="image/png" '


def read(folder: Path, data: bytes, name: str = "a.jpg") -> DepthMap | None:
    path = folder / name
    path.write_bytes(data)
    return read_phone_depth(path)


# --- HEIC ---------------------------------------------------------------------------------------------------------


def test_heic_disparity(tmp_path: Path) -> None:
    depth = read(tmp_path, pictures.heic(depth=pictures.depth_sei(1, d_min=0.25, d_max=2.5)), "a.heic")
    assert depth is not None and depth.kind is DepthKind.DISPARITY and depth.origin == "depth in a.heic"
    assert np.allclose(depth.values, 0.25 + 2.25 * RAMP / 255, atol=1e-5)


def test_heic_inverse_z(tmp_path: Path) -> None:
    depth = read(tmp_path, pictures.heic(depth=pictures.depth_sei(0, z_near=0.5, z_far=8.0)), "a.heic")
    assert depth is not None and depth.kind is DepthKind.SCALE
    assert np.allclose(1 / depth.values, RAMP / 255 * (2 - 0.125) + 0.125, rtol=1e-5)


def test_heic_z(tmp_path: Path) -> None:
    depth = read(tmp_path, pictures.heic(depth=pictures.depth_sei(2, z_near=0.5, z_far=8.0)), "a.heic")
    assert depth is not None and depth.kind is DepthKind.SCALE
    assert np.allclose(depth.values, 0.5 + 7.5 * RAMP / 255, rtol=1e-5)


@pytest.mark.parametrize("turns", range(4))
def test_heic_depth_is_turned_like_its_picture(tmp_path: Path, turns: int) -> None:
    data = pictures.heic(quarter_turns=turns, depth=pictures.depth_sei(1), exif_block=pictures.exif({0x0112: 6}))
    depth = read(tmp_path, data, "a.heic")
    assert depth is not None
    assert np.allclose(depth.values, np.rot90(np.tile(RAMP / 255, (24, 1)), turns), atol=1e-6)


def test_heic_without_depth(tmp_path: Path) -> None:
    assert read(tmp_path, pictures.heic(), "a.heic") is None


@pytest.mark.parametrize(("kind", "expected"), [(0, "disparity"), (1, "disparity"), (2, "affine"), (None, "disparity")])
def test_without_a_range_only_the_order_is_known(kind: int | None, expected: str) -> None:
    depth = heic_depth(SAMPLES, {"representation_type": kind}, origin="x")
    assert depth is not None and depth.kind.value == expected and np.allclose(depth.values, V, atol=1e-6)


def test_non_uniform_disparity_needs_its_model() -> None:
    assert heic_depth(SAMPLES, {"representation_type": 3}, origin="x") is None
    model = [0.0, 0.1, 1.0]
    depth = heic_depth(SAMPLES, {"representation_type": 3, "nonlinear_representation_model": model}, origin="x")
    assert depth is not None and np.allclose(depth.values, np.interp(V, [0, 0.5, 1], model), atol=1e-6)


def test_sixteen_bit_samples() -> None:
    depth = heic_depth(SAMPLES.astype(np.uint16) * 257, {"representation_type": 1}, origin="x")
    assert depth is not None and np.allclose(depth.values, V, atol=1e-6)


# --- Google -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("units", "kind", "factor"), [("m", "metric", 1), ("mm", "metric", 1e-3), ("", "scale", 1)])
def test_gdepth_inverse(tmp_path: Path, units: str, kind: str, factor: float) -> None:
    said = INVERSE + (f'GDepth:Units="{units}"' if units else "")
    depth = read(tmp_path, pictures.gdepth_jpeg(JPEG, SAMPLES, said))
    assert depth is not None and depth.kind.value == kind
    assert np.allclose(depth.values, factor * 20 * 0.5 / (20 - V * 19.5), rtol=1e-5)


def test_gdepth_linear_with_confidence(tmp_path: Path) -> None:
    said = 'GDepth:Format="RangeLinear" GDepth:Near="1" GDepth:Far="3" GDepth:Units="m"'
    depth = read(tmp_path, pictures.gdepth_jpeg(JPEG, SAMPLES, said, confidence=SAMPLES[:, ::-1]))
    assert depth is not None and depth.confidence is not None
    assert np.allclose(depth.values, 1 + 2 * V, rtol=1e-6) and np.allclose(depth.confidence, V[:, ::-1], atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_gdepth_is_turned_like_its_picture(tmp_path: Path, orientation: int) -> None:
    upright = SAMPLES + np.arange(24, dtype=np.uint8)[:, None] // 2
    jpeg = pictures.encoded(pictures.as_stored(Q, orientation), "JPEG", exif=pictures.exif({0x0112: orientation}))
    stored = np.ascontiguousarray(pictures.as_stored(upright, orientation))
    said = 'GDepth:Format="RangeLinear" GDepth:Near="1" GDepth:Far="2" GDepth:Units="m"'
    depth = read(tmp_path, pictures.gdepth_jpeg(jpeg, stored, said, confidence=stored))
    assert depth is not None and depth.confidence is not None
    assert np.allclose(depth.values, 1 + upright / 255, atol=1e-6)
    assert np.allclose(depth.confidence, upright / 255, atol=1e-6) and np.asarray(depth.valid).all()


def test_lengths_of_rays_become_z() -> None:
    span = Range(inverse=False, near=5.0, far=6.0, unit_m=1.0, along_ray=True)
    depth = google_depth(np.zeros((40, 60)), span, focal=30.0, origin="x")
    assert depth is not None
    y, x = np.mgrid[0:40, 0:60] + 0.5
    lengths = depth.values * np.sqrt(1 + ((x - 30) / 30) ** 2 + ((y - 20) / 30) ** 2)
    assert np.allclose(lengths, 5, rtol=1e-6)
    assert google_depth(np.zeros((4, 6)), span, focal=None, origin="x") is None


@pytest.mark.parametrize("padding", [0, 7])
def test_dynamic_depth(tmp_path: Path, padding: int) -> None:
    said = 'DepthMap:Format="RangeInverse" DepthMap:Near="0.5" DepthMap:Far="20" DepthMap:Units="Meters"'
    depth = read(tmp_path, pictures.dynamic_depth_jpeg(JPEG, SAMPLES, said, padding))
    assert depth is not None and depth.kind is DepthKind.METRIC
    assert np.allclose(depth.values, 20 * 0.5 / (20 - V * 19.5), rtol=1e-5)


@pytest.mark.parametrize(
    "said",
    [
        'GDepth:Format="RangeInverse" GDepth:Near="0" GDepth:Far="20"',
        'GDepth:Format="RangeInverse" GDepth:Near="5" GDepth:Far="2"',
        'GDepth:Format="RangeInverse" GDepth:Near="nan" GDepth:Far="2"',
        'GDepth:Format="Magic" GDepth:Near="1" GDepth:Far="2"',
        'GDepth:Near="1" GDepth:Far="2"',
    ],
)
def test_what_cannot_be_trusted_is_not_used(tmp_path: Path, said: str) -> None:
    assert read(tmp_path, pictures.gdepth_jpeg(JPEG, SAMPLES, said)) is None


def test_an_incomplete_extended_packet_is_not_used(tmp_path: Path) -> None:
    whole = pictures.gdepth_jpeg(JPEG, np.random.default_rng(0).integers(0, 255, (60, 60), np.uint8), INVERSE)
    mark = b"http://ns.adobe.com/xmp/extension/"
    assert whole.count(mark) > 2
    at = whole.index(mark)
    assert read(tmp_path, whole[:at] + b"X" + whole[at + 1 :]) is None


def test_a_damaged_map_is_an_error(tmp_path: Path) -> None:
    data = pictures.gdepth_jpeg(JPEG, SAMPLES, INVERSE).replace(
        b'GDepth:Data="iVBORw0KGgo', b'GDepth:Data="AVBORw0KGgo'
    )
    with pytest.raises(InputError, match=r"the depth in a\.jpg"):
        read(tmp_path, data)


def test_plain_pictures_have_none(tmp_path: Path) -> None:
    assert read(tmp_path, JPEG) is None
    assert read(tmp_path, pictures.encoded(Q, "PNG"), "a.png") is None
    with pytest.raises(InputError, match="empty"):
        read(tmp_path, b"")


def test_mutated_files_never_escape(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(17)
    sources = [
        ("a.heic", pictures.heic(depth=pictures.depth_sei(0, z_near=0.5, z_far=8.0))),
        ("a.jpg", pictures.gdepth_jpeg(JPEG, SAMPLES, INVERSE)),
        ("a.jpg", pictures.dynamic_depth_jpeg(JPEG, SAMPLES, INVERSE.replace("GDepth", "DepthMap"))),
    ]
    for name, source in sources:
        for _ in range(150):
            data = bytearray(source)
            for at in random.integers(2, len(data), random.integers(1, 6)):
                data[at] = random.integers(0, 256)
            try:
                read(tmp_path, bytes(data), name)
            except InputError as error:
                assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
