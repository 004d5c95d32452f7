"""Scans to surfaces: how fast, with how much memory, and how true.

    python benchmarks/solids.py step             the isosurface against VTK's Flying Edges and scikit-image, CPU seconds
    python benchmarks/solids.py whole            512×512×300 CT -> bone GLB, against the sum of its bare library calls
    python benchmarks/solids.py memory           the peak of that run, against the float32 volume
    python benchmarks/solids.py labels           organs of label maps: volume of the mesh against voxels counted
    python benchmarks/solids.py files            every file of the measuring data: a model, or one clear reason

``step`` and ``whole`` need ``pip install vtk``; all but ``step --formula`` need the measuring data (UNFLAT_SHARED).
The CT is the measuring data's 512×512×20 series, its slices interpolated to 300, with noise of 8 HU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unflat.geometry import morphology
from unflat.geometry.bits import packed, unpacked
from unflat.geometry.marching import Limits, surface_of
from unflat.stages.extract_surface import extract_surface
from unflat.stages.label_tissues import label_tissues

SHARED = Path(os.environ.get("UNFLAT_SHARED", "/nowhere")) / "data" / "volumes"
ROUNDS = 5
LEVEL = 226
MAPS = (
    "example_seg.nii.gz",
    "example_seg_dicom.nii.gz",
    "example_seg_fast_force_split.nii.gz",
    "example_seg_mr.nii.gz",
)


def cpu(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU seconds, wall seconds and result of one call."""
    start, wall = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - start, time.perf_counter() - wall, result


def ct(slices: int = 300) -> np.ndarray:
    """(slices, 512, 512) int16 HU."""
    from unflat.formats.volumes import ReadOptions, read_volume, series_in

    values = read_volume(series_in(SHARED / "ct_totalsegmentator" / "example_ct_dicom")[0], ReadOptions()).volume.values
    at = np.linspace(0, len(values) - 1, slices)
    noise, out = np.random.default_rng(1), np.empty((slices, *values.shape[1:]), np.int16)
    for k, where in enumerate(at):
        low = min(int(where), len(values) - 2)
        plane = values[low] + (where - low) * (values[low + 1].astype(np.float32) - values[low])
        out[k] = np.rint(plane + noise.normal(0, 8, plane.shape))
    return out


def formula(slices: int = 119) -> np.ndarray:
    """(slices, 512, 512) int16: shells with noise, for machines without the measuring data."""
    k, j, i = np.ogrid[:slices, :512, :512]
    waves = np.sin(i / 9.0) * np.sin(j / 11.0) * np.sin(k / 7.0)
    noise = np.random.default_rng(1).normal(0, 20, (slices, 512, 512)).astype(np.float32)
    return (600 * waves + noise).astype(np.int16)


def vtk_surface(values: np.ndarray, level: float) -> Callable[[], int]:
    """Flying Edges of a prepared image; gives the number of triangles."""
    import vtk  # pyright: ignore[reportMissingImports]
    from vtk.util import numpy_support  # pyright: ignore[reportMissingImports]

    image = vtk.vtkImageData()
    image.SetDimensions(values.shape[::-1])
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(values.ravel()))

    def work() -> int:
        edges = vtk.vtkFlyingEdges3D()
        edges.SetInputData(image)
        edges.SetValue(0, level)
        edges.ComputeNormalsOff()
        edges.ComputeScalarsOff()
        edges.Update()
        return edges.GetOutput().GetNumberOfPolys()

    return work


def step(values: np.ndarray) -> None:
    """The isosurface alone, in turns."""
    from skimage.measure import marching_cubes

    theirs = vtk_surface(values, LEVEL - 0.5)

    def ours() -> int:
        bits = packed(values.shape, lambda k: values[k] >= LEVEL)
        return len(surface_of(bits, values, Limits(LEVEL - 0.5, np.inf), np.eye(4)).faces)

    ours()
    rows = []
    for _ in range(ROUNDS):
        a, b = cpu(ours), cpu(theirs)
        rows.append((a[0], b[0], a[1], b[1]))
        print(
            f"ours {a[0]:.2f} CPU s {a[1]:.2f} s, {a[2]} triangles; VTK {b[0]:.2f} CPU s {b[1]:.2f} s, {b[2]} triangles"
        )
    mine, vtk, wall, vtk_wall = np.median(np.array(rows), axis=0)
    slow = cpu(lambda: marching_cubes(values.astype(np.float32), LEVEL - 0.5, allow_degenerate=False))[0]
    print(
        f"{values.shape}: CPU of VTK's Flying Edges × {mine / vtk:.2f} (wall × {wall / vtk_wall:.2f}), "
        f"of scikit-image × {mine / slow:.2f}"
    )


def bare(values: np.ndarray, folder: Path) -> dict[str, float]:
    """CPU seconds of what a short script would call for the same model, a library a step, the table gone already."""
    import SimpleITK
    import trimesh
    import vtk  # pyright: ignore[reportMissingImports]
    from vtk.util import numpy_support  # pyright: ignore[reportMissingImports]

    took: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        took[name], _, result = cpu(work)
        return result

    inside = timed("threshold (numpy)", lambda: (values >= LEVEL).astype(np.uint8))
    image = SimpleITK.GetImageFromArray(inside)
    parts = timed("pieces (SimpleITK)", lambda: SimpleITK.ConnectedComponent(image))
    timed("specks (SimpleITK)", lambda: SimpleITK.RelabelComponent(parts, minimumObjectSize=50))
    grey = vtk.vtkImageData()
    grey.SetDimensions(values.shape[::-1])
    grey.GetPointData().SetScalars(numpy_support.numpy_to_vtk(values.ravel()))
    edges = vtk.vtkFlyingEdges3D()
    edges.SetInputData(grey)
    edges.SetValue(0, LEVEL - 0.5)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    timed("surface (VTK)", edges.Update)
    sinc = vtk.vtkWindowedSincPolyDataFilter()
    sinc.SetInputData(edges.GetOutput())
    sinc.SetNumberOfIterations(10)
    sinc.SetPassBand(0.5)
    timed("windowed sinc (VTK)", sinc.Update)
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(sinc.GetOutput())
    normals.SplittingOff()
    normals.ConsistencyOff()
    timed("normals (VTK)", normals.Update)
    out = normals.GetOutput()
    vertices = numpy_support.vtk_to_numpy(out.GetPoints().GetData())
    faces = numpy_support.vtk_to_numpy(out.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    timed("GLB (trimesh)", lambda: (folder / "bare.glb").write_bytes(mesh.export(file_type="glb")))
    return took


def whole(slices: int) -> None:
    """A CT in memory to a GLB on disk."""
    from unflat.pipelines.volume import VolumeOptions, VolumeResult
    from unflat.types import Grid, Volume

    values = ct(slices)
    volume = Volume(values, Grid(values.shape, np.diag([0.977e-3, 0.977e-3, 1e-3, 1.0])), "hu", "CT")
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the first one compiles
            result = VolumeResult(volume, VolumeOptions())
            took, wall, _ = cpu(lambda result=result, f=folder: result.save(Path(f) / "ours.glb", force=True))
        bits = result.tissues[0].bits
        alone = np.where(
            np.stack([unpacked(morphology.grown(bits, (1, 1, 1)), k) for k in range(slices)]), values, -1000
        )
        theirs = bare(alone.astype(np.int16), Path(folder))
    for name, seconds in theirs.items():
        print(f"  {name}: {seconds:.2f} CPU s")
    print(
        f"ours: { ({k: round(v, 2) for k, v in result.clock.seconds.items()}) } s, {result.scene.triangles} triangles"
    )
    total = sum(theirs.values())
    print(f"{values.shape}: {took:.2f} CPU s ({wall:.2f} s) against {total:.2f}: × {took / total:.2f}")


_ALONE = """
import resource, sys, numpy as np
from pathlib import Path
from unflat.pipelines.volume import VolumeResult
from unflat.types import Grid, Volume
values = np.load(sys.argv[1], mmap_mode=None)
volume = Volume(values, Grid(values.shape, np.diag([0.977e-3, 0.977e-3, 1e-3, 1.0])), "hu", "CT")
VolumeResult(volume).save(Path(sys.argv[2]), force=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""


def memory(slices: int) -> None:
    """The peak of a process that makes one GLB, with the scan in it."""
    with tempfile.TemporaryDirectory() as folder:
        values = ct(slices)
        np.save(Path(folder) / "ct.npy", values)
        words = [sys.executable, "-c", _ALONE, str(Path(folder) / "ct.npy"), str(Path(folder) / "x.glb")]
        peak = float(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-1])
    most = 3 * values.size * 4 / 1e6 + 400
    print(f"{values.shape}: peak {peak:.0f} MB; 3 × the float32 volume + 400 MB is {most:.0f} MB: × {peak / most:.2f}")


def labels(_slices: int) -> None:
    """Volumes of organs: the mesh against the voxels."""
    from unflat.formats.label_maps import read_labels

    rows = []
    for name in MAPS:
        tissues, _ = label_tissues(read_labels(SHARED / "ct_totalsegmentator" / name, None))
        for tissue in tissues:
            solid = extract_surface(tissue)
            voxels = solid.voxels_ml * 1e-6 / tissue.grid.voxel_m3
            rows.append((voxels, solid.volume_ml / solid.voxels_ml - 1, f"{name} {tissue.name}"))
    for least, most in ((1e5, np.inf), (1e3, 1e5), (8, 1e3)):
        off = [(abs(row[1]), row[2]) for row in rows if least <= row[0] < most]
        if off:
            worst = max(off)
            print(
                f"{least:.0e} voxels and more: {len(off)} organs, mean {np.mean([o for o, _ in off]):.3%}, "
                f"worst {worst[0]:.3%} ({worst[1]})"
            )


def files(_slices: int) -> None:
    """Every file of the measuring data through the command."""
    every = [
        path for path in sorted(SHARED.glob("*/*")) if path.name not in ("LICENSE", "LICENSE.txt", "manifest.json")
    ]
    made, said, wrong = 0, dict[str, int](), []
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(every):
            command = str(Path(sys.executable).with_name("unflat"))
            words = [command, "volume", str(path), "-o", f"{folder}/{number}.glb", "--json"]
            started = time.perf_counter()
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
            took = time.perf_counter() - started
            lines = done.stderr.strip().splitlines()
            if done.returncode == 0:
                made += 1
                report = json.loads(done.stdout)
                print(
                    f"{path.parent.name}/{path.name}: {took:.1f} s,",
                    ", ".join(f"{t['name']} {t['triangles']}" for t in report["tissues"]),
                )
            elif done.returncode in (2, 3) and len(lines) == 2 and lines[0].startswith("error: "):
                said[lines[0]] = said.get(lines[0], 0) + 1
                print(f"{path.parent.name}/{path.name}: {lines[0]}")
            else:
                wrong.append(f"{path.name}: {done.returncode} {lines[-3:]}")
                print(f"WRONG {wrong[-1]}")
    print(f"{len(every)} files and folders: {made} models, {sum(said.values())} with one reason, {len(wrong)} wrong")


def main() -> None:
    """Run one measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["step", "whole", "memory", "labels", "files"])
    parser.add_argument("--formula", action="store_true")
    parser.add_argument("--slices", type=int, default=300)
    told = parser.parse_args()
    if told.what == "step":
        step(formula(told.slices) if told.formula else ct(told.slices))
    else:
        {"whole": whole, "memory": memory, "labels": labels, "files": files}[told.what](told.slices)


if __name__ == "__main__":
    main()
