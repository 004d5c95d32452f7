"""NIfTI-1 for other programs: voxels and where they are, and no word more.

The specification: "NIfTI-1 data format", nifti1.h (Cox et al., 2004). Axes are turned from the patient's LPS to the
format's RAS; lengths are millimetres; the affine stands in the sform, exactly, sheared or not.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from unflat.errors import InputError
from unflat.types.volume import Volume

_CODES = {"uint8": 2, "int16": 4, "float32": 16, "int8": 256, "uint16": 512}
_HEADER = 348
_OFFSET = 352
_MM, _SCANNER = 2, 1
_MOST = 32767


def write(volume: Volume, path: Path) -> None:
    """Write a scan as .nii or .nii.gz.

    Raises:
        InputError: A side has more voxels than the format can count.
        OSError: The place cannot be written.
    """
    d, h, w = volume.grid.shape
    if max(d, h, w) > _MOST:
        raise InputError(f"a NIfTI file holds at most {_MOST} voxels a side")
    ras = np.diag([-1000.0, -1000.0, 1000.0]) @ volume.grid.lps_from_voxel[:3]
    spacing = [1000 * s for s in volume.grid.spacing]
    header = bytearray(_OFFSET)
    struct.pack_into("<i", header, 0, _HEADER)
    struct.pack_into("<8h", header, 40, 3, w, h, d, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, _CODES[volume.values.dtype.name], 8 * volume.values.dtype.itemsize)
    struct.pack_into("<8f", header, 76, 1.0, *spacing, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, _OFFSET, 1.0, 0.0)
    header[123] = _MM
    struct.pack_into("<2h", header, 252, 0, _SCANNER)
    struct.pack_into("<12f", header, 280, *ras.ravel().tolist())
    header[344:348] = b"n+1\0"
    little = volume.values.astype(volume.values.dtype.newbyteorder("<"), copy=False)
    with gzip.open(path, "wb", compresslevel=1) if path.suffix.lower() == ".gz" else path.open("wb") as file:
        file.write(header)
        for plane in little:
            file.write(plane.tobytes())
