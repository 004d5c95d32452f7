"""Changing the index of a film moves its media; every sample is found again, what is damaged is refused in words."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mp4_parts import HEAD, KIND, box, chunks, found, parts, track
from unflat.errors import InputError
from unflat.formats import mp4_edit
from unflat.formats.boxes import Box, read_index
from unflat.formats.mp4_edit import Patch, edit_film
from unflat.formats.mp4_samples import put_before, samples_of

Recipe = tuple[list[tuple[int, int, bool]], list[str], int]
"""(samples, samples a chunk, wide) of each track; the order of boxes around the media; a seed."""

FILLERS = ["free", "large-free", "uuid", "skip"]
recipes = some.tuples(
    some.lists(some.tuples(some.integers(1, 9), some.integers(1, 4), some.booleans()), min_size=1, max_size=3),
    some.lists(some.sampled_from(["moov", "mdat", "large-mdat", *FILLERS]), max_size=7),
    some.integers(0, 99),
)


def made(recipe: Recipe, open_end: bool = False) -> bytes:
    """A film: its index stands where the order says (or first), its chunks are dealt over its boxes of media."""
    tracks, order, seed = recipe
    dice = random.Random(seed)
    order = [name for i, name in enumerate(order) if name != "moov" or "moov" not in order[:i]]
    order = order if "moov" in order else ["moov", *order]
    order = order if any("mdat" in name for name in order) else [*order, "mdat"]
    samples = [[dice.randbytes(dice.randint(1, 20)) for _ in range(count)] for count, _, _ in tracks]
    queue = [(t, i) for t, (count, each, _) in enumerate(tracks) for i in range(0, count, each)]
    homes = {one: dice.choice([i for i, name in enumerate(order) if "mdat" in name]) for one in queue}
    offsets: dict[tuple[int, int], int] = dict.fromkeys(queue, 0)
    for _ in range(2):  # the second time the length of the index is known
        index = HEAD
        for t, (count, each, wide) in enumerate(tracks):
            places = [offsets[t, i] for i in range(0, count, each)]
            index += track(samples[t], places, each, wide=wide, pictures=t == 0)
        data = KIND
        for i, name in enumerate(order):
            if name == "moov":
                data += box(b"moov", index)
            elif "mdat" in name:
                large, last = "large" in name, open_end and i == len(order) - 1
                body, at = b"", len(data) + (16 if large and not last else 8)
                for t, first in (one for one in queue if homes[one] == i):
                    body += b"\xaa"
                    offsets[t, first] = at + len(body)
                    body += b"".join(samples[t][first : first + tracks[t][1]])
                data += box(b"mdat", body, large=large, open_end=last)
            else:
                kind = b"free" if "free" in name else name.encode()
                data += box(kind, b"\x11" * 21, large="large" in name)
    return data


def longer(index: Box, path: Path) -> list[Patch]:
    """A change that makes the index longer."""
    assert index.inner is not None
    index.inner.append(Box(b"udta", b"", [Box(b"name", path.name.encode() * 9)]))
    return []


def written(folder: Path, data: bytes) -> Path:
    path = folder / "f.mp4"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@settings(deadline=None, max_examples=80)
@given(recipes, some.booleans())
def test_all_samples_are_found_again_and_nothing_else_changes(folder: Path, recipe: Recipe, open_end: bool) -> None:
    before = made(recipe, open_end)
    samples = chunks(before)
    path = written(folder, before)
    edit_film(path, longer)
    after = path.read_bytes()
    assert chunks(after) == samples
    tops = [part for part in parts(after) if "/" not in part.path]
    names = [part.path for part in tops]
    assert "mdat" not in names[: names.index("moov")], "the index stands before the media"
    old = [(p.path, p.content) for p in parts(before) if "/" not in p.path and p.path != "moov"]
    assert [(p.path, p.content) for p in tops if p.path != "moov"] == old
    edit_film(path, lambda index, _: [])
    assert path.read_bytes() == after, "an edit that changes nothing changes nothing"
    assert sorted(p.name for p in folder.iterdir()) == ["f.mp4"]


@settings(deadline=None, max_examples=30)
@given(recipes, some.booleans())
def test_places_become_wide_where_they_must(folder: Path, recipe: Recipe, open_end: bool) -> None:
    """As at 4 GB, only sooner."""
    before = made(recipe, open_end)
    path = written(folder, before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mp4_edit, "_MOST_32", 700)
        edit_film(path, longer)
    after = path.read_bytes()
    assert chunks(after) == chunks(before)
    tables = [part for part in parts(after) if part.path.endswith("/stco")]
    for part in tables:
        assert max(struct.unpack_from(f">{(len(part.content) - 8) // 4}I", part.content, 8)) <= 700


@settings(deadline=None, max_examples=60)
@given(recipes, some.booleans(), some.data())
def test_what_is_put_before_samples_is_in_them_and_all_others_stay(
    folder: Path, recipe: Recipe, open_end: bool, data: some.DataObject
) -> None:
    before = made(recipe, open_end)
    samples = chunks(before)
    chosen = [sorted(data.draw(some.sets(some.integers(0, len(one) - 1)))) for one in samples]
    path = written(folder, before)

    def change(index: Box, film: Path) -> list[Patch]:
        longer(index, film)
        tracks = index.all(b"trak")
        return [
            patch
            for track, numbers in zip(tracks, chosen, strict=True)
            for patch in put_before(
                track, samples_of(track, "f"), np.array(numbers, np.int64), b"<new>", [0] * len(numbers)
            )
        ]

    edit_film(path, change)
    wanted = [
        [b"<new>" * (i in numbers) + one for i, one in enumerate(old)]
        for old, numbers in zip(samples, chosen, strict=True)
    ]
    assert chunks(path.read_bytes()) == wanted


PLAIN: Recipe = ([(5, 2, False), (4, 4, True)], ["mdat", "free", "moov"], 1)


def refused(path: Path) -> str:
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        edit_film(path, longer)
    assert path.read_bytes() == before and caught.value.hint
    assert [p.name for p in path.parent.iterdir()] == [path.name], "no draft stays behind"
    return str(caught.value)


@pytest.mark.parametrize("extra", [box(b"moof", b""), box(b"sidx", bytes(20)), box(b"mfra", b"")])
def test_fragments_are_refused(tmp_path: Path, extra: bytes) -> None:
    assert "fragments" in refused(written(tmp_path, made(PLAIN) + extra))


def test_an_index_that_announces_fragments_is_refused(tmp_path: Path) -> None:
    data = made(PLAIN)
    index = found(data, "moov")[0]
    at = data.index(b"moov") - 4
    data = data[:at] + box(b"moov", index + box(b"mvex", box(b"trex", bytes(24))))
    assert "fragments" in refused(written(tmp_path, data))


def test_two_indices_items_and_places_outside_are_refused(tmp_path: Path) -> None:
    data = made(PLAIN)
    index = box(b"moov", found(data, "moov")[0])
    assert "several" in refused(written(tmp_path, data + index))
    assert "pictures" in refused(written(tmp_path, data + box(b"meta", bytes(4))))
    table = data.index(b"stco") + 12
    wrong = data[:table] + struct.pack(">I", len(data) + 99) + data[table + 4 :]
    assert "points outside" in refused(written(tmp_path, wrong))
    count = data.index(b"stco") + 8
    wrong = data[:count] + b"\xff\xff\xff\xff" + data[count + 4 :]
    assert "too short" in refused(written(tmp_path, wrong))


def test_media_in_another_file_keep_their_places(tmp_path: Path) -> None:
    data = made(([(5, 2, False)], ["mdat", "moov"], 1)).replace(box(b"url ", bytes(3) + b"\1"), box(b"url ", bytes(4)))
    path = written(tmp_path, data)
    edit_film(path, longer)
    assert found(path.read_bytes(), "moov/trak/mdia/minf/stbl/stco") == found(data, "moov/trak/mdia/minf/stbl/stco")


def test_deep_and_crowded_indices_end_in_words(tmp_path: Path) -> None:
    deep = b""
    for _ in range(4000):
        deep = box(b"trak", deep)
    path = written(tmp_path, KIND + box(b"moov", deep))
    assert read_index(path).kind == b"moov", "what is too deep is left closed"
    path = written(tmp_path, KIND + box(b"moov", box(b"free") * 30_000))
    with pytest.raises(InputError, match="more boxes"):
        read_index(path)
    path = written(tmp_path, KIND + box(b"free") * 110_000)
    with pytest.raises(InputError, match="more parts"):
        read_index(path)


@pytest.mark.parametrize("inner", [struct.pack(">I", 5), struct.pack(">I", 7), struct.pack(">I4sQ", 1, b"free", 0)])
def test_boxes_shorter_than_their_heads_are_refused(tmp_path: Path, inner: bytes) -> None:
    path = written(tmp_path, KIND + box(b"moov", HEAD + inner + b"free" * 4))
    with pytest.raises(InputError, match="ends outside of 'moov'"):
        read_index(path)


def test_cut_and_spoilt_films_are_refused_or_read(tmp_path: Path) -> None:
    """Whatever happens to the bytes: a film that is whole afterwards, or one clear error and the file as it was."""
    for front in (True, False):
        data = made((PLAIN[0], ["moov", "mdat"] if front else ["mdat", "moov"], 3))
        for cut in range(1, len(data), 37):
            message = refused(written(tmp_path, data[:cut]))
            assert "index" in message or "damaged" in message
    for seed in range(300):
        dice, spoilt = random.Random(seed), bytearray(data)
        for _ in range(dice.randint(1, 6)):
            spoilt[dice.randrange(len(data))] = dice.choice([0, 1, 255, dice.randrange(256)])
        path = written(tmp_path, bytes(spoilt))
        try:
            edit_film(path, longer)
        except InputError as error:
            assert error.hint and path.read_bytes() == bytes(spoilt)
        assert [p.name for p in tmp_path.iterdir()] == ["f.mp4"]


def test_a_change_that_fails_leaves_the_film_alone(tmp_path: Path) -> None:
    path = written(tmp_path, made(PLAIN))

    def fails(index: Box, film: Path) -> list[Patch]:
        raise InputError("no", hint="never")

    before = path.read_bytes()
    with pytest.raises(InputError, match="no"):
        edit_film(path, fails)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
