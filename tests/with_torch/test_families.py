"""Every family of the transformers library, its own way: what its networks are shown, and what their answers mean.

Needs the extra 'models'; ``tests/with_torch/run`` makes an environment that has it. Without torch all is skipped.
"""

from __future__ import annotations

import json
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
from family_nets import MAKERS, RGB
from unflat.errors import InputError, WeightsError
from unflat.models.families import FAMILIES, recipe_of
from unflat.models.framing import cut, lay
from unflat.models.registry import depth_model
from unflat.types import DepthKind


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


def test_numbers_that_are_none_are_refused(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="NaN"):
        answered(monkeypatch, folders["glpn"], np.full((8, 8), np.nan)).predict(RGB)
