"""Exported networks that are damaged, hide something, or want more than there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import nets
from nets import card, opened
from unflat.errors import UnflatError, WeightsError
from unflat.models.onnx_file import files_of

RGB = np.random.default_rng(1).integers(0, 256, (60, 90, 3), np.uint8)
GREY = "disparity"


def raw_colours(**more: Any) -> dict[str, Any]:
    """The section ``input`` of a network that takes plain 0..1."""
    return {"mean": [0, 0, 0], "std": [1, 1, 1], "fit": "stretch", "size": [90, 60], **more}


def test_every_cut_and_every_flipped_byte_ends_in_an_error_of_ours_or_in_depth(tmp_path: Path) -> None:
    whole = nets.mean_net(tmp_path / "whole.onnx", (1, 3, 24, 24)).read_bytes()
    path = card(tmp_path / "net.onnx", kind="disparity")
    random = np.random.default_rng(0)
    broken = [whole[:cut] for cut in range(0, len(whole), 9)]
    for _ in range(120):
        other = bytearray(whole)
        other[random.integers(len(whole))] = random.integers(256)
        broken.append(bytes(other))
    ends = set()
    for data in broken:
        path.write_bytes(data)
        try:
            opened(path).predict(RGB)
            ends.add("depth")
        except UnflatError as error:
            assert error.exit_code in (2, 5, 6), error
            ends.add("error")
    assert ends == {"depth", "error"}


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"not a network at all", b"\x89PNG\r\n\x1a\n" * 9, b"\x08\x08", b"\xff" * 64]
)
def test_what_is_no_onnx_is_said_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"net\.onnx"):
        files_of(path)


def test_a_missing_and_a_huge_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no file"):
        opened(tmp_path / "none.onnx", kind="metric")
    path = tmp_path / "huge.onnx"
    with path.open("wb") as stream:
        stream.truncate(3 * 2**30)
    with pytest.raises(WeightsError, match="3221225472 bytes"):
        opened(path, kind="metric")


def test_weights_in_a_file_beside_are_read_and_counted(tmp_path: Path) -> None:
    path = card(nets.external_net(tmp_path / "net.onnx", "net.data"), kind=GREY, input=raw_colours())
    model = opened(path)
    assert np.allclose(model.predict(RGB).values, 2 * RGB.mean(axis=2) / 255, atol=1e-5)
    assert [one.name for one in files_of(path)] == ["net.onnx", "net.data"]
    before = model.card.sha256
    (tmp_path / "net.data").write_bytes(np.full(3, 4.0, np.float32).tobytes())
    again = opened(path)
    assert again.card.sha256 != before and np.allclose(again.predict(RGB).values, 4 * RGB.mean(axis=2) / 255, atol=1e-5)


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", "C:\\secret", "C:secret", "", "a\x00b"]
)
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 12)
    (tmp_path / "in").mkdir()
    path = card(nets.external_net(tmp_path / "in" / "net.onnx", location, write=False), kind="metric")
    with pytest.raises(WeightsError, match="outside its own folder") as caught:
        opened(path)
    assert "trust" in caught.value.hint


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(np.zeros(3, np.float32).tobytes())
    (tmp_path / "in").mkdir()
    path = card(nets.external_net(tmp_path / "in" / "net.onnx", "data", write=False), kind="metric")
    with pytest.raises(WeightsError, match="needs the data file 'data'"):
        opened(path)
    (tmp_path / "in" / "data").symlink_to(tmp_path / "secret")
    with pytest.raises(WeightsError, match="outside its own folder"):
        opened(path)


def test_weights_hidden_in_a_branch_are_found(tmp_path: Path) -> None:
    """A subgraph of an ``If`` may name a file just as well."""
    weight = onnx.TensorProto(name="w", data_type=1, dims=[3], data_location=onnx.TensorProto.EXTERNAL)
    entry = weight.external_data.add()
    entry.key, entry.value = "location", "../secret"
    out = onnx.helper.make_tensor_value_info("w", 1, [3])
    branch = onnx.helper.make_graph([], "branch", [], [out], initializer=[weight])
    node = onnx.helper.make_node("If", ["yes"], ["depth"], then_branch=branch, else_branch=branch)
    graph = onnx.helper.make_graph([node], "g", [], [onnx.helper.make_tensor_value_info("depth", 1, None)])
    path = tmp_path / "net.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    with pytest.raises(WeightsError, match=r"\.\./secret"):
        files_of(path)


def test_a_graph_nested_without_end_is_refused(tmp_path: Path) -> None:
    def field(number: int, body: bytes) -> bytes:
        length, more = b"", len(body)
        while True:
            length += bytes([more & 127 | (128 if more > 127 else 0)])
            more >>= 7
            if not more:
                return bytes([number << 3 | 2]) + length + body

    inner = b""
    for _ in range(400):
        inner = field(1, field(5, field(6, inner)))
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x08\x08" + field(7, inner))
    with pytest.raises(WeightsError, match="nested too deeply"):
        files_of(path)


def test_a_file_of_countless_tiny_fields_is_refused_soon(tmp_path: Path) -> None:
    """Two bytes a field; 24 MB of them took a quarter of a minute to walk."""
    path = tmp_path / "net.onnx"
    path.write_bytes(nets.mean_net(path).read_bytes() + b"\x08\x08" * 2_000_000)
    with pytest.raises(WeightsError, match="too many parts"):
        files_of(path)


def test_more_memory_than_there_is_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    big = onnx.numpy_helper.from_array(np.array([1 << 20, 1 << 22], np.int64), "shape")
    nodes = [onnx.helper.make_node("ConstantOfShape", ["shape"], ["depth"])]
    out = onnx.helper.make_tensor_value_info("depth", 1, None)
    nets.save(path, nodes, [nets.picture_input(nets.NCHW)], [out], [big])
    with pytest.raises(UnflatError) as caught:
        opened(card(path, kind="metric")).predict(RGB)
    assert caught.value.exit_code in (5, 6)
