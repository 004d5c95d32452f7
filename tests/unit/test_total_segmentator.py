"""The program from outside: what it is given, what is made of its answer, and what is said when it fails."""

import os
import stat
import sys
import textwrap

import numpy as np
import pytest

from bodies import trunk
from unflat import volume
from unflat.errors import InputError, MissingExtraError, WeightsError
from unflat.models import total_segmentator

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")

STAND_IN = """\
    #!{python}
    import gzip, sys, struct
    words = sys.argv[1:]
    scan, out = words[words.index("-i") + 1], words[words.index("-o") + 1]
    open({log!r}, "w").write(" ".join(words))
    data = bytearray(gzip.open(scan).read())
    assert b"Doe" not in data
    w, h, d = struct.unpack_from("<3h", data, 42)
    values = struct.unpack_from("<%dh" % (w * h * d), data, 352)
    head = data[:352]
    struct.pack_into("<2h", head, 70, 2, 8)
    gzip.open(out, "wb").write(bytes(head) + bytes(5 if v > 500 else 0 for v in values))
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program of that name first in the path."""

    def put(text):
        path = tmp_path / "bin" / "TotalSegmentator"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text).format(python=sys.executable, log=str(tmp_path / "log")))
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
        return tmp_path / "log"

    return put


def test_its_labels_become_parts(program):
    log = program(STAND_IN)
    result = volume(trunk(table=False), organs=True, organs_fast=True)
    (tissue,) = result.tissues
    assert result.scene.nodes[0].item.vertices[:, 1].mean() == pytest.approx(0.05, abs=0.004), "the spine, at the back"
    assert tissue.limits is None
    assert "--task total " in log.read_text() and "--fast" in log.read_text() and "--ml" in log.read_text()
    assert result.report["provenance"]["steps"][0]["model"] == "TotalSegmentator"


def test_its_failure_is_told_in_its_words(program):
    program("#!{python}\nimport sys; sys.exit('no network to fetch weights from')")
    with pytest.raises(WeightsError, match="no network"):
        volume(trunk(), organs=True).tissues  # noqa: B018


def test_without_it_the_hint_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(total_segmentator, "command", lambda: None)
    with pytest.raises(MissingExtraError, match="not installed") as caught:
        volume(trunk(), organs=True).tissues  # noqa: B018
    assert "pip install TotalSegmentator" in caught.value.hint


def test_options_that_would_do_nothing():
    with pytest.raises(InputError, match="needs --organs"):
        volume(trunk(), organs_fast=True)
    with pytest.raises(InputError, match="no say"):
        volume(trunk(), organs=True, fill=True).tissues  # noqa: B018
    assert np.isfinite(trunk().values).all()
