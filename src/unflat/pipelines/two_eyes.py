"""A frame with its depth -> what both eyes see of it -> the pictures of one or several films."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unflat.pipelines.film_span import ShotSetting, set_for
from unflat.stages.make_stereo import Memory, make_stereo
from unflat.stages.plan_stereo import StereoOptions, beyond_comfort, plan_stereo
from unflat.types.clip import DepthFrame
from unflat.types.stereo import Rig, StereoPair

if TYPE_CHECKING:
    from unflat.formats.film_parts import HandedOn


class Look(Protocol):
    """What one of the films shows of a frame."""

    def __call__(self, frame: DepthFrame, pair: StereoPair | None) -> NDArray[Any]:
        """What its writer takes, of the same size for every frame."""
        ...


@dataclass(slots=True)
class _Shot:
    """What is noted of a shot, or of the part of it that lies in one segment."""

    number: int
    begins: Fraction
    options: StereoOptions
    frames: int = 0
    near: float = 0.0
    far: float = np.inf
    made: float = 0.0
    out: float = 0.0
    in_: float = 0.0
    notes: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For the report, in the form that settings by shot have."""
        return {
            "shot": self.number,
            "from": round(float(self.begins), 6),
            "frames": self.frames,
            "strength": self.options.strength,
            "convergence": self.options.convergence,
            "near": self.near,
            "far": self.far if np.isfinite(self.far) else self.near,
            "made_up": self.made / max(1, self.frames),
            "out_percent": 100 * self.out,
            "in_percent": 100 * self.in_,
            "notes": list(self.notes),
        }


class TwoEyes:
    """Paints the frames of films for two eyes, shot by shot; the painter of a :class:`unflat.pipelines.film_line.Run`.

    Args:
        looks: What each film shows.
        options: How the eyes are placed; None where no film needs them.
        settings: What is different in some shots.
    """

    def __init__(
        self,
        looks: Sequence[Look],
        options: StereoOptions | None,
        settings: tuple[ShotSetting, ...] = (),
    ) -> None:
        self._looks, self._options, self._settings = looks, options, settings
        self._memory: Memory | None = None
        self._shots: list[_Shot] = []
        self._number, self._begins = -1, Fraction(0)

    def paint(self, frame: DepthFrame) -> Sequence[NDArray[Any]]:
        """The pictures of all films."""
        if frame.shot != self._number:
            self._number, self._begins, self._memory = frame.shot, frame.frame.time, None
        if not self._shots or self._shots[-1].number != frame.shot:
            options = set_for(self._begins, self._options or StereoOptions(), self._settings)
            self._shots.append(_Shot(frame.shot, self._begins, options))
        shot = self._shots[-1]
        shot.frames += 1
        shot.near, shot.far = max(shot.near, frame.near), min(shot.far, frame.far)
        pair = None if self._options is None else self._seen(frame, shot)
        return [look(frame, pair) for look in self._looks]

    def _seen(self, frame: DepthFrame, shot: _Shot) -> StereoPair:
        """Both views of a frame."""
        width = frame.frame.pixels.shape[1]
        rig = Rig(0.0, 0.0, width, shot.options.left)  # nothing is nearer than infinity: both see the same
        if frame.near > 0:
            rig = plan_stereo(frame.near, frame.far, width, shot.options)
            shot.notes = shot.notes or beyond_comfort(frame.near, frame.far, rig, shot.options.display)
        pair, self._memory = make_stereo(frame.frame.pixels, frame.inverse, rig, shot.options, self._memory)
        made = [m for m in (pair.left_made, pair.right_made) if m is not None]
        shot.made += float(np.mean([m.mean() for m in made])) if made else 0.0
        shot.out, shot.in_ = max(shot.out, pair.out_share), max(shot.in_, pair.in_share)
        return pair

    def handed_on(self) -> HandedOn:
        """The filled band of the last frame, and which shot it is of."""
        begins = np.array([self._number, self._begins.numerator, self._begins.denominator], np.int64)
        if self._memory is None:
            return {"shot": begins}
        return {"shot": begins, **self._memory.arrays()}

    def take_up(self, handed_on: HandedOn) -> None:
        """Go on after another run's frame."""
        number, above, below = (int(v) for v in handed_on["shot"])
        self._number, self._begins = number, Fraction(above, below)
        rest = {name: value for name, value in handed_on.items() if name != "shot"}
        self._memory = Memory.of(rest) if rest else None

    def about(self) -> Mapping[str, Any]:
        """The shots since this was last asked."""
        told = {"shots": [shot.plain() for shot in self._shots]}
        self._shots = []
        return told


def whole_shots(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The shots of a film from those of its segments: parts of one shot become one."""
    shots: list[dict[str, Any]] = []
    for row in rows:
        if not shots or shots[-1]["shot"] != row["shot"]:
            shots.append(dict(row))
            continue
        last, frames = shots[-1], shots[-1]["frames"] + row["frames"]
        made = (last["made_up"] * last["frames"] + row["made_up"] * row["frames"]) / max(1, frames)
        most = {key: max(last[key], row[key]) for key in ("near", "out_percent", "in_percent")}
        last |= {**most, "far": min(last["far"], row["far"]), "made_up": made, "frames": frames}
        last["notes"] = last["notes"] or row["notes"]
    return shots
