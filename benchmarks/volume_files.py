"""Reading scans: every file of the measuring data, damaged files by the thousand, many files, and the memory it takes.

    python benchmarks/volume_files.py table          each file: a volume, or one clear reason; affine and voxels against
                                                     SimpleITK's and nibabel's own reading
    python benchmarks/volume_files.py fuzz [COUNT]   mutations of DICOM (plain, big endian, deflated, RLE), ZIP and SEG
    python benchmarks/volume_files.py packed [COUNT] mutations of packed frames of the odd DICOM files
    python benchmarks/volume_files.py many           100 000 tiny files
    python benchmarks/volume_files.py memory         peak of reading 300 slices of 512×512, against the int16 volume

``table`` and ``packed`` need the measuring data (UNFLAT_SHARED).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.mutate import mutations
from tests.phantoms import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    RLE,
    Phantom,
    Written,
    affine,
    write_dicom,
    write_multiframe,
)

from unflat.errors import UnflatError
from unflat.formats import dicom_unpack
from unflat.formats.dicom_frames import frames_of, head_of
from unflat.formats.volume_blobs import on_disk
from unflat.formats.volumes import read_volume, series_in

SHARED = Path(os.environ.get("UNFLAT_SHARED", "/nowhere")) / "data" / "volumes"


def table() -> None:
    """What becomes of each file."""
    import nibabel
    import SimpleITK as sitk

    files = [path for path in sorted(SHARED.rglob("*")) if path.suffix in (".dcm", ".nrrd", ".gz")]
    reasons: Counter[str] = Counter()
    worst = {"SimpleITK": 0.0, "nibabel": 0.0}
    for path in [*files, SHARED / "ct_totalsegmentator" / "example_ct_dicom"]:
        try:
            reading = read_volume(series_in(path)[0])
        except UnflatError as error:
            reasons[str(error)] += 1
            print(f"{path.name:45} - {error}")
            continue
        reasons["a volume"] += 1
        print(f"{path.name:45} {reading.volume}")
        matrix = reading.volume.grid.lps_from_voxel * [[1000], [1000], [1000], [1]]
        if path.suffix in (".gz", ".nrrd"):
            image = sitk.ReadImage(str(path))
            other = np.eye(4)
            other[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
            other[:3, 3] = image.GetOrigin()
            worst["SimpleITK"] = max(worst["SimpleITK"], float(np.abs(matrix - other).max()))
            if not np.array_equal(sitk.GetArrayFromImage(image), reading.volume.values):
                print("    other voxels than SimpleITK's")
        if path.suffix == ".gz":
            loaded: Any = nibabel.load(path)
            other = np.diag([-1, -1, 1, 1]) @ loaded.affine
            worst["nibabel"] = max(worst["nibabel"], float(np.abs(matrix - other).max()))
    for reason, count in reasons.most_common():
        print(f"{count:5} {reason}")
    print("largest difference of affines:", ", ".join(f"{name} {mm:.2g} mm" for name, mm in worst.items()))


def fuzz(count: int) -> None:
    """How damaged files end."""
    values = np.random.default_rng(0).integers(-1000, 2000, (6, 40, 36)).astype(np.int16)
    phantom = Phantom(values, affine((1, 1, 2)))
    with tempfile.TemporaryDirectory() as folder:
        for number, syntax in enumerate((EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE)):
            data = write_multiframe(Path(folder, "a"), phantom, Written(syntax)).read_bytes()
            ends: Counter[str] = Counter()
            slowest = 0.0
            for broken in mutations(data, count, number, 3000):
                Path(folder, "b").write_bytes(broken)
                start = time.process_time()
                try:
                    read_volume(series_in(Path(folder, "b"))[0])
                    ends["volumes"] += 1
                except UnflatError:
                    ends["reasons"] += 1
                slowest = max(slowest, time.process_time() - start)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{syntax:25} {dict(ends)} of {count}; slowest {slowest:.2f} s CPU; peak {peak} MB", flush=True)


def packed(count: int) -> None:
    """How damaged packed frames end: each codec of the odd files."""
    dicom_unpack._PATIENCE_S, dicom_unpack._MOST_LATE = 2.0, 10**6
    seen: set[str] = set()
    for path in sorted((SHARED / "dicom_pydicom").glob("*.dcm")):
        blob = on_disk(path)
        head = head_of(blob)
        if head is None or head.pixels is None or head.syntax in seen or head.pixels[2] is not None:
            continue
        pixels = next(frames_of(blob, head)).pixels
        if pixels.samples != 1 or head.syntax == RLE or pixels.allocated == 1:
            continue
        seen.add(head.syntax)
        with blob.open() as file:
            frame = dicom_unpack.packed_frame(file, dicom_unpack.frame_places(pixels, file)[0])
        decoder, ends = dicom_unpack.Decoder(), Counter[str]()
        for broken in mutations(frame, count, 3, 200):
            late = decoder._late
            try:
                decoder.decode(pixels, broken)
                ends["frames"] += 1
            except UnflatError:
                ends["ended: ran for ever" if decoder._late > late else "reasons"] += 1
                ends["of these, the decoder died"] += decoder._process is None and decoder._late == late
        decoder.end()
        print(f"{head.syntax:25} {dict(ends)} of {count}", flush=True)


def many() -> None:
    """A folder of 100 000 tiny files."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(100_000):
            Path(folder, str(number)).write_bytes(b"tiny")
        start, wall = time.process_time(), time.monotonic()
        try:
            series_in(Path(folder))
        except UnflatError as error:
            print(f"{error}: {time.process_time() - start:.1f} s CPU, {time.monotonic() - wall:.1f} s")


def memory() -> None:
    """The peak of a process that reads, less that of one that has only imported."""
    with tempfile.TemporaryDirectory() as folder:
        values = np.broadcast_to(np.arange(512 * 512, dtype=np.int16).reshape(1, 512, 512) % 2000, (300, 512, 512))
        write_dicom(Path(folder), Phantom(values, affine()), Written())
        code = "import sys; from pathlib import Path; from unflat.formats.volumes import *\n{}\n"
        code += "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
        peaks: list[int] = []
        for work in ("", "r = read_volume(series_in(Path(sys.argv[1]))[0])"):
            done = subprocess.run([sys.executable, "-c", code.format(work), folder], capture_output=True, check=True)
            peaks.append(int(done.stdout) * 1024)
        size = values.size * 2
        more = peaks[1] - peaks[0]
        print(f"{more / 1e6:.0f} MB for a volume of {size / 1e6:.0f} MB: {more / size:.2f}×")


if __name__ == "__main__":
    words = sys.argv[1:] or ["table"]
    number = int(words[1]) if len(words) > 1 else 1000
    {"table": table, "many": many, "memory": memory}.get(words[0], lambda: None)()
    {"fuzz": fuzz, "packed": packed}.get(words[0], lambda _: None)(number)
