"""Printed texts of a drawing, unread: rows of small pieces of ink that stand side by side."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import Bool

_TALLEST, _SHORTEST = 0.045, 5
"""Letters are at most this share of the long side tall, and at least so many pixels."""
_WIDE = 5.0
"""A piece of a text is at most so many times as wide as it is tall: some letters run into each other."""
_WORD, _STROKES = 1.6, 1.15
"""A piece that is more than so many times as wide as it is tall, and in whose middle rows there are so many strokes for
each of its heights, is a word whose letters run into each other."""
_SPACE = 0.75
"""Letters of a row are at most this share of their height apart, words included."""
_UNEVEN = 2.1
"""The taller of two neighbours is at most so many times the other one: capitals beside small letters."""
_HOLLOW = 0.4
"""Of a ring, at least this share is hollow; of letters less."""
_OVERLAP = 0.45
_LINES = 0.5
"""Rows of one text are at most this share of their height apart."""
_SMALL = 0.3
"""Marks that are smaller than this share of a row's height (dots, accents) belong to it where they touch its box."""


class Text(NamedTuple):
    """One text.

    Attributes:
        box: Left, top, right, bottom, in pixels.
        height: Of its letters.
        pieces: The numbers of its pieces of ink.
    """

    box: tuple[int, int, int, int]
    height: float
    pieces: tuple[int, ...]


class Lettering(NamedTuple):
    """All texts of a drawing.

    Attributes:
        texts: Those in the left half of the picture from top to bottom, then those in the right half.
        mask: (h, w) bool, their ink.
    """

    texts: tuple[Text, ...]
    mask: Bool


def lettering_of(ink: Bool) -> Lettering:
    """Find texts: two letters or more in a row that do not touch what is drawn.

    Args:
        ink: (h, w) bool, lines and letters.
    """
    count, found, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    pieces, boxes = np.asarray(found, np.int32), np.asarray(stats, np.int64)[:, :4].copy()
    boxes[:, 2:] += boxes[:, :2]
    size = boxes[:, 2:] - boxes[:, :2]
    tallest = _TALLEST * max(ink.shape)
    low = (size[:, 1] >= _SHORTEST) & (size[:, 1] <= tallest)
    low[0] = False
    words = [n for n in np.flatnonzero(low & (size[:, 0] > _WORD * size[:, 1])).tolist() if _is_word(pieces, boxes, n)]
    letter = low & (size[:, 0] <= _WIDE * size[:, 1])
    letter[words] = True
    rows = [
        row
        for row in _rows(boxes, np.flatnonzero(letter))
        if not set(words).isdisjoint(row) or (len(row) > 1 and not _all_rings(pieces, boxes, row))
    ]
    texts = _blocks([_text(boxes, row) for row in rows])
    texts.sort(key=lambda text: (text.box[0] + text.box[2] > ink.shape[1], text.box[1]))
    texts = [_with_marks(boxes, text, count) for text in texts]
    table = np.zeros(count, bool)
    table[[n for text in texts for n in text.pieces]] = True
    return Lettering(tuple(texts), table[pieces])


def _rows(boxes: NDArray[np.int64], letters: NDArray[np.int64]) -> list[list[int]]:
    """Letters that stand side by side, joined into rows."""
    root = {int(n): int(n) for n in letters}

    def found(n: int) -> int:
        while root[n] != n:
            root[n] = root[root[n]]
            n = root[n]
        return n

    order = letters[np.argsort(boxes[letters, 0], kind="stable")].tolist()
    for i, one in enumerate(order):
        l1, t1, r1, b1 = boxes[one].tolist()
        for other in order[i + 1 :]:
            l2, t2, _, b2 = boxes[other].tolist()
            low, high = sorted((b1 - t1, b2 - t2))
            if l2 - l1 > 6 * high + (r1 - l1):
                break
            if l2 - r1 > _SPACE * high or high > _UNEVEN * low:
                continue
            if min(b1, b2) - max(t1, t2) >= _OVERLAP * low:
                root[found(other)] = found(one)
    rows: dict[int, list[int]] = {}
    for n in order:
        rows.setdefault(found(n), []).append(n)
    return list(rows.values())


def _is_word(pieces: NDArray[np.int32], boxes: NDArray[np.int64], n: int) -> bool:
    """Whether a piece of ink is a word whose letters have run into each other."""
    left, top, right, bottom = boxes[n].tolist()
    h = bottom - top
    middle = pieces[top + h // 4 : bottom - h // 4, left:right] == n
    strokes = (middle[:, 1:] & ~middle[:, :-1]).sum(axis=1) + middle[:, 0]
    return float(strokes.mean()) >= max(3.5, _STROKES * (right - left) / h)


def _all_rings(pieces: NDArray[np.int32], boxes: NDArray[np.int64], row: list[int]) -> bool:
    """Whether all pieces of a row are closed rings: small bodies side by side rather than letters."""
    for n in row:
        left, top, right, bottom = boxes[n].tolist()
        own = np.pad(pieces[top:bottom, left:right] == n, 1)
        _, found = cv2.connectedComponents((~own).astype(np.uint8), connectivity=4)
        around = np.asarray(found, np.int32)
        hollow = ~own & (around != around[0, 0])
        if hollow.sum() < _HOLLOW * (hollow.sum() + own.sum()):
            return False
    return True


def _text(boxes: NDArray[np.int64], row: list[int]) -> Text:
    own = boxes[row]
    box = (int(own[:, 0].min()), int(own[:, 1].min()), int(own[:, 2].max()), int(own[:, 3].max()))
    return Text(box, float(np.quantile(own[:, 3] - own[:, 1], 0.75)), tuple(row))


def _blocks(texts: list[Text]) -> list[Text]:
    """Rows that stand under each other, joined into one text."""
    out: list[Text] = []
    for text in sorted(texts, key=lambda t: t.box[1]):
        for k, above in enumerate(out):
            near = text.box[1] - above.box[3] < _LINES * min(text.height, above.height)
            wide = min(text.box[2], above.box[2]) - max(text.box[0], above.box[0])
            beside = wide > 0.3 * min(text.box[2] - text.box[0], above.box[2] - above.box[0])
            if near and beside and max(text.height, above.height) < 1.6 * min(text.height, above.height):
                out[k] = _joined(above, text)
                break
        else:
            out.append(text)
    return out


def _joined(one: Text, other: Text) -> Text:
    a, b = one.box, other.box
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    return Text(box, max(one.height, other.height), (*one.pieces, *other.pieces))


def _with_marks(boxes: NDArray[np.int64], text: Text, count: int) -> Text:
    """A text with its dots and accents."""
    reach = _SMALL * text.height
    left, top, right, bottom = text.box
    small = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) <= 0.5 * text.height
    near = (boxes[:, 0] >= left - reach) & (boxes[:, 2] <= right + 1.5 * reach)
    near &= (boxes[:, 1] >= top - reach) & (boxes[:, 3] <= bottom + reach)
    own = set(text.pieces)
    more = [n for n in np.flatnonzero(small & near).tolist() if n not in own and 0 < n < count]
    return text._replace(pieces=(*text.pieces, *more))
