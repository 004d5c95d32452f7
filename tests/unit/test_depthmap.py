"""Depth files: who decides what the numbers mean, and what is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

import pictures
from unflat.errors import InputError, OutputError
from unflat.formats import depthmap, registry
from unflat.formats.colourmap import depth_colours
from unflat.formats.registry import ExportOptions
from unflat.types.depth import DepthKind, DepthMap

Z = np.linspace(1, 9, 48, dtype=np.float32).reshape(6, 8)
FORCE = ExportOptions(force=True)


def pfm(values: np.ndarray, order: str = "<", scale: str = "1.0", mark: bytes = b"Pf") -> bytes:
    sign = "-" if order == "<" else ""
    head = mark + f"\n{values.shape[1]} {values.shape[0]}\n{sign}{scale}\n".encode()
    return head + values[::-1].astype(f"{order}f4").tobytes()


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def npy(folder: Path, values: np.ndarray, name: str = "d.npy") -> Path:
    np.save(folder / name, values, allow_pickle=True)
    return folder / name


def refused(path: Path, **options: str) -> InputError:
    with pytest.raises(InputError) as caught:
        depthmap.read(path, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value) and caught.value.hint
    return caught.value


# --- who decides --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".exr", ".npy", ".pfm"])
def test_without_a_word_nothing_is_guessed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"d{suffix}"
    if suffix == ".png":
        path.write_bytes(pictures.encoded(np.rint(Z * 1000).astype(np.uint16), "PNG"))
    elif suffix == ".exr":
        import OpenEXR

        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"Z": Z}).write(str(path))
    elif suffix == ".npy":
        npy(tmp_path, Z)
    else:
        path.write_bytes(pfm(Z))
    assert "--depth-kind" in refused(path).hint
    depth = depthmap.read(path, kind="metric")
    assert np.allclose(depth.values, Z, atol=6e-4) and depth.kind is DepthKind.METRIC and depth.sky is None


@pytest.mark.parametrize("suffix", [".png", ".exr"])
def test_a_file_that_lost_its_sidecar_still_knows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"d{suffix}"
    depthmap.write(DepthMap(Z, DepthKind.SCALE), path, ExportOptions())
    (tmp_path / f"d{suffix}.json").unlink()
    assert depthmap.read(path).kind is DepthKind.SCALE


def test_the_user_may_not_contradict_the_sidecar(tmp_path: Path) -> None:
    path = tmp_path / "d.npy"
    depthmap.write(DepthMap(Z, DepthKind.SCALE), path, ExportOptions())
    assert "'scale', not 'metric'" in str(refused(path, kind="metric"))
    assert depthmap.read(path, kind="scale").kind is DepthKind.SCALE


def test_somebody_elses_json_is_not_a_sidecar(tmp_path: Path) -> None:
    path = npy(tmp_path, Z)
    (tmp_path / "d.npy.json").write_text('{"title": "beach", "format": "photo"}')
    assert "--depth-kind" in refused(path).hint
    assert depthmap.read(path, kind="scale").kind is DepthKind.SCALE


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "magic"},
        {"size": [8, 7]},
        {"size": [8]},
        {"size": [8.5, 6]},
        {"version": 2},
        {"focal_px": [1, "x"]},
        {"focal_px": [0, 0]},
        {"codes": {"quantity": "z"}},
        {"sky_known": None, "kind": None},
    ],
)
def test_a_damaged_sidecar_is_told(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "d.npy"
    depthmap.write(DepthMap(Z, DepthKind.SCALE), path, ExportOptions())
    note = tmp_path / "d.npy.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), **change}))
    refused(path)


def test_what_the_sidecar_says(tmp_path: Path) -> None:
    depthmap.write(DepthMap(Z, DepthKind.METRIC, origin="worlds", licence="Apache-2.0"), tmp_path / "d.png", FORCE)
    said = json.loads((tmp_path / "d.png.json").read_text())
    assert (said["kind"], said["unit"], said["polarity"]) == ("metric", "m", "near is black")
    assert (said["model"], said["licence"], said["range"], said["size"]) == ("worlds", "Apache-2.0", [1, 9], [8, 6])
    assert said["codes"]["metres_per_code"] == pytest.approx(0.001)
    with Pil.open(tmp_path / "d.png") as picture:
        assert json.loads(picture.info["unflat-depth"]) == said


# --- the kinds a user can name ------------------------------------------------------------------------------------


def test_stereo_disparity_becomes_depth_up_to_a_factor(tmp_path: Path) -> None:
    pixels = np.array([[8, 4, 0, -1, np.nan, np.inf, 0.5]], np.float32)
    depth = depthmap.read(npy(tmp_path, pixels), kind="disparity-px")
    assert depth.kind is DepthKind.SCALE and depth.sky is None
    assert np.asarray(depth.valid).tolist() == [[True, True, False, False, False, False, True]]
    assert depth.values[0, [0, 1, 6]].tolist() == [0.125, 0.25, 2.0]
    whole = depthmap.read(
        put(tmp_path, "d.png", pictures.encoded(np.array([[0, 2, 4]], np.uint16), "PNG")), kind="disparity-px"
    )
    assert whole.values[0, 1:].tolist() == [0.5, 0.25] and not np.asarray(whole.valid)[0, 0]


def test_nan_is_invalid_and_infinity_is_sky_for_z(tmp_path: Path) -> None:
    values = np.array([[1, 0, -1, np.nan, np.inf, -np.inf]], np.float32)
    depth = depthmap.read(npy(tmp_path, values), kind="metric")
    assert np.asarray(depth.valid).tolist() == [[True, False, False, False, True, False]]
    assert depth.sky is not None and depth.sky.tolist() == [[False] * 4 + [True, False]]
    affine = depthmap.read(tmp_path / "d.npy", kind="affine")
    assert np.asarray(affine.valid).tolist() == [[True, True, True, False, True, False]]
    disparity = depthmap.read(tmp_path / "d.npy", kind="disparity")
    assert np.asarray(disparity.valid).tolist() == [[True, True, True, False, False, False]] and disparity.sky is None


def test_metric_png_without_a_word_of_its_own_is_millimetres(tmp_path: Path) -> None:
    path = put(tmp_path, "d.png", pictures.encoded(np.array([[0, 1500]], np.uint16), "PNG"))
    depth = depthmap.read(path, kind="metric")
    assert depth.values[0, 1] == 1.5 and np.asarray(depth.valid).tolist() == [[False, True]]


def test_eight_bits_are_taken_and_said(tmp_path: Path) -> None:
    grey = (Z * 20).astype(np.uint8)
    depth = depthmap.read(put(tmp_path, "d.png", pictures.encoded(grey, "PNG")), kind="disparity")
    assert "256 steps" in depth.origin and np.array_equal(depth.values, grey)
    three = np.repeat(grey[..., None], 3, axis=2)
    assert np.array_equal(
        depthmap.read(put(tmp_path, "e.png", pictures.encoded(three, "PNG")), kind="disparity").values, grey
    )


# --- PNG codes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("farthest", [66.0, 131.5, 9000.0])
def test_metres_beyond_what_millimetres_hold_are_never_clipped_nor_called_millimetres(
    tmp_path: Path, farthest: float
) -> None:
    values = np.array([[0.5, 3.0, farthest]], np.float32)
    depthmap.write(DepthMap(values, DepthKind.METRIC), tmp_path / "d.png", FORCE)
    said = json.loads((tmp_path / "d.png.json").read_text())
    assert (said["kind"], said["polarity"]) == ("metric", "near is white")
    assert said["codes"]["quantity"] == "inverse-z" and "metres_per_code" not in said["codes"]
    back = depthmap.read(tmp_path / "d.png")
    assert back.kind is DepthKind.METRIC and np.asarray(back.valid).all()
    np.testing.assert_allclose(1 / back.values, 1 / values, atol=1.01 * (1 / 0.5 - 1 / farthest) / 65533)


def test_metres_that_fit_are_millimetres(tmp_path: Path) -> None:
    values = np.array([[0.0001, 3.0, 65.5]], np.float32)
    depthmap.write(DepthMap(values, DepthKind.METRIC), tmp_path / "d.png", FORCE)
    assert json.loads((tmp_path / "d.png.json").read_text())["codes"]["metres_per_code"] == pytest.approx(0.001)
    back = depthmap.read(tmp_path / "d.png")
    assert np.asarray(back.valid).all() and np.abs(back.values - values).max() <= 0.001


@pytest.mark.parametrize("near", [None, "white", "black"])
def test_sky_and_holes_are_beyond_the_far_end(tmp_path: Path, near: str | None) -> None:
    sky = np.zeros(Z.shape, bool)
    sky[0] = True
    valid = np.ones(Z.shape, bool)
    valid[2, 3] = False
    depth = DepthMap(np.where(sky, np.float32(np.inf), Z), DepthKind.SCALE, valid, sky)
    depthmap.write(depth, tmp_path / "d.png", ExportOptions(near=near))
    with Pil.open(tmp_path / "d.png") as picture:
        grey = np.asarray(picture).astype(int)
    assert grey[2, 3] == 0 and (grey[0] == (65535 if near == "black" else 1)).all()
    rest = grey[depth.surface]
    assert rest.max() < 65535 if near == "black" else rest.min() > 1


def test_a_flat_map_comes_back_flat(tmp_path: Path) -> None:
    flat = np.full((3, 4), 2.5, np.float32)
    for kind in DepthKind:
        depthmap.write(DepthMap(flat, kind), tmp_path / "d.png", FORCE)
        assert np.allclose(depthmap.read(tmp_path / "d.png").values, flat, rtol=1e-6)


# --- PFM, NPY, EXR as others write them ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
def test_pfm_of_both_byte_orders_rows_from_below(tmp_path: Path, order: str) -> None:
    depth = depthmap.read(put(tmp_path, "d.pfm", pfm(Z, order, "0.003922")), kind="scale")
    assert np.array_equal(depth.values, Z)


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "<u2", "<i4"])
def test_npy_of_other_types(tmp_path: Path, dtype: str) -> None:
    values = Z.round().astype(dtype)
    assert np.array_equal(depthmap.read(npy(tmp_path, values), kind="affine").values, values.astype(np.float32))
    assert np.array_equal(
        depthmap.read(npy(tmp_path, np.asfortranarray(values)[None]), kind="affine").values, values.astype(np.float32)
    )


@pytest.mark.parametrize("name", ["Z", "Y", "R", "something"])
def test_exr_channels_of_others(tmp_path: Path, name: str) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {name: Z.astype(np.float16)}).write(str(tmp_path / "d.exr"))
    assert np.allclose(depthmap.read(tmp_path / "d.exr", kind="metric").values, Z, rtol=1e-3)


def test_exr_of_colours_only(tmp_path: Path) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"a": Z, "b": Z}).write(str(tmp_path / "d.exr"))
    assert "no channel Z" in str(refused(tmp_path / "d.exr", kind="metric"))


# --- refused ------------------------------------------------------------------------------------------------------


def test_nothing_valid_is_refused_both_ways(tmp_path: Path) -> None:
    nothing = np.full((3, 4), np.nan, np.float32)
    assert "no valid depth" in str(refused(npy(tmp_path, nothing), kind="metric"))
    with pytest.raises(InputError, match="no valid depth"):
        depthmap.write(DepthMap(nothing, DepthKind.METRIC), tmp_path / "e.png", FORCE)
    assert [p.name for p in tmp_path.iterdir()] == ["d.npy"]


def hostile() -> list[tuple[str, bytes]]:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 16, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + b"\0" * 4

    def numpy_file(text: bytes) -> bytes:
        return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text

    shape = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }\n"
    return [
        ("bomb.png", bomb),
        ("colour.png", pictures.encoded(pictures.quarters(), "PNG")),
        ("bits.png", pictures.encoded(np.eye(4, dtype=bool), "PNG")),
        ("cut.png", pictures.encoded((Z * 1000).astype(np.uint16), "PNG")[:60]),
        ("greys.jpg", pictures.encoded(pictures.quarters(), "JPEG")),
        ("words.npy", b"no depth at all"),
        ("huge.npy", numpy_file(shape % b"99999999, 99999999")),
        ("short.npy", numpy_file(shape % b"100, 100")),
        ("minus.npy", numpy_file(shape % b"-5, 5")),
        ("code.npy", numpy_file(b"__import__('os').system('true')\n")),
        ("deep.npy", numpy_file(b"(" * 5000)),
        ("type.npy", numpy_file(shape.replace(b"<f4", b"<U9") % b"2, 2")),
        ("cube.npy", numpy_file(shape % b"2, 2, 2") + b"\0" * 32),
        ("colour.pfm", pfm(Z, mark=b"PF")),
        ("huge.pfm", b"Pf\n99999999 99999999\n-1\n"),
        ("zero.pfm", b"Pf\n0 0\n-1\n"),
        ("cut.pfm", pfm(Z)[:-1]),
        ("order.pfm", b"Pf\n1 1\n0\n\0\0\0\0"),
        ("nan.pfm", b"Pf\n1 1\n--\n\0\0\0\0"),
        ("cut.exr", b"\x76\x2f\x31\x01\x02\0\0\0channels"),
        ("empty.exr", b""),
    ]


@pytest.mark.parametrize(("name", "data"), hostile(), ids=[n for n, _ in hostile()])
def test_hostile_files(tmp_path: Path, name: str, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    refused(put(tmp_path, name, data), kind="metric")
    assert capfd.readouterr() == ("", "")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    refused(npy(tmp_path, np.array([[{"a": 1}]], dtype=object)), kind="metric")


def test_a_truncated_exr_is_refused_silently(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "d.exr"
    depthmap.write(DepthMap(Z, DepthKind.METRIC), path, ExportOptions())
    whole = path.read_bytes()
    for keep in (20, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:keep])
        refused(path)
    assert capfd.readouterr() == ("", "")


def test_mutated_files_never_escape(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(23)
    for suffix in (".png", ".exr", ".npy", ".pfm"):
        path = tmp_path / f"d{suffix}"
        depthmap.write(DepthMap(Z, DepthKind.METRIC), path, FORCE)
        for victim in (path, tmp_path / f"d{suffix}.json"):
            whole = victim.read_bytes()
            for _ in range(8 if suffix == ".exr" else 80):
                data = bytearray(whole)
                for at in random.integers(0, len(data), random.integers(1, 5)):
                    data[at] = random.integers(0, 256)
                victim.write_bytes(bytes(data))
                try:
                    depthmap.read(path, max_pixels=1_000_000)
                except InputError as error:
                    assert "\n" not in str(error)
            victim.write_bytes(whole)
    assert capfd.readouterr() == ("", "")


def test_an_existing_file_or_sidecar_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "d.png.json").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        depthmap.write(DepthMap(Z, DepthKind.METRIC), tmp_path / "d.png", ExportOptions())
    assert [p.name for p in tmp_path.iterdir()] == ["d.png.json"]


def test_unknown_words(tmp_path: Path) -> None:
    assert "no depth kind" in str(refused(npy(tmp_path, Z), kind="magic"))
    with pytest.raises(InputError, match="white or black"):
        depthmap.write(DepthMap(Z, DepthKind.METRIC), tmp_path / "d.png", ExportOptions(near="grey"))


# --- coloured -----------------------------------------------------------------------------------------------------


def test_the_colours_are_even_to_the_eye() -> None:
    table = depth_colours()
    linear = np.where(table / 255 <= 0.04045, table / 255 / 12.92, ((table / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(luminance) - 16
    assert (np.diff(lightness) > -0.2).all() and lightness[-1] - lightness[0] > 75
    assert np.abs(lightness - np.linspace(lightness[0], lightness[-1], 256)).max() < 6
    assert len(np.unique(table, axis=0)) == 256


def test_the_coloured_picture(tmp_path: Path) -> None:
    valid = np.ones(Z.shape, bool)
    valid[0, 0] = False
    depth = DepthMap(Z, DepthKind.METRIC, valid)
    for near in ("white", "black"):
        picture = depthmap.coloured(depth, near).astype(int)
        assert picture[0, 0].tolist() == [119, 119, 119]
        brightness = picture.sum(axis=2)
        assert (brightness[0, 1] > brightness[-1, -1]) == (near == "white")
    registry.write(depth, tmp_path / "d.jpg")
    assert "holds" in json.loads((tmp_path / "d.jpg.json").read_text())
    assert "JPEG" in str(refused(tmp_path / "d.jpg"))
