"""The depth that a web page carries, so that it can be mended by hand in the viewer and taken back.

Two elements of plain text: the words of a depth sidecar, and the codes they speak of, packed and in base64. What the
viewer saves is a 16-bit PNG with these same words inside, which ``--depth FILE`` reads like any other depth of ours.
"""

from __future__ import annotations

import base64

from unflat.errors import InputError
from unflat.formats import depth_sidecar
from unflat.formats.depth_codes import coding_to_edit
from unflat.formats.packed_codes import packed, unpacked
from unflat.types.depth import DepthMap

_NOTE = '<script type="text/plain" id="depth-note">'
_CODES = '<script type="text/plain" id="depth-codes">'
_END = "</script>"


def depth_block(depth: DepthMap) -> str:
    """The elements of a page that carry ``depth``; "" where there is nothing in it that a hand could move."""
    if not depth.kind.is_depth or not depth.surface.any():
        return ""
    coding = coding_to_edit(depth)
    # In a script element only "<" could end it; in JSON it stands in texts alone, where it can be written otherwise.
    words = depth_sidecar.dump(depth, "depth.png", coding).replace("<", "\\u003c")
    codes = base64.b64encode(packed(coding.encode(depth))).decode("ascii")
    return f"{_NOTE}{words}{_END}\n{_CODES}{codes}{_END}\n"


def depth_in(page: bytes, name: str) -> DepthMap | None:
    """The depth inside a page of ours; None if it carries none.

    Args:
        page: The whole page.
        name: What it is called, for errors.

    Raises:
        InputError: The depth is damaged.
    """
    words, codes = _text_of(page, _NOTE), _text_of(page, _CODES)
    if words is None or codes is None:
        return None
    said = depth_sidecar.parse(words, f"the depth inside {name}")
    if said is None or said.coding is None:
        raise InputError(f"the depth inside {name} is damaged")
    try:
        numbers = unpacked(base64.b64decode(codes, validate=True), said.size)
    except ValueError as error:
        raise InputError(f"the depth inside {name} is damaged") from error
    return said.told(*said.coding.decode(numbers))


def _text_of(page: bytes, mark: str) -> bytes | None:
    start = page.find(mark.encode())
    end = page.find(_END.encode(), start)
    return None if start < 0 or end < 0 else page[start + len(mark) : end]
