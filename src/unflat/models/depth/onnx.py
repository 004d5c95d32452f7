"""Any exported depth network, run by onnxruntime: ``--depth onnx:net.onnx``, its card in ``net.json``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unflat.errors import WeightsError
from unflat.models.card import ModelCard
from unflat.models.depth.protocol import Prediction
from unflat.models.framing import IMAGENET, Framing, Window, cut, lay, place
from unflat.models.meaning import Meaning, plane_of, to_values
from unflat.models.onnx_card import OnnxCard, read_card
from unflat.models.onnx_file import digest_of, files_of
from unflat.models.sessions import open_untrusted, run_untrusted
from unflat.types.arrays import F32, U8
from unflat.types.image import Size

if TYPE_CHECKING:
    import onnxruntime

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_SAFE_MULTIPLE = 224
"""A multiple of 14, 16 and 32: what a network of free size is shown if nobody says what it wants."""
_NAME_IT = "Name it in the card: docs/models.md."


@dataclass(frozen=True, slots=True)
class _Door:
    """The graph's input.

    Attributes:
        name: Of the input.
        dtype: Of its numbers.
        batched: It has an axis for the batch.
        channels_last: Its last axis is that of the colours.
        size: What the graph fixes, or None.
    """

    name: str
    dtype: type[np.generic]
    batched: bool
    channels_last: bool
    size: Size | None


class Onnx:
    """A network in an ``.onnx`` file.

    Args:
        path: The file.
        name: What it is called in the report: the word of ``--depth``, without the file's folder.
        kind: What its numbers mean, if its card does not say.
        threads: Threads of onnxruntime; 0 lets it take all cores.
        device: A word of :data:`unflat.models.devices.Device`.

    Raises:
        WeightsError: The file is damaged, points out of its folder, or is no network that sees depth in one picture.
        InputError: The device is not there, or ``kind`` contradicts the card.
    """

    def __init__(
        self, path: Path, name: str, *, kind: str | None = None, threads: int = 0, device: str = "cpu"
    ) -> None:
        files = files_of(path)
        self._session = _session(path, tuple(_stamp(file) for file in files), threads, device)
        said = read_card(path, dict(self._session.get_modelmeta().custom_metadata_map), kind)
        assert said.meaning is not None
        self._name, self._meaning = name, said.meaning
        self._door = _door_of(self._session, said)
        self._framing, assumed = _framing_of(self._door, said)
        self._outputs = _outputs_of(self._session, said)
        self.card = _card(name, files, said, said.meaning, assumed)

    def predict(self, rgb: U8) -> Prediction:
        """Look at one picture.

        Args:
            rgb: (h, w, 3) uint8 sRGB.

        Raises:
            WeightsError: The network fails, or what it gives is no depth.
            MemoryLimitError: It does not fit in memory.
        """
        fed, window = self._laid(rgb)
        names = list(self._outputs.values())
        planes = run_untrusted(self._session, names, {self._door.name: fed}, self._name)
        seen = {key: cut(plane_of(plane, self._name), window) for key, plane in zip(self._outputs, planes, strict=True)}
        values = to_values(seen["depth"], self._meaning, self._name)
        sky, confidence = (self._share(seen.get(key), key, values) for key in ("sky", "confidence"))
        return Prediction(values, self._meaning.kind, sky, confidence)

    def _laid(self, rgb: U8) -> tuple[np.ndarray[Any, Any], Window]:
        """The picture as the graph takes it."""
        door = self._door
        if door.dtype is np.uint8:
            bytes_, window = place(rgb, self._framing)
            numbers: np.ndarray[Any, Any] = bytes_[..., ::-1] if self._framing.bgr else bytes_
        else:
            numbers, window = lay(rgb, self._framing)
            numbers = numbers.astype(door.dtype)
        if not door.channels_last:
            numbers = numbers.transpose(2, 0, 1)
        return np.ascontiguousarray(numbers[None] if door.batched else numbers), window

    def _share(self, plane: F32 | None, key: str, values: F32) -> F32 | None:
        """An output that is a probability, of the depth's size."""
        if plane is None:
            return None
        if plane.min() < -1e-3 or plane.max() > 1 + 1e-3:
            raise WeightsError(f"the {key} of '{self._name}' is not within 0..1", hint="Mend its card.")
        import cv2

        size = (values.shape[1], values.shape[0])
        return np.clip(np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32), 0, 1)


def _stamp(path: Path) -> tuple[str, int, int]:
    """Tells whether a file is still the one that was opened."""
    about = path.stat()
    return str(path), about.st_mtime_ns, about.st_size


@lru_cache(maxsize=2)
def _session(
    path: Path, stamps: tuple[tuple[str, int, int], ...], threads: int, device: str
) -> onnxruntime.InferenceSession:
    """One network opened once; ``stamps`` only tells a changed file from the old one."""
    return open_untrusted(path, threads, device)


def _door_of(session: onnxruntime.InferenceSession, said: OnnxCard) -> _Door:
    """The one input that takes the picture."""
    inputs = session.get_inputs()
    wanted = said.input.get("name")
    if len(inputs) != 1 or (wanted and inputs[0].name != wanted):
        names = " ".join(one.name for one in inputs[:8])
        what = f"none named '{wanted:.40}'" if wanted and len(inputs) == 1 else f"{len(inputs)} of them"
        raise WeightsError(f"a depth network takes one picture; this one's inputs ({names:.100}) are {what}")
    one = inputs[0]
    if one.type not in _TYPES:
        raise WeightsError(f"the input '{one.name:.40}' takes {one.type}, not a picture")
    shape = [side if isinstance(side, int) and side > 0 else None for side in one.shape]
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[0] not in (1, None)):
        raise WeightsError(f"the input '{one.name:.40}' has the shape {one.shape}, not that of one picture")
    last = _channels_last(shape[-3:], said.input.get("layout"), one.name)
    high, wide = shape[-3:-1] if last else shape[-2:]
    size = None if high is None or wide is None else Size(wide, high)
    if size is None and (high is not None or wide is not None):
        raise WeightsError(f"the input '{one.name:.40}' fixes one side only: {one.shape}", hint="Export it again.")
    return _Door(one.name, _TYPES[one.type], len(shape) == 4, last, size)


def _channels_last(shape: list[int | None], layout: str | None, name: str) -> bool:
    """Where the three colours stand."""
    first, last = shape[0] in (3, None), shape[2] in (3, None)
    if layout is not None:
        if not (last if layout == "NHWC" else first):
            raise WeightsError(f"the input '{name:.40}' of shape {shape} is not {layout}", hint="Mend its card.")
        return layout == "NHWC"
    if (shape[0] == 3) == (shape[2] == 3):
        if first or last:
            raise WeightsError(f"the input '{name:.40}' does not tell where its colours are", hint=_NAME_IT)
        raise WeightsError(f"the input '{name:.40}' of shape {shape} takes no colour picture")
    return shape[2] == 3


def _framing_of(door: _Door, said: OnnxCard) -> tuple[Framing, tuple[str, ...]]:
    """What the picture becomes, and what had to be assumed of that."""
    asked, assumed = said.input, list[str]()
    size = door.size
    if "size" in asked:
        stated = Size(*asked["size"]) if min(asked["size"]) > 0 else Size(1, 1)
        if size is not None and stated != size:
            raise WeightsError(f"the card says {stated}, the graph takes {size} only", hint="Mend the card.")
        size = stated
    multiple = asked.get("multiple_of", 1)
    fit = asked.get("fit", "stretch" if size is not None else "least")
    if size is None:
        multiple = asked.get("multiple_of", _SAFE_MULTIPLE)
        side = max(1, round(518 / multiple)) * multiple
        size = Size(side, side)
        assumed.append(f"its size (about {side} pixels, multiples of {multiple})")
    if door.size is not None and fit in ("long", "short", "least", "down"):
        raise WeightsError(
            f"the graph takes {door.size} only, so fit '{fit:.40}' cannot be", hint="stretch or pad can."
        )
    if door.dtype is np.uint8:
        if {"mean", "std", "range"} & set(asked):
            raise WeightsError("the graph takes bytes: range, mean and std cannot be", hint="Mend the card.")
        return Framing(size, fit, multiple, scale=1.0, mean=(0, 0, 0), std=(1, 1, 1), bgr=_bgr(asked)), tuple(assumed)
    scale = 1.0 if asked.get("range", 1) == 255 else 1 / 255
    plain = {"mean", "std", "range"}.isdisjoint(asked)
    if plain:
        assumed.append("its colours (0..1, less ImageNet's mean, by its deviation)")
    mean, std = IMAGENET if plain else ((0, 0, 0), (1, 1, 1))
    numbers = (tuple(asked.get("mean", mean)), tuple(asked.get("std", std)))
    return Framing(size, fit, multiple, False, scale, *numbers, bgr=_bgr(asked)), tuple(assumed)


def _bgr(asked: dict[str, Any]) -> bool:
    return asked.get("channels", "RGB") == "BGR"


def _outputs_of(session: onnxruntime.InferenceSession, said: OnnxCard) -> dict[str, str]:
    """Which output is what. One alone is the depth; of several, the card must say."""
    names = [one.name for one in session.get_outputs()]
    for key, name in said.outputs.items():
        if name not in names:
            raise WeightsError(
                f"the card's {key} '{name:.40}' is no output of the network",
                hint=f"Its outputs: {' '.join(names):.200}.",
            )
    if "depth" in said.outputs:
        return dict(said.outputs)
    if len(names) != 1:
        raise WeightsError(f"the network has {len(names)} outputs ({' '.join(names):.100})", hint=_NAME_IT)
    return {"depth": names[0], **said.outputs}


def _card(name: str, files: tuple[Path, ...], said: OnnxCard, meaning: Meaning, assumed: tuple[str, ...]) -> ModelCard:
    return ModelCard(
        name=name,
        summary=said.texts.get("summary") or "An exported network.",
        kind=meaning.kind,
        licence=said.licence,
        commercial=said.commercial,
        source=said.texts.get("source") or "a file of the user",
        file=files[0].name,
        sha256=digest_of(files),
        bytes=sum(file.stat().st_size for file in files),
        gives=tuple(key for key in ("sky", "confidence") if key in said.outputs),
        limits=said.texts.get("limits", ""),
        assumed=assumed,
    )
