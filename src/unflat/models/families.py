"""The families of depth networks in ``transformers``: what each one's numbers mean, and what it wants to be shown.

A folder of such a network holds ``config.json`` (its family: ``model_type``) and ``preprocessor_config.json``. Both are
read here as plain JSON; nothing of ``transformers`` or torch is imported. Conversions follow the papers and the
post-processing that the networks' authors published: MiDaS and DPT (Ranftl et al. 2020, 2021), Depth Anything V1/V2
(Yang et al. 2024), ZoeDepth (Bhat et al. 2023), GLPN (Kim et al. 2022), Depth Pro (Bochkovskii et al. 2024).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflat.errors import InputError, WeightsError
from unflat.models.framing import IMAGENET, Fit, Framing
from unflat.models.meaning import KINDS, Meaning, kind_named
from unflat.types.depth import DepthKind
from unflat.types.image import Size

Config = dict[str, Any]
_LARGEST = 1 << 20
_LARGEST_NUMBER = 1 << 17
_MOST_LAYERS = 512
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_PLAIN = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Family:
    """One family.

    Attributes:
        title: Its name for people.
        meaning: What the numbers of a network with this configuration are; None if they cannot be known from it.
        usual: What it is shown if no ``preprocessor_config.json`` says otherwise.
        field_of_view: Its numbers are canonical inverse depth, z = focal length / (width * number), and it gives the
            field of view that makes them metres.
    """

    title: str
    meaning: Callable[[Config], Meaning | None]
    usual: Framing
    field_of_view: bool = False


def _depth_anything(config: Config) -> Meaning | None:
    """The relative ones give disparity up to factor and offset, the metric ones metres."""
    kinds = {"relative": Meaning(DepthKind.DISPARITY), "metric": Meaning(DepthKind.METRIC)}
    return kinds.get(config.get("depth_estimation_type", "relative"))


def _depth_pro(config: Config) -> Meaning | None:
    """Without its head for the field of view the focal length, one factor, stays unknown."""
    return Meaning(DepthKind.METRIC if config.get("use_fov_model") else DepthKind.SCALE, inverse=True)


def _dpt(config: Config) -> Meaning | None:
    """MiDaS's own give disparity; heads on DINOv2 were trained for depth in metres of one data set or another."""
    backbone = config.get("backbone_config")
    on = backbone.get("model_type") if isinstance(backbone, dict) else None
    return None if on in ("dinov2", "dinov2_with_registers", "dinov3_vit") else Meaning(DepthKind.DISPARITY)


def _metres(config: Config) -> Meaning | None:
    return Meaning(DepthKind.METRIC)


FAMILIES: dict[str, Family] = {
    "depth_anything": Family("Depth Anything", _depth_anything, Framing(Size(518, 518), "least", 14)),
    "depth_pro": Family(
        "Depth Pro", _depth_pro, Framing(Size(1536, 1536), mean=_HALF[0], std=_HALF[1]), field_of_view=True
    ),
    "dpt": Family("DPT (MiDaS)", _dpt, Framing(Size(384, 384), "least", 32, mean=_HALF[0], std=_HALF[1])),
    "glpn": Family("GLPN", _metres, Framing(Size(640, 640), "down", 32, mean=_PLAIN[0], std=_PLAIN[1])),
    "tipsv2_dpt": Family("TIPSv2 DPT", _metres, Framing(Size(448, 448), mean=_PLAIN[0], std=_PLAIN[1])),
    "zoedepth": Family(
        "ZoeDepth", _metres, Framing(Size(512, 384), "least", 32, mirror=True, mean=_HALF[0], std=_HALF[1])
    ),
}
"""Value of ``model_type`` to its family."""
_REACHING = ("backbone", "use_pretrained_backbone", "use_timm_backbone")
"""Keys with which the library would ask the hub for a part of the network; ``backbone_config`` says it in full."""
_NOT_EYES = {
    "chmv2": "it measures the height of trees from above, not depth",
    "prompt_depth_anything": "it needs the depth of a phone's LiDAR beside the picture",
}
_STRANGE = Family("a family without a row", lambda config: None, Framing(Size(518, 518), "least", 14))


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one network of a folder is used.

    Attributes:
        family: Its ``model_type``.
        title: The family's name for people.
        meaning: What its numbers are.
        framing: What it is shown.
        field_of_view: See :class:`Family`; only where the network really has that head.
        assumed: What nobody said, in words.
    """

    family: str
    title: str
    meaning: Meaning
    framing: Framing
    field_of_view: bool
    assumed: tuple[str, ...]


def recipe_of(folder: Path, name: str, kind: str | None = None) -> Recipe:
    """How the network in ``folder`` is used.

    Args:
        folder: With ``config.json`` and perhaps ``preprocessor_config.json``.
        name: Of the model, for messages.
        kind: What the user says of its numbers.

    Raises:
        WeightsError: A file is missing or damaged, or nobody says what the numbers mean.
        InputError: It is no network for depth in one picture, or the user contradicts its family.
    """
    config = read_json(folder / "config.json")
    word = config.get("model_type")
    if not isinstance(word, str):
        raise WeightsError(f"the config.json of '{name}' names no model_type", hint="Is it a transformers model?")
    if word in _NOT_EYES:
        raise InputError(
            f"'{name}' is no eye for depth: {_NOT_EYES[word]}", hint="'unflat models' lists some that are."
        )
    _sane(config, name)
    family = FAMILIES.get(word, _STRANGE)
    known = family.meaning(config)
    if kind is not None:
        said = Meaning(kind_named(kind))
        if known is not None and known.kind is not said.kind:
            raise InputError(f"'{name}' gives kind '{known.kind.value}', not '{kind}'", hint="Leave out --depth-kind.")
        known = known or said
    if known is None:
        raise WeightsError(
            f"nobody says what the numbers of '{name}' ({word:.40}) mean",
            hint=f"Read its documentation and say --depth-kind {KINDS.replace(' ', '|')}.",
        )
    beside = folder / "preprocessor_config.json"
    told = beside.is_file()
    framing = _framing(read_json(beside), family.usual, word, name) if told else family.usual
    assumed = () if told else (f"its size and colours (the usual ones of {family.title})",)
    fov = family.field_of_view and known.kind is DepthKind.METRIC
    return Recipe(word, family.title, known, framing, fov, assumed)


def read_json(path: Path) -> Config:
    """A small JSON object of an untrusted folder.

    Raises:
        WeightsError: Missing, too large, or no JSON object.
    """
    name = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise WeightsError(f"{name} is missing", hint="Give the folder that 'save_pretrained' or 'models pull' wrote.")
    if path.stat().st_size > _LARGEST:
        raise WeightsError(f"{name} is larger than 1 MB", hint="It is no configuration.")
    try:
        said = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{name} is no JSON: {str(error)[:100]}", hint="Fetch it again.") from error
    if not isinstance(said, dict):
        raise WeightsError(f"{name} is no JSON object", hint="Fetch it again.")
    return said


def _sane(config: Config, name: str) -> None:
    """Refuse a configuration that would build something endless, or reach out for more."""
    waiting: list[tuple[str, Any]] = [("", config)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(str(inner), one) for inner, one in value.items()]
        elif isinstance(value, list):
            waiting += [(key, one) for one in value]
        most = _MOST_LAYERS if "layers" in key or "depths" in key else _LARGEST_NUMBER
        if isinstance(value, int | float) and not -_LARGEST_NUMBER <= value <= most:
            raise WeightsError(f"the config.json of '{name}' says {key:.40} = {value}", hint="Do not trust it.")
        if (key in _REACHING and value) or key in ("auto_map", "custom_pipelines"):
            raise WeightsError(
                f"the config.json of '{name}' asks for code or weights from elsewhere ({key})", hint="Do not trust it."
            )


def _framing(said: Config, usual: Framing, word: str, name: str) -> Framing:
    """What a preprocessor's configuration asks for, in our words."""
    try:
        size = _size(said.get("size"), usual.size)
        mirrored = usual.mirror  # ZoeDepth's processor, the only one that keeps the shape unless told otherwise
        multiple = int(said.get("ensure_multiple_of") or (usual.multiple if mirrored else 1))
        if said.get("do_pad") and said.get("size_divisor"):
            multiple *= int(said["size_divisor"])
        fit: Fit = "least" if said.get("keep_aspect_ratio", mirrored) else "stretch"
        if word == "glpn" or not said.get("do_resize", True):
            fit, size, multiple = "down", usual.size, int(said.get("size_divisor") or usual.multiple)
        scale = float(said.get("rescale_factor", 1 / 255)) if said.get("do_rescale", True) else 1.0
        mean, std = _PLAIN
        if said.get("do_normalize", word not in ("glpn", "tipsv2_dpt")):
            fallback = _HALF if word in FAMILIES else IMAGENET  # what the library's processors do unless told
            mean = tuple(map(float, said.get("image_mean") or fallback[0]))
            std = tuple(map(float, said.get("image_std") or fallback[1]))
        return Framing(size, fit, multiple, mirrored and bool(said.get("do_pad", True)), scale, mean, std)
    except (TypeError, ValueError, OverflowError) as error:
        raise WeightsError(
            f"the preprocessor_config.json of '{name}' is damaged: {str(error)[:100]}", hint="Fetch it again."
        ) from error


def _size(said: Any, usual: Size) -> Size:
    """The nominal size, in any of the ways it has been written over the years."""
    if said is None:
        return usual
    if isinstance(said, dict):
        short = said.get("shortest_edge", usual.width)
        return Size(int(said.get("width", short)), int(said.get("height", short)))
    return Size(int(said), int(said))
