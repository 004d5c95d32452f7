"""What the trainer takes for truth, and what it counts as wrong."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: tests/with_torch/run", exc_type=ImportError)

import torch
from torch import Tensor
from training.losses import TERMS, Truth, losses, truth
from training.worlds.materials import KINDS
from training.worlds.sample import BACKDROP, SKY

pytestmark = pytest.mark.usefixtures("repeatable")


def example() -> tuple[Tensor, Tensor, Tensor]:
    """Two pictures 64 × 64 of a bumpy ground under sky: inverse depth, kinds, focal."""
    y, x = np.mgrid[:64, :64].astype(np.float32)
    inverse = np.stack([0.2 + y / 64 + 0.1 * np.sin(x / 5), 0.5 + 0.3 * np.cos(x / 9) * np.sin(y / 7)])[:, None]
    what = np.zeros_like(inverse, dtype=np.uint8)
    what[:, :, :16] = SKY
    inverse[:, :, :16] = 0
    return torch.from_numpy(inverse), torch.from_numpy(what), torch.tensor([0.8, 1.2])


def perfect(true: Truth, factor: float = 1.0) -> dict[str, Tensor]:
    """What a network that knows all would say: the truth times any factor."""
    small = torch.full_like(true.inverse, float(np.log(0.01)))
    focal = torch.log(true.focal)[:, None]
    return {"inverse": true.inverse * factor, "sky": (true.sky - 0.5) * 40, "log_error": small, "log_focal": focal}


def test_sky_backdrop_glass_and_mirrors_are_weighed() -> None:
    what = torch.zeros(1, 1, 12, 12, dtype=torch.uint8)
    kinds = {"sky": SKY, "back": BACKDROP, "glass": KINDS.index("glass"), "mirror": KINDS.index("mirror")}
    for row, kind in enumerate(kinds.values()):
        what[..., 2 * row : 2 * row + 2, :8] = kind
    what[..., 8, 0] = SKY  # one pixel of four
    what[..., 10, 0] = BACKDROP
    true = truth(torch.arange(144.0).view(1, 1, 12, 12), what, torch.tensor([1.0]))
    left = {name: [float(m[0, 0, row, 1]) for row in range(5)] for name, m in true._asdict().items() if m.ndim == 4}
    assert left["sure"] == pytest.approx([0, 0, 0.3, 0.3, 1])
    assert left["far"] == pytest.approx([1, 0.3, 0, 0, 0])
    assert left["sky"] == [1, 0, 0, 0, 0]
    assert left["judged"] == [1, 0, 1, 1, 1]
    assert true.sure[0, 0, 4, 0] == true.far[0, 0, 4, 0] == 0  # an edge of the sky is neither
    assert true.sky[0, 0, 4, 0] == 0.25
    assert true.judged[0, 0, 4, 0] == 1
    assert true.judged[0, 0, 5, 0] == 0
    assert true.inverse[0, 0, 0, 0] == 12  # the second nearest of 0, 1, 12, 13: a surface that is really there
    assert true.inverse.shape == (1, 1, 6, 6)


def test_the_perfect_answer_costs_nothing_at_any_scale() -> None:
    true = truth(*example())
    for factor in (0.3, 1.0, 40.0):
        terms = losses(**perfect(true, factor), true=true)
        assert set(terms) == set(TERMS)
        for name, term in terms.items():
            if name == "confidence":  # the least it can be for the least error it counts, 0.01
                assert float(term) == pytest.approx((np.log(0.01) + 1) * float(true.sure.mean()), abs=0.3)
            else:
                assert float(term) == pytest.approx(0, abs=0.02), name


def test_scale_is_free_and_wrong_answers_cost() -> None:
    true = truth(*example())
    guess = torch.rand_like(true.inverse) + 0.2
    answer = perfect(true) | {"inverse": guess}
    ours = losses(**answer, true=true)
    scaled = losses(**(answer | {"inverse": guess * 7}), true=true)
    for name in ours:
        assert float(scaled[name]) == pytest.approx(float(ours[name]), rel=0.03, abs=3e-3), name
    right = losses(**perfect(true), true=true)
    for name in ("shape", "gradient", "linear", "log", "fitted", "confidence"):
        assert float(ours[name]) > float(right[name]) + 0.05, name
    for name, wrong in (("sky", {"sky": -perfect(true)["sky"]}), ("focal", {"log_focal": torch.zeros(2, 1) + 0.7})):
        assert float(losses(**(perfect(true) | wrong), true=true)[name]) > float(right[name]) + 0.2, name


def test_the_best_confidence_is_the_true_error() -> None:
    true = truth(*example())
    answer = perfect(true) | {"inverse": true.inverse * (1 + 0.4 * (torch.rand_like(true.inverse) > 0.5))}
    costs = {}
    for error in (0.01, 0.17, 2.0):
        said = torch.full_like(true.inverse, float(np.log(error)))
        costs[error] = float(losses(**(answer | {"log_error": said}), true=true)["confidence"])
    assert costs[0.17] < costs[0.01]
    assert costs[0.17] < costs[2.0]


def test_pixels_of_unknown_distance_teach_no_distance() -> None:
    """What lies behind glass, at edges of the sky and where hardly anything is known pulls less, or not at all."""
    inverse, what, focal = example()
    edge = what.clone()
    edge[:, :, 48::2] = BACKDROP  # every pixel of the answer below is half backdrop
    true = truth(inverse, edge, focal)
    guess = torch.rand_like(true.inverse).requires_grad_()
    terms = losses(**(perfect(true) | {"inverse": guess}), true=true)
    torch.stack([terms[k] for k in ("linear", "log", "shape", "fitted", "gradient")]).sum().backward()
    assert guess.grad is not None
    assert (guess.grad[:, :, 24:] == 0).all()
    assert (guess.grad[:, :, 9:23] != 0).any()
    few = what.clone()
    few[...] = BACKDROP
    few[:, :, :20] = 0  # 10 × 32 pixels of the answer
    terms = losses(**(perfect(truth(inverse, few, focal))), true=truth(inverse, few, focal))
    assert float(terms["fitted"]) == float(terms["shape"]) == float(terms["linear"]) == 0
