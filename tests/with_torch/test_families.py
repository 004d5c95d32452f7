"""Networks of the transformers library, tiny and random, saved to disk and opened again: every family's own way.

Needs the extra 'models'; ``tests/with_torch/run`` makes an environment that has it. Without torch all is skipped.
"""

from __future__ import annotations

import json
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data

pytest.importorskip("torch", reason="needs torch: tests/with_torch/run", exc_type=ImportError)
pytest.importorskip("transformers", reason="needs transformers: tests/with_torch/run", exc_type=ImportError)

import torch
import transformers

import unflat
from unflat.cli.main import run
from unflat.errors import InputError, MemoryLimitError, RightsError, UnflatError, WeightsError
from unflat.models.families import FAMILIES, recipe_of
from unflat.models.framing import cut, lay
from unflat.models.registry import depth_model
from unflat.types import DepthKind

RGB = np.ascontiguousarray(skimage.data.chelsea()[:120, :160])
NONE: dict[str, Any] = {}
MEAN_HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
BOX = {"size": {"height": 56, "width": 56}, "keep_aspect_ratio": True, "ensure_multiple_of": 14}


def _vit(**more: Any) -> dict[str, Any]:
    return {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 37} | more


def depth_anything(kind: str = "relative", most: float = 1) -> Any:
    backbone = transformers.Dinov2Config(
        **_vit(image_size=56, patch_size=14),
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
    )
    return transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        patch_size=14,
        neck_hidden_sizes=[16, 16, 16, 16],
        fusion_hidden_size=16,
        head_hidden_size=8,
        depth_estimation_type=kind,
        max_depth=most,
    )


def dpt() -> Any:
    return transformers.DPTConfig(
        **_vit(image_size=64, patch_size=16),
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[16, 16, 16, 16],
        fusion_hidden_size=16,
        is_hybrid=False,
    )


def glpn(most: int = 10) -> Any:
    return transformers.GLPNConfig(
        num_encoder_blocks=4,
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        max_depth=most,
    )


def zoedepth() -> Any:
    backbone = transformers.BeitConfig(
        **_vit(image_size=64, patch_size=16),
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
        use_relative_position_bias=True,
    )
    return transformers.ZoeDepthConfig(
        backbone_config=backbone,
        backbone_hidden_size=32,
        neck_hidden_sizes=[16, 16, 16, 16],
        fusion_hidden_size=16,
        bottleneck_features=16,
        num_relative_features=8,
        bin_embedding_dim=16,
        bin_configurations=[{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0, "name": "nyu"}],
    )


def depth_pro(fov: bool = True) -> Any:
    inner = {"model_type": "dinov2", **_vit(image_size=16, patch_size=8, num_hidden_layers=2), "use_mask_token": False}
    return transformers.DepthProConfig(
        patch_size=16,
        patch_embeddings_size=8,
        num_hidden_layers=2,
        intermediate_hook_ids=[1, 0],
        intermediate_feature_dims=[16, 16],
        scaled_images_ratios=[0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.25],
        scaled_images_feature_dims=[16, 16],
        fusion_hidden_size=16,
        use_fov_model=fov,
        image_model_config=inner,
        patch_model_config=inner,
        fov_model_config=inner,
    )


@torch.no_grad()
def enliven(model: Any) -> None:
    """Larger random weights: as they are made, they answer the same to every picture."""
    for one in model.parameters():
        if one.dim() >= 2:
            one.normal_(0, 1.3 * one[0].numel() ** -0.5)
    for last in [one for one in model.modules() if isinstance(one, torch.nn.Conv2d) and one.out_channels == 1]:
        last.bias.fill_(1.0)  # above the ReLU that may follow
    if getattr(model, "fov_model", None) is not None:
        for last in [
            one for one in model.fov_model.modules() if isinstance(one, torch.nn.Conv2d) and one.out_channels == 1
        ]:
            last.bias.fill_(60.0)  # degrees


def saved(folder: Path, config: Any, preprocessor: dict[str, Any] | None = None, readme: str = "") -> Path:
    """A random network in a folder, as its authors would publish it."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = transformers.AutoModelForDepthEstimation.from_config(config)
        enliven(model)
        model.save_pretrained(folder)
    if preprocessor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    if readme:
        (folder / "README.md").write_text(readme)
    return folder


MAKERS: dict[str, tuple[Callable[[], Any], dict[str, Any], str]] = {
    "depth_anything": (depth_anything, BOX, "disparity"),
    "depth_anything_metric": (lambda: depth_anything("metric", 20), BOX, "metric"),
    "dpt": (dpt, {"size": {"height": 64, "width": 64}} | MEAN_HALF, "disparity"),
    "glpn": (glpn, {"size_divisor": 32}, "metric"),
    "zoedepth": (zoedepth, {"size": {"height": 64, "width": 64}, "ensure_multiple_of": 32} | MEAN_HALF, "metric"),
    "depth_pro": (depth_pro, {"size": {"height": 32, "width": 32}} | MEAN_HALF, "metric"),
    "depth_pro_without_fov": (lambda: depth_pro(False), {"size": {"height": 32, "width": 32}} | MEAN_HALF, "scale"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("nets")
    return {name: saved(root / name, make(), told) for name, (make, told, _) in MAKERS.items()}


def answered(monkeypatch: pytest.MonkeyPatch, folder: Path, plane: np.ndarray, fov: float | None = None) -> Any:
    """The model of a folder, its network replaced by one whose head says ``plane``."""
    from unflat.models.depth import transformers as adapter

    class Said:
        predicted_depth = torch.from_numpy(plane.astype(np.float32))[None]
        field_of_view = None if fov is None else torch.tensor([fov])

    monkeypatch.setattr(adapter, "_network", lambda *_: lambda pixel_values: Said())
    return depth_model(f"transformers:{folder}", threads=1)


@pytest.mark.parametrize("name", MAKERS)
def test_a_saved_network_is_opened_and_sees(folders: dict[str, Path], name: str) -> None:
    model = depth_model(f"transformers:{folders[name]}", threads=1)
    seen = model.predict(RGB)
    assert seen.kind.value == MAKERS[name][2] == model.card.kind.value
    assert np.isfinite(seen.values).all() and (seen.kind is DepthKind.DISPARITY or (seen.values >= 0).all())
    assert np.array_equal(seen.values, model.predict(RGB).values)
    assert model.card.name == f"transformers:{name}" and model.card.sha256 and model.card.licence == "unknown"
    assert (seen.focal_over_long_side is not None) == (name == "depth_pro") == ("field of view" in model.card.gives)
    depth = unflat.depth(RGB, depth=f"transformers:{folders[name]}", threads=1)
    assert depth.values.shape == RGB.shape[:2] and np.asarray(depth.valid).all()


@pytest.mark.parametrize("name", ["depth_anything", "dpt"])
def test_disparity_stays_disparity(folders: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plane = np.linspace(0, 9, 48).reshape(6, 8)
    seen = answered(monkeypatch, folders[name], plane).predict(RGB)
    assert seen.kind is DepthKind.DISPARITY and np.allclose(seen.values, plane)


@pytest.mark.parametrize("name", ["depth_anything_metric", "glpn"])
def test_metres_become_inverse_metres(folders: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plane = np.linspace(0.5, 9, 48).reshape(6, 8)
    seen = answered(monkeypatch, folders[name], plane).predict(RGB)
    assert seen.kind is DepthKind.METRIC and np.allclose(seen.values, 1 / plane)
    depth = unflat.depth(RGB, depth=f"transformers:{folders[name]}")
    assert depth.kind is DepthKind.METRIC and np.isclose(depth.values.min(), 0.5, rtol=0.1)
    assert np.isclose(depth.values.max(), 9, rtol=0.1) and depth.values[0, 0] < depth.values[-1, -1]


def test_zoedepths_border_is_cut_off(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Metres over the padded picture: what is left are those of the picture itself."""
    y, x = np.mgrid[0:64, 0:64]
    seen = answered(monkeypatch, folders["zoedepth"], 1 + (x + 0.5) / 64).predict(RGB)
    width = RGB.shape[1]
    pad = int((width / 2) ** 0.5 * 3)
    left = (pad + 0.5 * (width / seen.values.shape[1])) / (width + 2 * pad)
    assert np.allclose(1 / seen.values[:, 0], 1 + left, atol=2e-3)
    assert np.allclose(1 / seen.values[:, -1], 2 - left, atol=2e-3)
    assert seen.values.shape[0] < 64 and y.shape == (64, 64)


@pytest.mark.parametrize("fov", [30.0, 60.0, 100.0])
def test_depth_pros_numbers_become_metres_as_its_authors_make_them(
    folders: dict[str, Path], fov: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Canonical inverse depth C: z = f / (w C), and f = w / 2 / tan(fov / 2) whatever w is: the two w cancel."""
    plane = np.linspace(0.2, 3, 48).reshape(6, 8)
    seen = answered(monkeypatch, folders["depth_pro"], plane, fov).predict(RGB)
    over_width = 0.5 / np.tan(np.radians(fov) / 2)
    assert seen.kind is DepthKind.METRIC and np.allclose(1 / seen.values, over_width / plane, rtol=1e-5)
    assert seen.focal_over_long_side == pytest.approx(over_width)
    tall = np.ascontiguousarray(RGB.transpose(1, 0, 2))
    assert answered(monkeypatch, folders["depth_pro"], plane, fov).predict(tall).focal_over_long_side == pytest.approx(
        over_width * 120 / 160
    )
    with pytest.raises(WeightsError, match="field of view"):
        answered(monkeypatch, folders["depth_pro"], plane, 200.0).predict(RGB)


def test_depth_pro_without_its_focal_length_knows_no_metres(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = np.linspace(0.2, 3, 48).reshape(6, 8)
    seen = answered(monkeypatch, folders["depth_pro_without_fov"], plane).predict(RGB)
    assert seen.kind is DepthKind.SCALE and np.allclose(seen.values, plane) and seen.focal_over_long_side is None


PROCESSORS = {"depth_anything": "DPT", "dpt": "DPT", "zoedepth": "ZoeDepth", "glpn": "GLPN"}


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("shape", [(120, 160), (160, 120), (300, 451), (50, 40)])
def test_networks_are_shown_what_the_librarys_own_processor_shows(
    folders: dict[str, Path], name: str, shape: tuple[int, int]
) -> None:
    rgb = np.ascontiguousarray(skimage.data.chelsea()[: shape[0], : shape[1]])
    theirs = getattr(transformers, f"{PROCESSORS[name]}ImageProcessorPil").from_pretrained(folders[name])
    wanted = np.asarray(theirs(images=rgb, return_tensors="np")["pixel_values"][0])
    recipe = recipe_of(folders[name], name)
    shown = lay(rgb, recipe.framing)[0].transpose(2, 0, 1)
    assert shown.shape == wanted.shape
    assert np.abs(shown.mean() - wanted.mean()) < 0.01 and np.corrcoef(shown.ravel(), wanted.ravel())[0, 1] > 0.98


def test_zoedepths_answer_is_cut_as_its_authors_cut_it(folders: dict[str, Path]) -> None:
    """Enlarged to the padded picture, the border taken off: here on the network's real answer."""
    import cv2

    folder = folders["zoedepth"]
    pixels, window = lay(RGB, recipe_of(folder, "x").framing)
    model = transformers.AutoModelForDepthEstimation.from_pretrained(folder).eval()
    with torch.inference_mode():
        plane = model(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None]).predicted_depth[0].numpy()
    down, across = (int((side / 2) ** 0.5 * 3) for side in RGB.shape[:2])
    padded = (RGB.shape[1] + 2 * across, RGB.shape[0] + 2 * down)
    theirs = cv2.resize(plane, padded, interpolation=cv2.INTER_LINEAR)[down:-down, across:-across]
    ours = cv2.resize(cut(plane, window), RGB.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    inner = (slice(3, -3), slice(3, -3))
    assert np.median(np.abs(ours - theirs)[inner]) < 0.02 * np.ptp(theirs)
    seen = depth_model(f"transformers:{folder}", threads=1).predict(RGB).values
    assert np.allclose(1 / seen, cut(plane, window), rtol=1e-3)


def test_unknown_families_and_heads_must_be_told(tmp_path: Path, folders: dict[str, Path]) -> None:
    from shutil import copytree

    config = json.loads((folders["dpt"] / "config.json").read_text())
    (tmp_path / "on").mkdir()
    (tmp_path / "on" / "config.json").write_text(json.dumps(config | {"backbone_config": {"model_type": "dinov2"}}))
    with pytest.raises(WeightsError, match="nobody says") as caught:
        recipe_of(tmp_path / "on", "x")
    assert "--depth-kind" in caught.value.hint
    assert recipe_of(tmp_path / "on", "x", "metric").meaning.kind is DepthKind.METRIC
    with pytest.raises(InputError, match="gives kind 'disparity', not 'metric'"):
        depth_model(f"transformers:{folders['dpt']}", kind="metric")
    for word, why in (("chmv2", "trees"), ("prompt_depth_anything", "LiDAR")):
        (tmp_path / "on" / "config.json").write_text(json.dumps({"model_type": word}))
        with pytest.raises(InputError, match=why):
            recipe_of(tmp_path / "on", "x")
    strange = copytree(folders["glpn"], tmp_path / "strange")
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps(config | {"model_type": "never-heard-of"}))
    with pytest.raises(WeightsError, match="cannot be opened"):
        depth_model(f"transformers:{strange}", kind="metric").predict(RGB)


def test_every_depth_family_of_the_library_is_ours_or_refused() -> None:
    """A new family in transformers needs a row, or a reason."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_DEPTH_ESTIMATION_MAPPING_NAMES

    from unflat.models.families import _NOT_EYES

    assert set(MODEL_FOR_DEPTH_ESTIMATION_MAPPING_NAMES) == set(FAMILIES) | set(_NOT_EYES)


def rewrite(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize(
    "harm",
    [
        "cut",
        "noise",
        "empty",
        "pickle",
        "gone",
        "config",
        "list",
        "huge",
        "layers",
        "code",
        "reach",
        "backbone",
        "adapter",
        "missing",
        "shapes",
    ],
)
def test_damaged_and_hostile_folders_are_one_error(
    tmp_path: Path, folders: dict[str, Path], harm: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from shutil import copytree

    import PIL.Image
    from safetensors.torch import load_file, save_file

    folder = copytree(folders["glpn"], tmp_path / "net")
    weights = folder / "model.safetensors"
    data = weights.read_bytes()
    if harm in ("cut", "noise", "empty"):
        weights.write_bytes({"cut": data[: len(data) // 2], "noise": b"\xff" * 999, "empty": b""}[harm])
    elif harm in ("pickle", "gone"):
        weights.unlink()
        if harm == "pickle":
            torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")
    elif harm in ("config", "list"):
        (folder / "config.json").write_text({"config": "{", "list": "[1]"}[harm])
    elif harm == "adapter":
        (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/else"}')
    elif harm == "missing":
        kept = load_file(weights)
        kept.pop(sorted(kept)[0])
        save_file(kept, weights, metadata={"format": "pt"})
    else:
        changes: dict[str, dict[str, Any]] = {
            "huge": {"decoder_hidden_size": 10**9},
            "layers": {"depths": [10**6] * 4},
            "code": {"auto_map": {"AutoModelForDepthEstimation": "evil.Evil"}},
            "reach": {"use_pretrained_backbone": True},
            "backbone": {"backbone": "someone/else"},
            "shapes": {"decoder_hidden_size": 24},
        }
        rewrite(folder, **changes[harm])
    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    capfd.readouterr()
    assert (
        run(["depth", str(tmp_path / "a.png"), "--depth", f"transformers:{folder}", "-o", str(tmp_path / "o.npy")]) == 5
    )
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 2 and said[0].startswith("error: ") and said[1].startswith("hint: "), said


def test_numbers_that_are_none_are_refused(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="NaN"):
        answered(monkeypatch, folders["glpn"], np.full((8, 8), np.nan)).predict(RGB)


def test_too_large_for_this_machine_is_said_before_it_is_tried(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from unflat.models.depth import transformers as adapter

    adapter._network.cache_clear()
    monkeypatch.setattr(adapter, "_memory", lambda: 1000.0)
    with pytest.raises(MemoryLimitError, match="do not fit in memory"):
        depth_model(f"transformers:{folders['glpn']}").predict(RGB)


def test_licence_and_device(tmp_path: Path, folders: dict[str, Path]) -> None:
    from shutil import copytree

    folder = copytree(folders["glpn"], tmp_path / "net")
    word = f"transformers:{folder}"
    with pytest.raises(RightsError, match="unknown"):
        depth_model(word, commercial_only=True)
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    with pytest.raises(RightsError, match=r"cc-by-nc-4\.0"):
        unflat.depth(RGB, depth=word, commercial_only=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    assert depth_model(word, commercial_only=True).card.commercial
    with pytest.raises(InputError, match="torch does not run on 'coreml'"):
        depth_model(word, device="coreml")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA"):
            depth_model(word, device="cuda")


def test_a_folder_needs_no_network(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from unflat.models.depth import transformers as adapter

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    adapter._network.cache_clear()
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert unflat.depth(RGB, depth=f"transformers:{folders['depth_anything']}").origin == "transformers:depth_anything"
    with pytest.raises(UnflatError, match="not on this disk"):
        unflat.depth(RGB, depth="transformers:someone/else")


def test_threads_are_given_back(folders: dict[str, Path]) -> None:
    before = torch.get_num_threads()
    depth_model(f"transformers:{folders['glpn']}", threads=1).predict(RGB)
    assert torch.get_num_threads() == before


def test_a_fetched_model_is_the_best_on_disk(folders: dict[str, Path], cache: Path) -> None:
    """What ``models pull`` would have written: the record, and the files it names."""
    from shutil import copytree

    from unflat.models.cache import Held, write_record
    from unflat.models.onnx_file import sha256_of

    place = copytree(folders["depth_anything"], cache / "models" / "depth-anything-v2-small")
    files = {one.name: (sha256_of(one), one.stat().st_size) for one in place.iterdir()}
    source = "depth-anything/Depth-Anything-V2-Small-hf"
    write_record(Held("depth-anything-v2-small", source, "0" * 40, "transformers", "apache-2.0", "", files), place)
    report = unflat.photo(RGB, commercial_only=True).report
    assert report["model"] == "depth-anything-v2-small"
    step = next(one for one in report["provenance"]["steps"] if one["name"] == "depth")
    assert step["licence"] == "apache-2.0" and step["options"]["weights_sha256"] == files["model.safetensors"][0]
    assert unflat.depth(RGB, depth=f"transformers:{source}").origin == "depth-anything-v2-small"
    (place / "model.safetensors").write_bytes(b"\0" * files["model.safetensors"][1])
    with pytest.raises(WeightsError, match="sha256 differs"):
        unflat.depth(RGB)


def test_an_exported_network_says_what_the_original_says(folders: dict[str, Path], tmp_path: Path) -> None:
    """The same weights through torch and, exported, through onnxruntime with the card that ``models pull`` writes."""
    pytest.importorskip("onnxscript", reason="torch's exporter needs onnxscript", exc_type=ImportError)
    from unflat.models.exported import exported_card

    folder = folders["depth_anything"]
    model = transformers.AutoModelForDepthEstimation.from_pretrained(folder).eval()

    class Bare(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = model

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.net(pixel_values).predicted_depth

    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Bare(),
            (torch.zeros(1, 3, 56, 70),),
            str(tmp_path / "model.onnx"),
            input_names=["pixel_values"],
            dynamic_axes={"pixel_values": {2: "height", 3: "width"}},
            dynamo=False,
        )
    exported_card(tmp_path, "model.onnx", "x", "mit")
    mine = depth_model(f"onnx:{tmp_path / 'model.onnx'}", threads=1).predict(RGB)
    theirs = depth_model(f"transformers:{folder}", threads=1).predict(RGB)
    assert mine.kind is theirs.kind and mine.values.shape == theirs.values.shape
    assert np.allclose(mine.values, theirs.values, atol=1e-4 * np.abs(theirs.values).max())
