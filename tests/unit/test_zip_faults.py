"""Whatever ``zipfile`` raises on archives that were tampered with is in the one list of its faults."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from unflat.errors import InputError
from unflat.formats.threemf import read
from unflat.formats.usdz_archive import unpack
from unflat.formats.zip_faults import ZIP_FAULTS


def archive(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name in ("_rels/.rels", "3D/3dmodel.model", "a.usda"):
            made.writestr(name, b"<x>" * 40)
    return out.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_nothing_else_is_ever_raised(tmp_path: Path, method: int) -> None:
    whole, seen = archive(method), set[str]()
    for seed in range(1500):
        dice, spoilt = random.Random(seed), bytearray(archive(method))
        for _ in range(dice.randint(1, 6)):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        try:
            with zipfile.ZipFile(io.BytesIO(bytes(spoilt[: dice.choice((None, len(whole) - 9))]))) as opened:
                for entry in opened.infolist():
                    if entry.file_size < 1 << 20:
                        opened.read(entry)
        except (OSError, *ZIP_FAULTS) as error:
            seen.add(type(error).__name__)
        if seed < 200:
            path = tmp_path / "a.zip"
            path.write_bytes(spoilt)
            for reader in (read, unpack):
                try:
                    reader(path)
                except InputError as error:
                    assert "a.zip" in str(error) or "damaged" in str(error), seed
    assert {"BadZipFile", "NotImplementedError"} <= seen
