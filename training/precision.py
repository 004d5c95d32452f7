"""In which precision a machine computes fastest without losing what is learnt."""

from __future__ import annotations

import torch


def native(device: str) -> bool:
    """Whether a type of device multiplies bfloat16 by itself; a processor that does not takes five times as long."""
    if device != "cpu":
        return True
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def working(device: str) -> torch.dtype:
    """The precision of products on this type of device."""
    return torch.bfloat16 if native(device) else torch.float32
