"""Words that ``unflat stereo`` refuses before any work: two lines, an exit code, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unflat.cli.main import run


def left_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small picture, an empty one, a text of such a name and one that is cut short."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    Image.fromarray(noise).save("small.jpg", quality=92)
    Path("empty.jpg").write_bytes(b"")
    Path("text.jpg").write_bytes(b"not a picture at all\n" * 9)
    Path("cut.jpg").write_bytes(Path("small.jpg").read_bytes()[:700])
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["none.jpg"], 2),
        (["."], 2),
        (["small.jpg", "--layout", "sideways"], 2),
        (["small.jpg", "--layout", "mpo", "-o", "a.png"], 2),
        (["small.jpg", "--layout", "half-sbs", "-o", "a.heic"], 2),
        (["small.jpg", "-o", "a.glb"], 2),
        (["small.jpg", "--strength", "0"], 2),
        (["small.jpg", "--quality", "0"], 2),
        (["small.jpg", "--sphere-size", "9"], 2),
        (["small.jpg", "--eye", "right", "--swap"], 2),
        (["small.jpg", "-o", "a.png", "-o", "a.png"], 2),
        (["small.jpg", "small.jpg"], 2),
        (["small.jpg", "small.jpg", "-o", "a.png"], 2),
        (["small.jpg", "-o", "no/such/a.png"], 9),
        (["small.jpg", "-o", "small.jpg"], 9),
        (["small.jpg", "-o", "small.jpg", "--force"], 9),
        (["empty.jpg"], 2),
        (["text.jpg"], 2),
        (["cut.jpg"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else f"exit {value}",
)
def test_what_cannot_be_done_is_two_lines(
    here: Path, words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = left_in(here)
    assert run(["stereo", *words]) == code
    said = capsys.readouterr()
    lines = said.err.strip().splitlines()
    assert said.out == "" and len(lines) == 2
    assert lines[0].startswith("error: ") and lines[1].startswith("hint: ")
    assert left_in(here) == before
