"""Parts of a model's page in Node, held against Python: unpacking, blocks of rays, outlines, labels, moving apart."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

import turned_models
import web_code
from unflat.formats.volume_page import carried, packed, volume_block

pytestmark = pytest.mark.node


def test_the_page_unpacks_what_was_packed(tmp_path: Path) -> None:
    shape = (3, 5, 7)
    codes = np.random.default_rng(5).integers(0, 65536, shape).astype(np.uint16)
    told = web_code.ran(
        """
        import { codesOf } from "@/volumescan";
        const bytes = Uint8Array.from(Buffer.from(given.data, "base64"));
        return Array.from(await codesOf(bytes.buffer, given.shape));
        """,
        tmp_path,
        data=base64.b64encode(packed(codes)).decode(),
        shape=shape,
    )
    assert np.array_equal(np.array(told).reshape(shape), codes)


def test_places_values_and_shares_are_those_of_the_grid(tmp_path: Path) -> None:
    """A linear field in an oblique, sheared grid: read at any place it is the field, and slices know their steps."""
    grid = turned_models.oblique((6, 7, 8))
    k, j, i = (a.ravel() for a in np.indices(grid.shape))
    lps = grid.lps(np.stack([i, j, k], -1).astype(np.float64))
    values = np.rint((lps - lps.min(0)) @ (80_000, 50_000, 30_000)).reshape(grid.shape).astype(np.int16)
    volume = turned_models.scanned(grid)
    held = carried(type(volume)(values, grid, "hu", "CT"), 10**6)
    block = volume_block(held)
    note, data = (block.split(mark)[1].split("</script>")[0] for mark in ('id="scan-note">', 'id="scan-codes">'))
    random = np.random.default_rng(6)
    places = grid.lps(random.uniform(0, 1, (20, 3)) * np.array([7, 6, 5]))
    told = web_code.ran(
        """
        import { Scan, codesOf, noteOf } from "@/volumescan";
        import { Vector3 } from "three";
        const note = noteOf(given.note);
        const bytes = Uint8Array.from(Buffer.from(given.data, "base64"));
        const scan = new Scan(note, await codesOf(bytes.buffer, note.shape));
        const world = given.places.map(([l, p, s]) => new Vector3(l, s, -p));
        const voxels = world.map((place) => place.clone().applyMatrix4(scan.voxelFromWorld).toArray());
        const linear = voxels.map((voxel) => scan.valueOf(scan.between(...voxel)));
        const nearest = world.map((place) => scan.nearest(place));
        return [linear, nearest, scan.quantile(0.5), scan.nearest(new Vector3(9, 9, 9))];
        """,
        tmp_path,
        note=note,
        data=data,
        places=places.tolist(),
    )
    linear, nearest, half, outside = told
    assert outside is None
    assert np.abs(np.array(linear) - (places - lps.min(0)) @ (80_000, 50_000, 30_000)).max() < 1.5
    inverse = np.linalg.inv(grid.lps_from_voxel)
    voxels = np.rint(places @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    assert nearest == [values[z, y, x] for x, y, z in voxels]
    assert half == pytest.approx(np.median(values), abs=np.ptp(values) / 20)


def test_no_block_is_stepped_over_in_which_something_shows(tmp_path: Path) -> None:
    """Whatever eight voxels a sample lies between, its block's range holds them."""
    size = (19, 9, 17)
    codes = np.random.default_rng(7).integers(0, 65536, size[::-1]).astype(np.uint16)
    low, high, counts = web_code.ran(
        """
        import { rangesOf } from "@/volumerays";
        const { low, high, counts } = rangesOf(Uint16Array.from(given.codes), given.size);
        return [Array.from(low), Array.from(high), counts];
        """,
        tmp_path,
        codes=codes.ravel().tolist(),
        size=size,
    )
    assert counts == [3, 2, 3]
    low, high = (np.array(each).reshape(counts[::-1]) for each in (low, high))
    for at in np.random.default_rng(8).uniform(0, 1, (500, 3)) * size:
        i, j, k = (int(v) // 8 for v in at)
        ends = [
            np.clip([int(np.floor(v - 0.5)), int(np.floor(v - 0.5)) + 1], 0, n - 1)
            for v, n in zip(at, size, strict=True)
        ]
        near = codes[np.ix_(ends[2], ends[1], ends[0])]
        assert low[k, j, i] <= near.min()
        assert near.max() <= high[k, j, i]


def test_outlines_lie_on_the_surface(tmp_path: Path) -> None:
    ball = turned_models.ball((0.1, 0.2, 0.3), 0.05, 60)
    ends = web_code.ran(
        """
        import { Outlines } from "@/volumeoutline";
        import { BufferAttribute, BufferGeometry } from "three";
        const geometry = new BufferGeometry();
        geometry.setAttribute("position", new BufferAttribute(Float32Array.from(given.points), 3));
        geometry.setIndex(given.faces);
        geometry.computeBoundingBox();
        const outlines = new Outlines({ object: { geometry }, box: geometry.boundingBox });
        const all = [0, 1, 2].map((axis) => {
          const ends = [];
          outlines.each(axis, given.at[axis], (a, b) => ends.push([a, b]));
          return ends;
        });
        return all;
        """,
        tmp_path,
        points=ball.vertices.ravel().tolist(),
        faces=ball.faces.ravel().tolist(),
        at=[0.113, 0.189, 0.32],
    )
    for axis, pieces in enumerate(ends):
        both = np.array(pieces)
        away = np.linalg.norm(both - (0.1, 0.2, 0.3), axis=-1)
        assert away.min() > 0.0495
        assert away.max() < 0.0501
        assert np.ptp(both[..., axis]) < 1e-8
        around = np.linalg.norm(both[:, 0] - both[:, 1], axis=1).sum()
        true = 2 * np.pi * np.sqrt(0.05**2 - abs((0.113, 0.189, 0.32)[axis] - (0.1, 0.2, 0.3)[axis]) ** 2)
        assert around == pytest.approx(true, rel=0.01), "the outline is whole"


def test_labels_keep_clear_and_in_order(tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    columns = [
        [{"top": float(top), "high": 26} for top in sorted(random.uniform(0, 600, count))] for count in (1, 4, 12, 18)
    ]
    told = web_code.ran(
        'import { spread } from "@/volumepins";\nreturn given.columns.map((column) => spread(column, 50, 690));',
        tmp_path,
        columns=columns,
    )
    for tops in told:
        assert min(np.diff(tops), default=30) >= 26
        assert min(tops) >= 50
        assert max(tops) + 26 <= 690
