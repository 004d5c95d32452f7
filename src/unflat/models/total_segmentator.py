"""TotalSegmentator, if the user has installed it: organs, bones, muscles and vessels of CT and MR by name.

Wasserthal et al., "TotalSegmentator: robust segmentation of 104 anatomic structures in CT images" (Radiology:
Artificial Intelligence 5(5), 2023). It is neither shipped nor required: it runs as its own program, on a NIfTI file
without any word about the patient, and gives a label map with names. Its first run fetches its weights from the
network, which it does by itself; some of its tasks need a licence of theirs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from unflat.errors import InputError, MissingExtraError, WeightsError

Task = Literal["total", "total_mr"]
NAME = "TotalSegmentator"
LICENCE = "Apache-2.0 (code and the weights of the tasks total and total_mr)"
LIMIT_S = 3 * 3600
_TOLD = 300


def command() -> list[str] | None:
    """How the program is called here; None where it is not installed."""
    found = shutil.which(NAME)
    if found is not None:
        return [found]
    return [sys.executable, "-m", "totalsegmentator.bin.TotalSegmentator"] if find_spec("totalsegmentator") else None


def segment(scan: Path, labels: Path, *, task: Task, fast: bool, device: str | None = None) -> None:
    """Let the program write a label map.

    Args:
        scan: NIfTI, gzipped.
        labels: Where to, NIfTI, gzipped; the names of the labels stand in its header.
        task: "total" for CT, "total_mr" for magnetic resonance.
        fast: At 3 mm, a tenth of the time.
        device: "cpu", "gpu" or "mps"; None: its own choice.

    Raises:
        MissingExtraError: The program is not installed.
        WeightsError: It ended with an error; most often it could not fetch its weights.
        InputError: It took longer than three hours.
    """
    call = command()
    if call is None:
        raise MissingProgramError
    words = [*call, "-i", str(scan), "-o", str(labels), "--ml", "--task", task]
    words += (["--fast"] if fast else []) + (["--device", device] if device else [])
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{NAME} took longer than {LIMIT_S // 3600} hours", hint="Try --organs-fast.") from error
    if done.returncode != 0 or not labels.is_file():
        said = " ".join((done.stderr or done.stdout).split())[-_TOLD:]
        raise WeightsError(f"{NAME} could not segment the scan: {said or 'it said nothing'}")


class MissingProgramError(MissingExtraError):
    """TotalSegmentator is not installed."""

    def __init__(self) -> None:
        Exception.__init__(self, f"organs by name are found by {NAME}, which is not installed")
        self.hint = "pip install TotalSegmentator   (2 GB with PyTorch; its weights come at its first run)"
