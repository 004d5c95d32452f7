"""Eyes from outside, opened by word: ``onnx:PATH``, ``transformers:FOLDER_OR_REPO``, or the name of a fetched model.

No network is used here: what is not on this disk is an error that says how to fetch it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from unflat.errors import InputError, MissingExtraError, RightsError, WeightsError
from unflat.models.cache import Held, find, held, verified
from unflat.models.card import ModelCard
from unflat.models.catalogue import known
from unflat.models.depth.protocol import DepthModel
from unflat.trust.licences import UNKNOWN, allows_commerce, licence_of_readme

if TYPE_CHECKING:
    from unflat.models.depth.transformers import Transformers

PREFIXES = ("onnx:", "transformers:")
"""How a word of ``--depth`` begins that names weights rather than a model of the table."""
_TORCH_DEVICES = ("cpu", "cuda")
_README = 1 << 20


@dataclass(frozen=True, slots=True)
class Ask:
    """How a model is wanted.

    Attributes:
        threads: Threads it may use; 0 for all.
        device: A word of :data:`unflat.models.devices.Device`.
        kind: What the user says of its numbers.
        commercial_only: Refuse weights that may not be used at work.
    """

    threads: int = 0
    device: str = "cpu"
    kind: str | None = None
    commercial_only: bool = False


def is_outside(word: str) -> bool:
    """Whether a word of ``--depth`` names a model from outside (it need not be there)."""
    return word.startswith(PREFIXES) or known(word) is not None or find(word) is not None


def open_outside(word: str, ask: Ask) -> DepthModel:
    """Open a model from outside.

    Raises:
        InputError: The word names nothing, or the device is not there.
        MissingExtraError: Its runtime is not installed.
        WeightsError: It is not on this disk, or damaged.
        RightsError: Its licence forbids what ``ask`` is for.
    """
    if word == "onnx:":
        raise InputError("'onnx:' names no file", hint="Write onnx:PATH.")
    if word.startswith("onnx:"):
        return _onnx(_path(word.removeprefix("onnx:")), ask)
    rest = word.removeprefix("transformers:")
    folder = _path(rest)
    if rest and word.startswith("transformers:") and folder.is_dir():
        return _transformers(folder, f"transformers:{folder.resolve().name}", ask, None)
    found = find(rest)
    if found is not None:
        return open_held(found, ask)
    row = known(rest)
    if row is None and not _repo_like(rest):
        raise InputError(f"'{rest:.80}' is neither a folder nor a repository", hint="Write transformers:OWNER/MODEL.")
    snapshot = _hub_snapshot(row.repo if row else rest)
    if snapshot is not None:
        return _transformers(snapshot, f"transformers:{row.repo if row else rest}", ask, row and row.licence)
    if row is not None:
        _allowed(row.name, row.licence, row.commercial, ask)
    raise WeightsError(
        f"the weights of '{rest:.80}' are not on this disk",
        hint=f"Fetch them once: unflat models pull {row.name if row else rest}",
    )


def _path(word: str) -> Path:
    """A path as the user wrote it, ``~`` for the home folder; where nobody has such a home it stays as it is."""
    try:
        return Path(word).expanduser()
    except RuntimeError:
        return Path(word)


def open_held(model: Held, ask: Ask) -> DepthModel:
    """Open a fetched model, its files compared with their record."""
    _allowed(model.name, model.licence, model.commercial, ask)
    folder = verified(model)
    if model.runtime == "onnx":
        return _onnx(folder / model.main, ask, model)
    eye = _transformers(folder, model.name, ask, model.licence)
    eye.card = _stamped(eye.card, model)
    return eye


def best_on_disk(ask: Ask) -> Held | None:
    """The best fetched model of the catalogue that can be opened here, or None."""
    return next((one for one in _ranked(ask) if missing_extra(one) is None), None)


def passed_over(ask: Ask) -> Held | None:
    """The best fetched model of the catalogue, if all that it lacks is an extra."""
    best = next(iter(_ranked(ask)), None)
    return best if best is not None and missing_extra(best) else None


def _ranked(ask: Ask) -> list[Held]:
    """The fetched models of the catalogue that suit what is asked, best first, whether or not they can be opened."""
    suiting = [
        (row.rank, one) for one in held() if (row := known(one.source)) is not None and row.rank and _suits(one, ask)
    ]
    return [one for _, one in sorted(suiting, key=lambda pair: -pair[0])]


def _suits(model: Held, ask: Ask) -> bool:
    allowed = model.commercial or not ask.commercial_only
    return allowed and (model.runtime == "onnx" or ask.device in _TORCH_DEVICES)


def missing_extra(model: Held) -> str | None:
    """The extra of unflat that a fetched model needs and that is not installed, or None."""
    return None if model.runtime == "onnx" or torch_is_there() else "models"


def torch_is_there() -> bool:
    """Whether torch and transformers are installed; neither is imported."""
    found = [find_spec(package) for package in ("torch", "transformers")]
    return all(spec is not None and spec.origin is not None for spec in found)


def _onnx(path: Path, ask: Ask, model: Held | None = None) -> DepthModel:
    from unflat.models.depth.onnx import Onnx

    name = model.name if model else f"onnx:{path.name}"
    eye = Onnx(path, name, kind=ask.kind, threads=ask.threads, device=ask.device)
    if model is not None:
        eye.card = replace(_stamped(eye.card, model), licence=model.licence)
    _allowed(eye.card.name, eye.card.licence, eye.card.commercial, ask)
    return eye


def _transformers(folder: Path, name: str, ask: Ask, licence: str | None) -> Transformers:
    """Open a folder; the README in it is believed before ``licence``."""
    stated = licence_in(folder) or licence or UNKNOWN
    _allowed(name, stated, allows_commerce(stated), ask)
    if not torch_is_there():
        raise MissingExtraError(f"the model '{name}'", "models")
    from unflat.models.depth.transformers import Transformers

    return Transformers(folder, name, stated, kind=ask.kind, threads=ask.threads, device=ask.device)


def licence_in(folder: Path) -> str | None:
    """The licence that the README in a model's folder states."""
    readme = folder / "README.md"
    if not readme.is_file() or readme.stat().st_size > _README:
        return None
    return licence_of_readme(readme.read_text(encoding="utf-8-sig", errors="replace"))


def _stamped(card: ModelCard, model: Held) -> ModelCard:
    """The card of a fetched model: its record says where it came from."""
    return replace(card, source=f"{model.source} {model.revision}".strip())


def _allowed(name: str, licence: str, commercial: bool, ask: Ask) -> None:
    if ask.commercial_only and not commercial:
        raise RightsError(
            f"the licence of '{name}' ({licence}) does not allow commercial use",
            hint="Use --depth worlds, or another model that 'unflat models list' shows as free.",
        )


def check_rights(card: ModelCard, ask: Ask) -> None:
    """Refuse a model that may not be used at work, if only such are wanted.

    Raises:
        RightsError: It may not.
    """
    _allowed(card.name, card.licence, card.commercial, ask)


def _repo_like(word: str) -> bool:
    owner, slash, model = word.partition("/")
    plain = all(part and all(c.isalnum() or c in "._-" for c in part) for part in (owner, model))
    return bool(slash) and plain and ".." not in word


def _hub_snapshot(repo: str) -> Path | None:
    """Where the user's own Hugging Face cache holds a repository, if it does; nothing is fetched."""
    if find_spec("huggingface_hub") is None or not _repo_like(repo):
        return None
    from huggingface_hub import try_to_load_from_cache  # pyright: ignore[reportMissingImports]

    config = try_to_load_from_cache(repo, "config.json")
    return Path(config).parent if isinstance(config, str) else None
