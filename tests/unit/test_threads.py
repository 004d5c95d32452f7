"""``--threads`` reaches every network that a recipe opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from skimage import data

from unflat.errors import InputError
from unflat.models import behind, forecast, sessions
from unflat.models.depth import worlds
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.stages.build_layers import LayerOptions
from unflat.stages.estimate_depth import DepthOptions
from unflat.types import Image

OURS = (worlds, forecast, behind)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads of each session that is opened from now on."""
    numbers: list[int] = []
    make = sessions._options

    def noted(threads: int) -> Any:
        options = make(threads)
        numbers.append(options.intra_op_num_threads)
        return options

    monkeypatch.setattr(sessions, "_options", noted)
    for network in OURS:
        network._session.cache_clear()
    return numbers


def test_one_word_tells_all_networks(opened: list[int], tmp_path: Path) -> None:
    words = {"threads": 1, "detail": 256, "familiar": False, "keep_frame": True}
    result = photo(Image(data.coffee()[::2, ::2].copy()), from_keywords(PhotoOptions(), words))
    assert result.layers.hidden.on.any()
    result.save_eye("right", tmp_path / "right.png")
    assert opened == [1] * len(OURS)


@pytest.mark.parametrize("options", [DepthOptions, LayerOptions])
@pytest.mark.parametrize("number", [-1, 1025])
def test_what_is_no_number_of_threads_is_refused(options: Any, number: int) -> None:
    with pytest.raises(InputError, match="--threads"):
        options(threads=number)
