"""Work on all cores: every entry once, in order where order is asked for, no further ahead than said, errors seen."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Generator, Iterator

import numpy as np
import pytest

from unflat.geometry import bands
from unflat.geometry.bands import ahead, in_bands, side_by_side


@pytest.fixture(autouse=True)
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "cores", lambda: 3)


@pytest.mark.parametrize("length", [0, 1, 9, 10, 29, 30, 1000])
@pytest.mark.parametrize("most", [None, 1, 5])
def test_every_entry_is_worked_on_once(length: int, most: int | None) -> None:
    count, spans = np.zeros(length, int), list[tuple[int, int]]()

    def work(start: int, stop: int) -> None:
        count[start:stop] += 1
        spans.append((start, stop))

    in_bands(work, length, 10, most)
    assert (count == 1).all()
    assert len(spans) == (0 if not length else max(1, min(most or 3, length // 10)))


@pytest.mark.parametrize("bad", [0, 99])
def test_an_error_in_a_band_is_raised_after_all_have_ended(bad: int) -> None:
    done = set[int]()

    def work(start: int, stop: int) -> None:
        if start <= bad < stop:
            raise ValueError("bad")
        done.add(start)

    with pytest.raises(ValueError, match="bad"):
        in_bands(work, 100, 10)
    assert len(done) == 2


def test_results_come_in_order_and_the_stream_is_not_read_far_ahead() -> None:
    taken, released = list[int](), threading.Event()

    def items() -> Iterator[int]:
        for i in range(50):
            taken.append(i)
            yield i

    def work(i: int) -> int:
        if i == 0:
            released.wait(10)
        else:
            released.set()
        return i * i

    seen = list[int]()
    for value in side_by_side(work, items()):
        assert len(taken) <= len(seen) + 4
        seen.append(value)
    assert seen == [i * i for i in range(50)]


def test_work_on_a_stream_may_work_in_bands() -> None:
    def work(i: int) -> int:
        out = np.zeros(300, int)

        def fill(start: int, stop: int) -> None:
            out[start:stop] = i

        in_bands(fill, 300, 10)
        return int(out.sum())

    assert list(side_by_side(work, range(40))) == [300 * i for i in range(40)]


def test_an_error_ends_the_stream_and_a_stream_may_be_left() -> None:
    worked = list[int]()

    def work(i: int) -> int:
        worked.append(i)
        if i == 5:
            raise ValueError("five")
        return i

    with pytest.raises(ValueError, match="five"):
        for value in side_by_side(work, range(1000)):
            assert value < 5
    assert len(worked) < 20
    stream = side_by_side(lambda i: i, range(1000))
    assert next(stream) == 0
    stream.close()


def _worked() -> bool:
    out = np.zeros(100, int)

    def fill(start: int, stop: int) -> None:
        out[start:stop] = 1

    in_bands(fill, 100, 10, 3)
    return bool(out.all())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own() -> None:
    assert _worked()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(_worked).get(timeout=20)


def test_no_more_are_worked_on_at_once_than_asked() -> None:
    taken = list[int]()

    def items() -> Iterator[int]:
        for i in range(20):
            taken.append(i)
            yield i

    for seen, value in enumerate(side_by_side(lambda i: i, items(), 1)):
        assert value == seen and len(taken) <= seen + 2


def test_a_station_works_ahead_in_a_thread_of_its_own_and_no_further_than_told() -> None:
    made = list[int]()
    threads = set[int]()
    waiting = threading.Event()

    def make() -> Generator[int]:
        for i in range(20):
            made.append(i)
            threads.add(threading.get_ident())
            if len(made) == 4:
                waiting.set()
            yield i

    stream = ahead(make(), 2)
    assert next(stream) == 0
    assert waiting.wait(5)  # one handed over, two wait, one is in the making
    assert made == [0, 1, 2, 3]
    assert list(stream) == list(range(1, 20))
    assert threads and threading.get_ident() not in threads


def test_an_error_in_a_station_comes_after_what_was_made_before_it() -> None:
    def make() -> Generator[int]:
        yield 1
        raise ValueError("third frame")

    got = list[int]()
    with pytest.raises(ValueError, match="third frame"):
        for item in ahead(make()):
            got.append(item)
    assert got == [1]


def test_a_line_that_is_left_closes_all_its_stations() -> None:
    closed = list[str]()

    def make() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append("first")

    def pass_on(items: Generator[int]) -> Generator[int]:
        try:
            yield from items
        finally:
            items.close()
            closed.append("second")

    before = threading.active_count()
    line = ahead(pass_on(ahead(make())))
    assert next(line) == 1
    line.close()
    assert closed == ["first", "second"]
    assert threading.active_count() == before
