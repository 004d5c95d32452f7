"""Networks of the transformers library, tiny and random, saved to disk as their authors would publish them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
import transformers

RGB = np.ascontiguousarray(skimage.data.chelsea()[:120, :160])
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
