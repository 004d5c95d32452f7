"""How far a prediction is from the truth. All maps (n, 1, h, w); inverse depth up to a factor, zero is infinity.

The scale-and-shift-free term and its gradients at several scales are Ranftl et al., "MiDaS", TPAMI 2022; the fit by
least squares before comparing is the protocol of the evaluation itself; an error that is learnt beside the answer is
Kendall and Gal, NeurIPS 2017, here for absolute differences.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from training.worlds.sample import BACKDROP, SKY
from training.worlds.surface import GLASS, MIRROR

TERMS = {
    "shape": 1.0,
    "gradient": 0.3,
    "linear": 0.5,
    "log": 0.3,
    "fitted": 0.5,
    "sky": 0.3,
    "confidence": 0.1,
    "focal": 0.1,
}
"""How much each term of `losses` counts."""
FLAT = 0.05
"""A mean deviation of this share of the mean counts half."""
ENOUGH = 400
"""A picture with fewer pixels of known distance says nothing about depth."""


class Truth(NamedTuple):
    """What a prediction is compared with.

    inverse: inverse depth. sure: weight of a pixel whose distance is known. far: weight of sky and backdrop, whose
    inverse depth is zero. sky: share of sky. judged: weight of the answer about sky. focal (n,): over the long side.
    """

    inverse: Tensor
    sure: Tensor
    far: Tensor
    sky: Tensor
    judged: Tensor
    focal: Tensor


def truth(inverse: Tensor, what: Tensor, focal: Tensor) -> Truth:
    """The truth at half the input's size, where the network answers.

    inverse (n, 1, h, w); what (n, 1, h, w): see `worlds.sample`; focal (n,). Of four pixels the second nearest counts,
    for the mean across an outline lies on neither surface. A pixel that is partly sky or backdrop is neither sure nor
    far; glass and mirrors, whose distance is their surface's, count less, and so does a backdrop.
    """
    sky, back, glass, mirror = (F.avg_pool2d((what == k).float(), 2) for k in (SKY, BACKDROP, GLASS, MIRROR))
    sure = (sky + back == 0).float() * (1 - 0.7 * (glass + mirror))
    far = (sky + back == 1).float() * (1 - 0.7 * back)
    second = F.pixel_unshuffle(inverse, 2).topk(2, dim=1).values[:, 1:]
    return Truth(second, sure, far, sky, (back == 0).float(), focal)


def _mean(x: Tensor, w: Tensor) -> Tensor:
    """(n,) weighted mean of each picture."""
    return (x * w).sum((1, 2, 3)) / (w.sum((1, 2, 3)) + 1)


def _standard(x: Tensor, w: Tensor) -> Tensor:
    """Without its mean, over its mean deviation; less so where that is small, or a bare wall would shout loudest."""
    middle = _mean(x, w).view(-1, 1, 1, 1)
    deviation = _mean((x - middle).abs(), w).view(-1, 1, 1, 1)
    return (x - middle) / (deviation + FLAT * middle.abs() + 1e-3)


def _gradients(difference: Tensor, w: Tensor) -> Tensor:
    """How much a difference changes between neighbours, at four scales."""
    total = difference.new_zeros(())
    for step in (1, 2, 4, 8):
        d, k = difference[:, :, ::step, ::step], w[:, :, ::step, ::step]
        total = total + ((d[..., 1:] - d[..., :-1]).abs() * k[..., 1:] * k[..., :-1]).mean()
        total = total + ((d[:, :, 1:] - d[:, :, :-1]).abs() * k[:, :, 1:] * k[:, :, :-1]).mean()
    return total


def _fitted(p: Tensor, t: Tensor, w: Tensor) -> Tensor:
    """`p` after the scale and shift that bring it closest to `t` in squares."""
    pm, tm = _mean(p, w).view(-1, 1, 1, 1), _mean(t, w).view(-1, 1, 1, 1)
    a = _mean((p - pm) * (t - tm), w) / (_mean((p - pm) ** 2, w) + 1e-4)
    a = a.clamp(0.05, 20).view(-1, 1, 1, 1)
    return (p - pm) * a + tm


def losses(inverse: Tensor, sky: Tensor, log_error: Tensor, log_focal: Tensor, true: Truth) -> dict[str, Tensor]:
    """Each term by name; `TERMS` weighs them.

    inverse, sky (a logit) and log_error are maps of the network, log_focal (n, 1). A factor on inverse changes
    nothing (but for small constants), for nobody can know it from a picture; a shift is forgiven by some terms only.
    """
    enough = (true.sure.sum((1, 2, 3), keepdim=True) > ENOUGH).float()
    sure, both = true.sure * enough, (true.sure + true.far) * enough
    pm = _mean(inverse, true.sure).view(-1, 1, 1, 1) + 1e-3
    tm = _mean(true.inverse, true.sure).view(-1, 1, 1, 1) + 1e-3
    p, t = inverse / pm, (true.inverse / tm).clamp(max=8)
    pn, tn = _standard(p, both), _standard(t, both)
    fitted = _fitted(p, t, true.sure).clamp(min=0.01)
    error = (torch.log((p + 0.005) / (t + 0.005)).abs().clamp(max=2)).detach() + 0.01
    return {
        "shape": ((pn - tn).abs().clamp(max=6) * both).mean(),
        "gradient": _gradients(pn - tn, both),
        "linear": ((p - t).abs().clamp(max=4) * both).mean(),
        "log": ((torch.log(p + 0.05) - torch.log(t + 0.05)).abs() * both).mean(),
        "fitted": ((torch.log(fitted) - torch.log(t.clamp(min=0.01))).abs().clamp(max=1.5) * sure).mean(),
        "sky": (F.binary_cross_entropy_with_logits(sky, true.sky, reduction="none") * true.judged).mean(),
        "confidence": ((error * torch.exp(-log_error) + log_error) * (sure > 0)).mean(),  # glass and mirrors in full
        "focal": (log_focal[:, 0] - torch.log(true.focal)).abs().mean(),
    }
