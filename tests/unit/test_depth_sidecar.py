"""What a broken sidecar is answered with, and which file a full disk is told of."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unflat.errors import InputError, OutputError
from unflat.formats.atomic import replacing
from unflat.formats.depth_sidecar import parse
from unflat.formats.depthmap import read
from unflat.formats.registry import format_of, write
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.scale import Scale

DEPTH = np.linspace(1, 5, 48, dtype=np.float32).reshape(6, 8)
CAMERA = Intrinsics(9, 9, 4, 3, Size(8, 6), "given")
BARE = ("object is not", "must be a string", "indices", "KeyError", "NoneType", "convert")
"""What Python says when a program was not careful."""


@pytest.fixture
def words(tmp_path: Path) -> dict[str, Any]:
    write(DepthMap(DEPTH, DepthKind.METRIC, intrinsics=CAMERA), tmp_path / "d.png")
    return json.loads((tmp_path / "d.png.json").read_text())


def places(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to every key, however deep."""
    for key, item in value.items() if isinstance(value, dict) else ():
        yield (*above, key)
        yield from places(item, (*above, key))


def test_every_broken_key_is_told_in_words(words: dict[str, Any]) -> None:
    refused = 0
    for place in places(words):
        for wrong in ("gone", None, 1, "x", [], {}, [1], 10**400, float("nan"), True):
            broken = copy.deepcopy(words)
            inside = broken
            for key in place[:-1]:
                inside = inside[key]
            if wrong == "gone":
                del inside[place[-1]]
            else:
                inside[place[-1]] = wrong
            try:
                parse(json.dumps(broken), "d.png.json")
            except InputError as error:
                refused += 1
                told = str(error)
                assert told.startswith("d.png.json ") and " " in told[11:] and error.hint
                assert not any(word in told for word in BARE), told
    assert refused > 60


@pytest.mark.parametrize(
    ("key", "value"),
    [("focal_px", [1e299, 9]), ("focal_px", [9, 1e-6]), ("principal_point_px", [-1e200, 3])],
)
def test_a_camera_that_cannot_be_is_refused(words: dict[str, Any], key: str, value: list[float]) -> None:
    with pytest.raises(InputError, match="its camera of"):
        parse(json.dumps(words | {key: value}), "d.png.json")


def test_a_code_beyond_all_distance_is_no_depth(words: dict[str, Any]) -> None:
    words["codes"] |= {"quantity": "inverse-z", "low": 1e-308, "high": 1.0, "code_low": 2, "code_high": 65535, "sky": 1}
    told = parse(json.dumps(words), "d.png.json")
    assert told is not None and told.coding is not None
    values, valid, sky = told.coding.decode(np.array([[1, 2, 65535]], np.uint16))
    assert valid.tolist() == [[True, False, True]] and sky.tolist() == [[True, False, False]]
    assert values[0, 2] == 1


def test_a_wrong_size_is_told_wherever_it_stands(words: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "d.png.json").write_text(json.dumps(words | {"size": [99_999, 99_999], "focal_px": None}))
    with pytest.raises(InputError, match="8×6 pixels, but says of itself that it has 99999×99999") as caught:
        read(tmp_path / "d.png")
    assert "--depth-kind" in caught.value.hint


def test_every_suffix_is_named_once() -> None:
    with pytest.raises(InputError) as caught:
        format_of(Path("film.xyz"))
    known = caught.value.hint.split(": ")[1].split()
    assert ".exr" in known and len(known) == len(set(known))


def test_a_missing_key_is_named(words: dict[str, Any]) -> None:
    del words["size"]
    with pytest.raises(InputError, match=r"^d\.png\.json does not say 'size'$") as caught:
        parse(json.dumps(words), "d.png.json")
    assert "--depth-kind" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes there")
@pytest.mark.parametrize("suffix", [".exr", ".png", ".npy", ".pfm"])
def test_a_full_disk_is_told_of_the_file_that_did_not_fit(tmp_path: Path, suffix: str) -> None:
    program = f"""
        import resource, signal
        import numpy as np
        from pathlib import Path
        from unflat.errors import OutputError
        from unflat.formats.registry import format_of, write
        from unflat.types.depth import DepthKind, DepthMap
        path = Path({str(tmp_path / f"d{suffix}")!r})
        format_of(path).load()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        noise = np.random.default_rng(0).random((200, 300)).astype(np.float32)
        try:
            write(DepthMap(noise + 1, DepthKind.METRIC), path)
        except OutputError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.stdout.strip() == f"no room left on the disk for {tmp_path / f'd{suffix}'}", done
    assert not list(tmp_path.iterdir())


def test_of_several_files_the_failing_one_is_named(tmp_path: Path) -> None:
    def work(named: int | None) -> None:
        with replacing(tmp_path / "a.bin", tmp_path / "b.gltf") as drafts:
            drafts[0].write_bytes(b"half")
            raise OSError(5, "Input/output error", *([] if named is None else [str(drafts[named])]))

    for named, wanted in ((0, "a.bin"), (1, "b.gltf"), (None, "a.bin")):
        with pytest.raises(OutputError, match=f"{wanted} cannot be written"):
            work(named)


def test_what_is_known_of_the_size_travels_with_the_file(tmp_path: Path) -> None:
    scale = Scale("familiar", 0.8, 1.3, 0.9, "a standing person, 1.7 m")
    write(DepthMap(DEPTH, DepthKind.METRIC, intrinsics=CAMERA, scale=scale), tmp_path / "d.png")
    assert read(tmp_path / "d.png").scale == scale
    (tmp_path / "d.png.json").unlink()
    assert read(tmp_path / "d.png").scale == scale


@pytest.mark.parametrize("kind", ["metric", "disparity"])
def test_an_assumed_size_is_that_of_depth_up_to_a_factor(words: dict[str, Any], kind: str) -> None:
    words["kind"] = kind
    words["scale"] = {"basis": "assumed", "low": 0.2, "high": 5.0, "coverage": 0.9, "detail": ""}
    with pytest.raises(InputError, match="its scale is 'assumed'"):
        parse(json.dumps(words), "d.png.json")


def test_a_sidecar_of_another_file_is_noticed(tmp_path: Path) -> None:
    """A saved depth may come to lie beside the sidecar of an older file of the same name."""
    write(DepthMap(DEPTH, DepthKind.SCALE, intrinsics=CAMERA), tmp_path / "d.png")
    write(DepthMap(2 * DEPTH, DepthKind.SCALE, intrinsics=CAMERA), tmp_path / "e.png")
    (tmp_path / "e.png").rename(tmp_path / "d.png")
    with pytest.raises(InputError, match="do not agree") as caught:
        read(tmp_path / "d.png")
    assert "d.png.json" in caught.value.hint
    (tmp_path / "d.png.json").unlink()
    assert read(tmp_path / "d.png").values.max() == pytest.approx(10, rel=1e-4)
