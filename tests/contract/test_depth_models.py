"""Every model of the table keeps the same contract."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from unflat.errors import InputError, WeightsError
from unflat.models.card import ModelCard
from unflat.models.depth.worlds import LONG_SIDE
from unflat.models.looking import input_size
from unflat.models.registry import cards, depth_model
from unflat.models.weights import CARDS, weights_path
from unflat.types import Size

NAMES = [card.name for card in cards()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(64, 96, 3), (96, 64, 3), (16, 400, 3), (33, 47, 3)])
def test_a_model_takes_any_shape_and_gives_finite_numbers(name: str, shape: tuple[int, int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    seen = depth_model(name, threads=1).predict(rgb)
    assert np.isfinite(seen.values).all() and (seen.values >= 0).all()
    for probability in (seen.sky, seen.confidence):
        assert probability is None or ((probability >= 0) & (probability <= 1)).all()
    assert seen.focal_over_long_side is None or 0.1 < seen.focal_over_long_side < 20


@pytest.mark.parametrize("name", NAMES)
def test_a_model_gives_the_same_twice_and_keeps_its_card(name: str) -> None:
    model = depth_model(name, threads=1)
    rgb = skimage.data.chelsea()
    assert np.array_equal(model.predict(rgb).values, model.predict(rgb).values)
    card = model.card
    assert card.name == name and card.licence and card.source and card.summary
    assert model.predict(rgb).kind is card.kind
    assert ("sky" in card.gives) == (model.predict(rgb).sky is not None)


def test_the_shipped_weights_are_those_of_the_card_and_small() -> None:
    card = CARDS["worlds"]
    assert weights_path(card).stat().st_size == card.bytes <= 25_000_000
    assert card.licence == "Apache-2.0" and card.commercial


def test_damaged_weights_are_refused() -> None:
    card = CARDS["worlds"]
    other = ModelCard("x", "x", card.kind, "x", True, "x", file=card.file, sha256="0" * 64)
    with pytest.raises(WeightsError, match="damaged") as caught:
        weights_path(other)
    assert caught.value.exit_code == 5
    with pytest.raises(WeightsError, match="missing"):
        weights_path(ModelCard("x", "x", card.kind, "x", True, "x", file="no.onnx"))


def test_the_network_sees_more_than_the_ramp() -> None:
    """The astronaut stands before the wall, which no formula knows."""
    seen = depth_model("worlds").predict(skimage.data.astronaut())
    height, width = seen.values.shape

    def at(x: float, y: float) -> float:
        return float(
            np.median(
                seen.values[
                    int((y - 0.03) * height) : int((y + 0.03) * height), int(x * width) - 3 : int(x * width) + 3
                ]
            )
        )

    assert at(0.43, 0.22) > 1.3 * at(0.65, 0.10)


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="no depth model 'x'") as caught:
        depth_model("x")
    assert "worlds" in caught.value.hint


@pytest.mark.parametrize(
    ("size", "wanted"), [((4000, 3000), (384, 288)), ((300, 400), (288, 384)), ((9000, 100), (384, 96))]
)
def test_the_network_looks_at_multiples_of_32(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert input_size(Size(*size), 384) == Size(*wanted)
    for side in input_size(Size(*size), LONG_SIDE).shape:
        assert side % 32 == 0
