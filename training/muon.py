"""Muon: momentum whose matrices are made orthogonal before they are added; AdamW for everything that is no matrix.

Keller Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with the size of a step matched
to AdamW's as in Liu et al., "Muon is scalable for LLM training", 2025, so that one learning rate serves both. A
convolution is the matrix of its kernels, (out, in * h * w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor

import torch
from torch import Tensor, nn

from training.precision import working

STEPS = 5
A, B, C = 3.4445, -4.7750, 2.0315
"""Coefficients of the quintic that drives every singular value towards one."""


def orthogonal(matrix: Tensor) -> Tensor:
    """(m, n) -> about the nearest matrix with singular values of one, by Newton and Schulz; half precision will do."""
    x = matrix.to(working(matrix.device.type))
    tall = len(x) > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(STEPS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=B, alpha=C), x, beta=A)
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Parameters: as AdamW's; `momentum` is Nesterov's. The matrices are shared out among the threads of `pool`."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        rate: float,
        weight_decay: float,
        momentum: float = 0.95,
        pool: Executor | None = None,
    ) -> None:
        super().__init__(parameters, {"lr": rate, "weight_decay": weight_decay, "momentum": momentum})
        self.pool = pool

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        work = [(p, group) for group in self.param_groups for p in group["params"] if p.grad is not None]
        work.sort(key=lambda job: -job[0].numel())  # the longest first, so that no thread waits long at the end
        list((self.pool.map if self.pool else map)(self._move, *zip(*work, strict=True)) if work else ())

    @torch.no_grad()
    def _move(self, p: Tensor, group: dict[str, float]) -> None:
        assert p.grad is not None
        state = self.state[p]
        if not state:
            state["momentum"] = torch.zeros_like(p)
        state["momentum"].mul_(group["momentum"]).add_(p.grad)
        direction = p.grad + group["momentum"] * state["momentum"]
        matrix = direction.reshape(len(p), -1)
        size = 0.2 * max(matrix.shape) ** 0.5
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(orthogonal(matrix).view_as(direction), alpha=-size * group["lr"])


def split(network: nn.Module, apart: tuple[str, ...]) -> tuple[list[Tensor], list[Tensor]]:
    """(matrices, all else): what Muon moves and what AdamW does. `apart`: beginnings of names that are no matrices."""
    matrices: list[Tensor] = []
    rest: list[Tensor] = []
    for name, p in network.named_parameters():
        plain = p.ndim < 2 or p[0].numel() < 16 or name.startswith(apart)
        (rest if plain else matrices).append(p)
    return matrices, rest
