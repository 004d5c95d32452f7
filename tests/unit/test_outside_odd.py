"""Odd surroundings of models from outside: no home, names that are taken, files made to be read in two ways."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import PIL.Image
import pytest
from onnx import TensorProto, helper, numpy_helper

import nets
import unflat
from unflat.cli.main import run
from unflat.errors import InputError, MemoryLimitError, OutputError, WeightsError
from unflat.models import cache as shelf
from unflat.models.depth.onnx import Onnx
from unflat.models.framing import Framing, lay
from unflat.models.onnx_file import files_of, metadata_of
from unflat.models.pull import pull
from unflat.models.registry import depth_model
from unflat.types import Size

RGB = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_without_a_home_folder_the_own_eye_sees(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("UNFLAT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert shelf.held() == () and depth_model("auto", threads=1).card.name == "worlds"
    assert run(["models", "list"]) == 0
    assert run(["models", "remove", "x"]) == OutputError.exit_code
    assert "UNFLAT_CACHE" in capsys.readouterr().err


def test_a_cache_that_is_no_folder_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / ("x" * 300)):
        monkeypatch.setenv("UNFLAT_CACHE", str(place))
        assert shelf.held() == ()


def test_looking_into_a_model_with_a_file_manager_does_not_damage_it(tmp_path: Path, cache: Path) -> None:
    net = nets.mean_net(tmp_path / "net.onnx")
    folder = pull(net.as_uri(), sha256=sha(net)).folder
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (folder / name).write_text("icons")
    assert depth_model("net", kind="disparity").card.name == "net"
    (folder / "more.onnx").write_text("mine")
    with pytest.raises(WeightsError, match="does not belong"):
        depth_model("net", kind="disparity")


def test_the_cache_may_lie_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("UNFLAT_CACHE", "~/eyes")
    assert shelf.cache_folder() == tmp_path / "eyes"


@pytest.mark.parametrize("word", ["onnx:~nobody-of-that-name/a.onnx", "transformers:~nobody-of-that-name/a", "onnx:"])
def test_nobodys_home_is_a_path_that_is_not_there(cache: Path, word: str) -> None:
    with pytest.raises((InputError, WeightsError), match=r"no file|not on this disk|neither a folder"):
        depth_model(word)


def test_no_folder_is_not_this_folder(cache: Path) -> None:
    with pytest.raises(InputError, match="neither a folder nor a repository"):
        depth_model("transformers:")


def test_what_may_not_be_used_need_not_be_fetched_first(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError):
        depth_model("depth-anything-v2-small", commercial_only=True)
    from unflat.errors import RightsError

    with pytest.raises(RightsError):
        depth_model("depth-pro", commercial_only=True)


@pytest.mark.parametrize("name", ["auto", "worlds", "ramp", "depth-pro", "Worlds"])
def test_a_file_does_not_take_the_name_of_a_model(tmp_path: Path, cache: Path, name: str) -> None:
    net = nets.mean_net(tmp_path / f"{name}.onnx")
    with pytest.raises(InputError, match="names another model"):
        pull(net.as_uri(), sha256=sha(net))
    assert shelf.held() == ()


def test_two_files_of_one_name_do_not_replace_each_other(tmp_path: Path, cache: Path) -> None:
    nets_ = []
    for place, times in (("a", 1.0), ("b ö", 2.0)):
        (tmp_path / place).mkdir()
        nets_.append(nets.mean_net(tmp_path / place / "model.onnx", times=times))
    first = pull(nets_[0].as_uri(), sha256=sha(nets_[0]))
    with pytest.raises(InputError, match="came from elsewhere"):
        pull(f"file://{nets_[1]}", sha256=sha(nets_[1]))
    assert shelf.held() == (first,)
    shelf.remove("model")
    second = pull(f"file://{nets_[1]}", sha256=sha(nets_[1]))
    assert shelf.held() == (second,) and second.source.endswith("/b%20%C3%B6/model.onnx")


def test_a_card_that_comes_later_is_taken_and_the_one_inside_is_read(tmp_path: Path, cache: Path) -> None:
    inside = {"unflat": json.dumps({"kind": "disparity", "licence": "apache-2.0"})}
    net = nets.mean_net(tmp_path / "net.onnx", metadata=inside)
    assert pull(net.as_uri(), sha256=sha(net)).licence == "apache-2.0"
    assert depth_model("net", commercial_only=True).card.commercial
    (tmp_path / "card.json").write_text(json.dumps({"kind": "scale", "licence": "cc-by-nc-4.0"}))
    assert pull(net.as_uri(), sha256=sha(net), card=tmp_path / "card.json").licence == "cc-by-nc-4.0"
    eye = depth_model("net")
    assert eye.card.kind.value == "scale" and not eye.card.commercial
    assert pull(net.as_uri(), sha256=sha(net)).licence == "cc-by-nc-4.0"  # what lies there is whole and stays


@pytest.mark.parametrize("mean", ["1e31", "1" + "0" * 400, "NaN", "-Infinity"])
def test_numbers_out_of_all_range_are_refused(tmp_path: Path, mean: str) -> None:
    path = nets.mean_net(tmp_path / "net.onnx")
    path.with_suffix(".json").write_text(f'{{"kind": "scale", "input": {{"mean": [{mean}, 0, 0]}}}}')
    with pytest.raises(WeightsError, match="input 'mean' cannot be"):
        Onnx(path, "x")


RAN = """
import sys
from unflat.cli.main import run
sys.exit(run(["depth", sys.argv[1], "-o", sys.argv[2], "--threads", "1", "--quiet"]))
"""


def test_the_runtime_reports_to_nobody(tmp_path: Path) -> None:
    """Left alone, onnxruntime writes an identifier and its reports into the user's cache, and sends them."""
    home = tmp_path / "home"
    home.mkdir()
    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    rest = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    words = [sys.executable, "-c", RAN, str(tmp_path / "a.png"), str(tmp_path / "o.npy")]
    subprocess.run(words, env={**rest, "HOME": str(home), "USERPROFILE": str(home)}, check=True)
    assert not [one for one in home.rglob("*") if "onnxruntime" in str(one).lower() or "Microsoft" in str(one)]


def test_only_one_module_starts_the_runtime() -> None:
    for path in Path(unflat.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8").replace("if TYPE_CHECKING:\n    import onnxruntime\n", "")
        starts = re.search(r"^\s*(import|from) onnxruntime", text, re.MULTILINE)
        assert path.name == "runtime.py" or starts is None, path


def varint(number: int) -> bytes:
    low = number & 0x7F
    return bytes([low | 0x80]) + varint(number >> 7) if number > 0x7F else bytes([low])


def test_a_field_that_others_read_differently_is_refused(tmp_path: Path) -> None:
    """A tag of more than 32 bits is cut to 32 by some readers: a graph, which was stepped over here."""
    graph = helper.make_graph([], "hidden", [], [], initializer=[nets_weight("../secret")]).SerializeToString()
    head = helper.make_model(helper.make_graph([], "honest", [], [])).SerializeToString()
    path = tmp_path / "net.onnx"
    path.write_bytes(head + varint(7 << 3 | 2) + varint(len(graph)) + graph)
    with pytest.raises(WeightsError, match="outside its own folder"):
        files_of(path)
    path.write_bytes(head + varint((1 << 32) + (7 << 3 | 2)) + varint(len(graph)) + graph)
    with pytest.raises(WeightsError, match="number is too large"):
        files_of(path)


def nets_weight(location: str) -> onnx.TensorProto:
    weight = numpy_helper.from_array(np.ones(3, np.float32), "weight")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = "location", location
    return weight


def test_an_address_in_memory_is_no_file(tmp_path: Path) -> None:
    path = nets.external_net(tmp_path / "net.onnx", "*/_ORT_MEM_ADDR_/*", write=False)
    (tmp_path / "*" / "_ORT_MEM_ADDR_").mkdir(parents=True)
    (tmp_path / "*" / "_ORT_MEM_ADDR_" / "*").write_bytes(bytes(12))
    with pytest.raises(WeightsError, match="outside its own folder"):
        files_of(path)


def test_metadata_is_read_as_onnxruntime_reads_it(tmp_path: Path) -> None:
    said = {"unflat": '{"kind": "scale"}', "empty": "", "ö": "ä"}
    path = nets.mean_net(tmp_path / "net.onnx", metadata=said)
    assert metadata_of(path) == said == dict(Onnx(path, "x")._session.get_modelmeta().custom_metadata_map)


def test_too_much_memory_is_said_so_however_long_the_message(tmp_path: Path) -> None:
    shape = numpy_helper.from_array(np.array([1, 1 << 21, 1 << 21], np.int64), "shape")
    out = helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)
    node = helper.make_node("ConstantOfShape", ["shape"], ["depth"])
    path = nets.save(tmp_path / "net.onnx", [node], [nets.picture_input(nets.NCHW)], [out], [shape])
    with pytest.raises(MemoryLimitError):
        Onnx(path, "x", kind="scale", threads=1).predict(RGB)


INTERRUPTED = """
import _thread, signal, sys, threading
from pathlib import Path
import cv2  # now: what a half-finished import makes of an interrupt is not the question
import numpy as np
from unflat.models.depth.onnx import Onnx
from unflat.models.runtime import onnxruntime

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may be told to ignore it
threading.Timer(0.5, _thread.interrupt_main).start()
try:
    Onnx(Path(sys.argv[1]), "endless", kind="scale", threads=1).predict(np.zeros((32, 32, 3), np.uint8))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_a_network_without_end_is_ended_by_an_interrupt(tmp_path: Path) -> None:
    grey = helper.make_node("ReduceMean", ["pixels"], ["grey"], axes=[1], keepdims=0)
    more, state = (helper.make_tensor_value_info(n, t, s) for n, t, s in (("more", 9, []), ("state", 1, None)))
    body = helper.make_graph(
        [helper.make_node("Identity", ["more"], ["on"]), helper.make_node("Identity", ["state"], ["next"])],
        "body",
        [helper.make_tensor_value_info("turn", TensorProto.INT64, []), more, state],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info("next", 1, None)],
    )
    loop = helper.make_node("Loop", ["", "yes", "grey"], ["depth"], body=body)
    out = helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)
    yes = numpy_helper.from_array(np.array(True), "yes")
    path = nets.save(tmp_path / "net.onnx", [grey, loop], [nets.picture_input(nets.NCHW)], [out], [yes])
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, str(path)], timeout=120, check=False)
    assert done.returncode == 130


def test_a_network_whose_constants_take_for_ever_to_fold_is_ended_by_an_interrupt(tmp_path: Path) -> None:
    """Half an hour of products of constants, worked out while the file is opened."""
    many = 3000
    shape = numpy_helper.from_array(np.array([2000, 2000], np.int64), "shape")
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["m0"])]
    nodes += [helper.make_node("MatMul", [f"m{i}", f"m{i}"], [f"m{i + 1}"]) for i in range(many)]
    nodes += [
        helper.make_node("ReduceMean", [f"m{many}"], ["offset"], keepdims=0),
        helper.make_node("ReduceMean", ["pixels"], ["grey"], axes=[1], keepdims=0),
        helper.make_node("Add", ["grey", "offset"], ["depth"]),
    ]
    out = helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)
    path = nets.save(tmp_path / "net.onnx", nodes, [nets.picture_input(nets.NCHW)], [out], [shape])
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, str(path)], timeout=60, check=False)
    assert done.returncode == 130


def test_what_is_padded_is_nothing_to_the_network_whatever_the_order_of_colours() -> None:
    for bgr in (False, True):
        framing = Framing(Size(64, 64), "pad", mean=(0.2, 0.4, 0.8), bgr=bgr)
        laid, window = lay(np.zeros((16, 64, 3), np.uint8), framing)
        assert (window.top, window.bottom) == (0.375, 0.625)
        assert np.abs(laid[:20]).max() < 0.01


def test_the_metres_of_a_network_are_believed_by_half(tmp_path: Path) -> None:
    path = nets.mean_net(tmp_path / "net.onnx", plus=3)
    scale = unflat.photo(RGB, depth=f"onnx:{path}", depth_kind="metric", fov=50).scale
    assert scale.low <= 1 / 1.5 + 1e-6 and scale.high >= 1.5 - 1e-6
