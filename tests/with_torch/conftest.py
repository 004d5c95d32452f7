"""What several tests that need torch stand on; torch is imported only when one of them runs."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def repeatable() -> None:
    """The same random numbers on the same count of threads, in every test."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One network of every family, saved to disk."""
    from family_nets import MAKERS, saved

    root = tmp_path_factory.mktemp("nets")
    return {name: saved(root / name, make(), told) for name, (make, told, _) in MAKERS.items()}
