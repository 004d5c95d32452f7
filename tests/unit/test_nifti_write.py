"""What is written for other programs is read by other people's readers where it was."""

import numpy as np
import pytest

from unflat.formats.nifti_write import write
from unflat.types import Grid, Volume


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nibabel_reads_the_same_voxels_at_the_same_places(dtype, suffix, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    rng = np.random.default_rng(0)
    values = rng.integers(0, 100, (3, 4, 5)).astype(dtype)
    affine = np.eye(4)
    affine[:3] = rng.normal(0, 1e-3, (3, 4))
    grid = Grid(values.shape, affine)
    write(Volume(values, grid, "intensity"), tmp_path / f"x{suffix}")
    read = nibabel.load(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(np.asarray(read.dataobj).transpose(2, 1, 0), values)
    ijk = rng.integers(0, 3, (6, 3)).astype(float)
    ras = ijk @ read.affine[:3, :3].T + read.affine[:3, 3]
    np.testing.assert_allclose(ras * [-1e-3, -1e-3, 1e-3], grid.lps(ijk), atol=1e-8)
    assert read.header.get_xyzt_units()[0] == "mm"
