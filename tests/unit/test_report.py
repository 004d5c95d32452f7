"""Seconds by stage: what a stage within another takes is counted once, as the inner one's."""

from __future__ import annotations

import pytest

from unflat.pipelines import report
from unflat.pipelines.report import Clock


def test_a_stage_within_another_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(report.time, "perf_counter", lambda: now[0])
    told: list[str] = []
    clock = Clock(told.append)
    with clock.stage("film"):
        now[0] += 1
        with clock.stage("surface"):
            now[0] += 2
            with clock.stage("layers"):
                now[0] += 4
        now[0] += 8
        with pytest.raises(KeyError), clock.stage("layers"):
            now[0] += 16
            raise KeyError
    with clock.stage("film"):
        now[0] += 32
    assert clock.seconds == {"layers": 20, "surface": 2, "film": 41}
    assert sum(clock.seconds.values()) == now[0]
    assert told == ["film", "surface", "layers", "layers", "film"]
