"""What a result is called: AI-generated where a trained network took part, and nowhere else."""

from __future__ import annotations

import pytest

from unflat.formats.provenance_text import to_plain
from unflat.trust.label import AI_LABEL, COMPUTED_LABEL, SCHEME, label_text, source_type
from unflat.types.provenance import Provenance, Source, Step

ONE = (Source("a.jpg", None, "jpeg"),)


def story(*steps: Step, sources: tuple[Source, ...] = ONE) -> Provenance:
    return Provenance(sources, steps, "1", False)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (story(Step("depth", "worlds", "Apache-2.0")), "compositeWithTrainedAlgorithmicMedia"),
        (story(Step("fuse_frames"), Step("learned depth", "w", "X")), "compositeWithTrainedAlgorithmicMedia"),
        (story(Step("depth", "mine", None, (("weights_sha256", "ab"),))), "compositeWithTrainedAlgorithmicMedia"),
        (story(Step("track_cameras"), Step("fuse_frames"), sources=ONE * 3), "computationalCapture"),
        (story(Step("segment"), Step("surface")), "dataDrivenMedia"),
        (story(Step("judge_style"), Step("inflate_diagram")), "algorithmicMedia"),
        (story(Step("depth", "depth in a.jpg")), "algorithmicallyEnhanced"),
        (story(Step("make_stereo"), sources=ONE * 2), "compositeCapture"),
    ],
)
def test_source_type_and_label(told: Provenance, word: str) -> None:
    assert source_type(told) == SCHEME + word
    assert label_text(told) == (AI_LABEL if "Trained" in word else COMPUTED_LABEL)
    plain = to_plain(told)
    assert (plain["label"], plain["source_type"]) == (label_text(told), source_type(told))


def test_a_ramp_is_no_network() -> None:
    assert label_text(story(Step("depth", "ramp", "Apache-2.0"))) == COMPUTED_LABEL
