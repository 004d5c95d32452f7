"""Our own network with random weights, for the tests that need torch: as after training, but made in no time."""

from __future__ import annotations

import pytest
import torch
from training.network import Worlds

# For tests that export: torch warns that this exporter is the older one, and of what it takes for constant.
exporter = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")


def random_network(seed: int = 0) -> Worlds:
    """Weights that are nowhere equal and nowhere nothing, as after training; answers of a usual size."""
    generator = torch.Generator().manual_seed(seed)
    network = Worlds()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith(("running_mean", "bias")):
                value.copy_(0.1 * torch.randn(value.shape, generator=generator))
            elif name.endswith("running_var") or (value.ndim == 1 and value.is_floating_point()):
                value.copy_(0.8 + 0.4 * torch.rand(value.shape, generator=generator))
            elif "context" in name and value.ndim > 1:
                value.copy_(0.03 * torch.randn(value.shape, generator=generator))
    return network.eval()
