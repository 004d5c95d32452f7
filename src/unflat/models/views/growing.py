"""A model that grows picture by picture: poses, lenses and points, and how they are brought into agreement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unflat.geometry.bundle import Bundle, adjust
from unflat.geometry.resection import resect
from unflat.geometry.seen_by import bearings, lens_of, numbers_of, pixels_of
from unflat.geometry.triangulate import triangulate_pairs
from unflat.geometry.two_views import TwoViews
from unflat.models.views.placement import Material, Placed
from unflat.models.views.sightings import Sightings
from unflat.types.arrays import F64, Bool
from unflat.types.views import Lens

_WITHIN, _LEAST_PX = 0.005, 4.0
"""A point is seen where it should be within this share of the long side, and at least so many pixels."""
_LEAST_ANGLE = np.radians(1.5)
"""Rays that meet at less than this give no point."""
_TRIES = 3
_APART = 12
"""Of a place's sightings, pairs of up to so many rows apart are tried."""
_FREE_LENS = (1.0, 0.3, 0.0)
"""How uncertain a lens is that pictures measure: logarithm of the focal length, k1, k2."""
_WHOLE_LENS = (1.0, 0.3, 0.3)
_FEW, _MANY = 3, 8
"""From so many pictures on a lens is measured; from so many on also its k2."""
_ASIDE = (0.03, 0.02)
"""Several lenses are measured one by one, by trying a little more and less focal length and k1."""


class Growing:
    """Poses and lenses by picture, points by place."""

    def __init__(self, material: Material, seen: Sightings) -> None:
        self._material, self._seen = material, seen
        count = len(material.taken)
        groups: dict[tuple[str, int, int], int] = {}
        self._group = np.array([groups.setdefault(one.group, len(groups)) for one in material.taken], np.int64)
        firsts = [int(np.flatnonzero(self._group == g)[0]) for g in range(len(groups))]
        self._like = [material.first_lens(number) for number in firsts]
        self._lens = np.stack([numbers_of(lens) for lens in self._like])
        self._rotation, self._shift = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3))
        self.placed: Bool = np.zeros(count, bool)
        self._xyz = np.full((seen.count, 3), np.nan)
        self._good: Bool = np.zeros(len(seen.place), bool)
        self._pixel = np.zeros((len(seen.place), 2))
        self._at = np.zeros((len(seen.place), 2))
        for number, one in enumerate(material.taken):
            rows = seen.picture == number
            self._pixel[rows] = one.xy[seen.feature[rows]]
        for group in range(len(groups)):
            self._straighten(group)

    @property
    def pictures(self) -> np.ndarray:
        """The numbers of those that have their place, ascending."""
        return np.flatnonzero(self.placed)

    @property
    def lenses(self) -> int:
        """How many lenses took the pictures that have their place."""
        return len(np.unique(self._group[self.placed]))

    def tolerance(self, number: int) -> float:
        """How far from where it should be a point may be seen, in pixels of a picture."""
        return max(_LEAST_PX, _WITHIN * self._material.taken[number].size.long_side)

    def lens(self, number: int) -> F64:
        """(8,) the lens of a picture."""
        return self._lens[self._group[number]]

    def focal(self, number: int) -> float:
        """Its focal length in pixels."""
        lens = self.lens(number)
        return float(np.sqrt(lens[0] * lens[1]))

    def measured(self, number: int) -> bool:
        """Whether a picture of the same lens has its place."""
        return bool(self.placed[self._group == self._group[number]].any())

    def bearings_of(self, number: int, features: np.ndarray) -> F64:
        """(n, 2) bearings of features of a picture."""
        return bearings(self._material.taken[number].xy[features].astype(np.float64), self.lens(number))

    def known_by_picture(self) -> np.ndarray:
        """(p,) how many known points each picture seems to see."""
        known = np.isfinite(self._xyz[self._seen.place, 0])
        return np.bincount(self._seen.picture[known], minlength=len(self.placed))

    def known_of(self, number: int) -> tuple[F64, F64]:
        """Known points (n, 3) that a picture seems to see, and where (n, 2)."""
        rows = (self._seen.picture == number) & np.isfinite(self._xyz[self._seen.place, 0])
        return self._xyz[self._seen.place[rows]], self._pixel[rows]

    def begin(self, first: int, second: int, motion: TwoViews) -> None:
        """Two pictures, the first in the origin."""
        self.add(first, np.eye(3), np.zeros(3), self.lens(first))
        self.add(second, motion.rotation, motion.shift, self.lens(second))

    def add(self, number: int, rotation: F64, shift: F64, lens: F64) -> None:
        """A picture finds its place, camera from world."""
        if not np.array_equal(lens, self.lens(number)):
            self._lens[self._group[number]] = lens
            self._straighten(int(self._group[number]))
        self._rotation[number], self._shift[number] = rotation, shift
        self.placed[number] = True
        self._judge()

    def triangulate(self) -> None:
        """Give every place a point that two pictures see at an angle and that has none yet."""
        seen = self._seen
        rows = np.flatnonzero(self.placed[seen.picture] & ~np.isfinite(self._xyz[seen.place, 0]))
        if not len(rows):
            return
        first, second = self._pairs(rows)
        if not len(first):
            return
        rays = np.concatenate([self._at, np.ones((len(self._at), 1))], 1)
        rays = np.einsum("mji,mj->mi", self._rotation[seen.picture], rays)
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        angle = np.arccos(np.clip((rays[first] * rays[second]).sum(1), -1, 1))
        wide = np.flatnonzero(angle > _LEAST_ANGLE)
        order = wide[np.lexsort((-angle[wide], seen.place[first[wide]]))]
        place = seen.place[first[order]]
        begins = np.flatnonzero(np.r_[True, place[1:] != place[:-1]]) if len(place) else np.zeros(0, np.int64)
        rank = np.arange(len(place)) - np.repeat(begins, np.diff(np.r_[begins, len(place)]))
        for attempt in range(_TRIES):
            chosen = order[(rank == attempt) & ~np.isfinite(self._xyz[place, 0])]
            if len(chosen):
                self._points(first[chosen], second[chosen])
        self._judge()

    def agree(self, rounds: int) -> None:
        """Bring poses, points and lenses into agreement; what then disagrees is left out."""
        seen = self._seen
        use = np.flatnonzero(self._good & np.isfinite(self._xyz[seen.place, 0]))
        pictures = self.pictures
        if not len(use) or len(pictures) < 2:
            return
        groups = np.unique(self._group[pictures])
        row_of = np.zeros(len(self.placed), np.int32)
        row_of[pictures] = np.arange(len(pictures))
        places, point = np.unique(seen.place[use], return_inverse=True)
        pixel, lens, prior = self._pixel[use], self._lens[groups[0]], (0.0, 0.0, 0.0)
        if len(groups) > 1:
            focal = float(np.median(self._lens[groups, :2]))
            pixel, lens = focal * self._at[use], np.array([focal, focal, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
            if len(pictures) >= _FEW and not any(self._told(int(group)) for group in groups):
                prior = (_FREE_LENS[0], 0.0, 0.0)  # all focal lengths by one factor
        elif len(pictures) >= _FEW:
            prior = _WHOLE_LENS if len(pictures) >= _MANY else _FREE_LENS
        free = np.arange(len(pictures)) > 0
        none = np.zeros(len(use))
        bundle = Bundle(
            self._rotation[pictures],
            self._shift[pictures],
            free,
            self._xyz[places],
            row_of[seen.picture[use]],
            point.astype(np.int32),
            pixel,
            lens,
            none,
            none,
            prior,
        )
        done = adjust(bundle, rounds=rounds).bundle
        self._rotation[pictures], self._shift[pictures] = done.rotation, done.shift
        self._xyz[places] = done.xyz
        if len(groups) == 1:
            self._lens[groups[0]] = done.lens
            self._straighten(int(groups[0]))
        elif len(pictures) >= _FEW:
            for group in groups:
                self._lens[group, :2] *= done.lens[0] / lens[0]
                self._measure(int(group))
        self._judge()

    def result(self) -> Placed:
        """The model in plain numbers; the points that two pictures see at least."""
        seen, pictures = self._seen, self.pictures
        rows = np.flatnonzero(self._good & np.isfinite(self._xyz[seen.place, 0]))
        rows = rows[np.lexsort((seen.feature[rows], seen.picture[rows]))]
        places, point = np.unique(seen.place[rows], return_inverse=True)
        view = np.searchsorted(pictures, seen.picture[rows])
        lenses: list[Lens] = []
        for number in pictures:
            like = self._like[self._group[number]]
            lens = lens_of(self.lens(number), like)
            if not np.array_equal(self.lens(number), numbers_of(like)):
                lens = replace(lens, intrinsics=replace(lens.intrinsics, basis="views"))
            lenses.append(lens)
        poses = np.concatenate([self._rotation[pictures], self._shift[pictures][:, :, None]], 2)
        return Placed(
            tuple(int(n) for n in pictures), tuple(lenses), poses, self._xyz[places], view, point, seen.feature[rows]
        )

    def _straighten(self, group: int) -> None:
        """The bearings of all sightings through a lens."""
        rows = self._group[self._seen.picture] == group
        self._at[rows] = bearings(self._pixel[rows], self._lens[group])

    def _pairs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of these sightings (ascending) that are of one place."""
        place = self._seen.place[rows]
        firsts, seconds = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for step in range(1, _APART + 1):
            same = np.flatnonzero(place[step:] == place[: len(place) - step]) if step < len(place) else []
            firsts.append(rows[same])
            seconds.append(rows[np.asarray(same, np.int64) + step])
        return np.concatenate(firsts), np.concatenate(seconds)

    def _points(self, first: np.ndarray, second: np.ndarray) -> None:
        """Points of these pairs of sightings, kept where both see them where they should."""
        seen = self._seen
        pose = np.concatenate([self._rotation, self._shift[:, :, None]], 2)
        xyz, _ = triangulate_pairs(
            pose[seen.picture[first]], pose[seen.picture[second]], self._at[first], self._at[second]
        )
        fine = np.isfinite(xyz[:, 0])
        for rows in (first, second):
            fine &= self._off(rows, xyz) < 1.0
        self._xyz[seen.place[first[fine]]] = xyz[fine]

    def _off(self, rows: np.ndarray, xyz: F64) -> F64:
        """(n,) how far from where they should be sightings see points, in tolerances; inf for those behind."""
        picture = self._seen.picture[rows]
        local = np.einsum("nij,nj->ni", self._rotation[picture], xyz) + self._shift[picture]
        off = np.full(len(rows), np.inf)
        for group in np.unique(self._group[picture]):
            of = np.flatnonzero((self._group[picture] == group) & (local[:, 2] > 0))
            seen_at = pixels_of(local[of], self._lens[group])
            off[of] = np.linalg.norm(seen_at - self._pixel[rows[of]], axis=1)
            off[of] /= self.tolerance(int(np.flatnonzero(self._group == group)[0]))
        return np.nan_to_num(off, nan=np.inf)

    def _judge(self) -> None:
        """Which sightings agree with their point; points that fewer than two see are forgotten."""
        seen = self._seen
        self._good[:] = False
        rows = np.flatnonzero(self.placed[seen.picture] & np.isfinite(self._xyz[seen.place, 0]))
        self._good[rows] = self._off(rows, self._xyz[seen.place[rows]]) < 1.0
        seers = np.bincount(seen.place[self._good], minlength=seen.count)
        self._xyz[seers < 2] = np.nan
        self._good &= seers[seen.place] >= 2

    def _measure(self, group: int) -> None:
        """One lens by itself: focal length and k1 that its pictures agree best with, the points staying."""
        if self._told(group):
            return
        pictures = np.flatnonzero(self.placed & (self._group == group))
        for what, aside in zip((0, 4), _ASIDE, strict=True):
            costs = [self._cost(group, pictures, self._changed(group, what, by * aside)) for by in (-1, 0, 1)]
            bend = costs[0] - 2 * costs[1] + costs[2]
            if bend > 0:
                by = float(np.clip(0.5 * (costs[0] - costs[2]) / bend, -1, 1)) * aside
            else:
                by = aside * (int(np.argmin(costs)) - 1)
            lens = self._changed(group, what, by)
            self._cost(group, pictures, lens, keep=True)
            self._lens[group] = lens
        self._straighten(group)

    def _told(self, group: int) -> bool:
        """Whether the pictures told their lens."""
        return self._material.taken[int(np.flatnonzero(self._group == group)[0])].lens is not None

    def _changed(self, group: int, what: int, by: float) -> F64:
        lens = self._lens[group].copy()
        if what == 0:
            lens[:2] *= np.exp(by)
        else:
            lens[what] += by
        return lens

    def _cost(self, group: int, pictures: np.ndarray, lens: F64, *, keep: bool = False) -> float:
        """Sum of the losses of pictures that find their places anew through a lens; they stay there if ``keep``."""
        total = 0.0
        for number in pictures:
            rows = np.flatnonzero(self._good & (self._seen.picture == number))
            if len(rows) < 6:
                continue
            guess = self._rotation[number], self._shift[number]
            found = resect(guess, self._xyz[self._seen.place[rows]], self._pixel[rows], lens)
            total += float(np.log1p(found.squares / 2.25).sum())
            if keep:
                self._rotation[number], self._shift[number] = found.rotation, found.shift
        return total
