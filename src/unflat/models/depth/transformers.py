"""Depth networks of the ``transformers`` library, run by torch: ``--depth transformers:FOLDER_OR_REPO``.

Only a folder on this disk is opened, only weights in safetensors, and no code that comes with them is run.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from unflat.errors import InputError, MemoryLimitError, MissingExtraError, UnflatError, WeightsError
from unflat.models.card import ModelCard
from unflat.models.depth.protocol import Prediction
from unflat.models.families import Recipe, recipe_of
from unflat.models.framing import cut, lay
from unflat.models.meaning import plane_of, to_values
from unflat.models.onnx_file import digest_of
from unflat.trust.licences import allows_commerce
from unflat.types.arrays import F32, U8

_UNUSED = ("fusion_stage.layers.0.residual_layer1.", "pooler.")
"""Weights that some published files lack and no forward pass touches."""
_FOV_DEG = (1.0, 170.0)
_INVERSE_M = (1e-4, 1e4)
"""Depth Pro's own limits of inverse depth in 1/metres."""
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


class Transformers:
    """A network in a folder that ``save_pretrained`` or ``unflat models pull`` wrote.

    Args:
        folder: With config.json and model.safetensors.
        name: What it is called in the report.
        licence: Of the weights.
        kind: What its numbers mean, where its family does not tell.
        threads: Threads of torch; 0 leaves them as they are.
        device: "cpu" or "cuda".

    Raises:
        MissingExtraError: torch or transformers is not installed.
        WeightsError: The folder is damaged, or nobody knows what the numbers mean.
        InputError: The device is not there, or the network sees no depth in single pictures.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        licence: str,
        *,
        kind: str | None = None,
        threads: int = 0,
        device: str = "cpu",
    ) -> None:
        self._recipe = recipe_of(folder, name, kind)
        self._files = weights_of(folder, name)
        self._folder, self._name, self._threads = folder, name, threads
        self._device = _device(device)
        self.card = _card(name, self._recipe, self._files, licence)

    def predict(self, rgb: U8) -> Prediction:
        """Look at one picture.

        Args:
            rgb: (h, w, 3) uint8 sRGB.

        Raises:
            WeightsError: The network fails, or what it gives is no depth.
            MemoryLimitError: It does not fit in memory.
        """
        numbers, window = lay(rgb, self._recipe.framing)
        raw, fov_deg = self._run(np.ascontiguousarray(numbers.transpose(2, 0, 1)[None]))
        plane = cut(plane_of(raw, self._name), window)
        kind = self._recipe.meaning.kind
        focal = None
        if self._recipe.field_of_view:
            plane, focal = _with_focal(plane, fov_deg, rgb.shape[1], rgb.shape[0], self._name)
        return Prediction(to_values(plane, self._recipe.meaning, self._name), kind, focal_over_long_side=focal)

    def _run(self, pixels: F32) -> tuple[np.ndarray[Any, Any], float | None]:
        """(1, 3, H, W) float32 in; the network's own numbers and its horizontal field of view in degrees out."""
        import torch  # pyright: ignore[reportMissingImports]

        model = _network(self._folder, _stamps(self._files), self._device)
        with _translated(f"'{self._name}' fails on a picture of {pixels.shape[3]}×{pixels.shape[2]}"):
            with _threads(self._threads), torch.inference_mode():
                seen = model(pixel_values=torch.from_numpy(pixels).to(self._device))
                fov = getattr(seen, "field_of_view", None)
                raw = seen.predicted_depth.to(torch.float32).cpu().numpy()
            return raw, None if fov is None else float(fov.to(torch.float32).reshape(-1)[0])


def _with_focal(plane: F32, fov_deg: float | None, width: int, height: int, name: str) -> tuple[F32, float]:
    """Canonical inverse depth as inverse metres: times width over focal length, both in pixels of the picture.

    Returns:
        (h, w) 1/metres, and the focal length over the long side.
    """
    if fov_deg is None or not _FOV_DEG[0] <= fov_deg <= _FOV_DEG[1]:
        raise WeightsError(f"'{name}' gave a field of view of {fov_deg} degrees", hint="The weights are damaged.")
    focal = 0.5 * width / math.tan(math.radians(fov_deg) / 2)
    inverse = np.clip(plane * np.float32(width / focal), _INVERSE_M[0], _INVERSE_M[1]).astype(np.float32)
    return inverse, focal / max(width, height)


def weights_of(folder: Path, name: str) -> tuple[Path, ...]:
    """The files of the weights.

    Raises:
        WeightsError: There are none in safetensors.
    """
    if (folder / "adapter_config.json").exists():
        raise WeightsError(f"'{name}' is an adapter of another model", hint="Merge it into that model, and save both.")
    one = folder / "model.safetensors"
    files = (one,) if one.is_file() else tuple(sorted(folder.glob("model-*-of-*.safetensors")))
    if not files:
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt*"))
        why = "only in a form that may hide a program (.bin, .pt)" if pickled else "not there"
        raise WeightsError(
            f"the weights of '{name}' are {why}", hint="Weights are read from model.safetensors; convert or fetch them."
        )
    return files


def _card(name: str, recipe: Recipe, files: tuple[Path, ...], licence: str) -> ModelCard:
    return ModelCard(
        name=name,
        summary=f"A network of the family {recipe.title}.",
        kind=recipe.meaning.kind,
        licence=licence,
        commercial=allows_commerce(licence),
        source="weights for the library transformers, from outside",
        file=files[0].name,
        sha256=digest_of(files),
        bytes=sum(file.stat().st_size for file in files),
        gives=("field of view",) if recipe.field_of_view else (),
        limits="It knows neither sky nor how sure it is.",
        assumed=recipe.assumed,
    )


def _device(device: str) -> str:
    torch, _ = _libraries()
    if device not in ("cpu", "cuda"):
        raise InputError(f"torch does not run on '{device}'", hint="For this model: --device cpu or cuda.")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("the installed torch has no CUDA here", hint="Leave out --device, or install torch with CUDA.")
    return device


def _libraries() -> tuple[Any, Any]:
    """Torch and transformers.

    Raises:
        MissingExtraError: One of them is not installed.
    """
    try:
        import torch  # pyright: ignore[reportMissingImports]
        import transformers  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtraError("a model of the transformers library", "models") from error
    return torch, transformers


def _stamps(files: tuple[Path, ...]) -> tuple[tuple[str, int, int], ...]:
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)


@lru_cache(maxsize=1)
def _network(folder: Path, stamps: tuple[tuple[str, int, int], ...], device: str) -> Any:
    """The network, opened once; ``stamps`` only tells changed files from the old ones.

    Raises:
        WeightsError: The files do not make the network that their configuration describes.
        MemoryLimitError: It does not fit in memory.
    """
    torch, transformers = _libraries()
    total = sum(size for _, _, size in stamps)
    if total * 1.2 > _memory():
        raise MemoryLimitError(f"weights of {total / 1e9:.1f} GB do not fit in memory", hint="Take a smaller model.")
    with _translated(f"the weights in '{folder.name}' cannot be opened"), _hushed(transformers):
        _fits(torch, transformers, folder, total)
        model, told = transformers.AutoModelForDepthEstimation.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
        lost = [key for key in told["missing_keys"] if not any(word in key for word in _UNUSED)]
        if lost or told.get("mismatched_keys"):
            what = f"{len(lost)} weights are missing ({lost[0]:.60})" if lost else "weights have other shapes"
            raise WeightsError(f"the weights in '{folder.name}' are not whole: {what}", hint="Fetch them again.")
        return model.eval().to(device)


def _fits(torch: Any, transformers: Any, folder: Path, stored: int) -> None:
    """Build the network without memory first: its numbers must be about as many as the file holds."""
    config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        empty = transformers.AutoModelForDepthEstimation.from_config(config, trust_remote_code=False)
    needed = sum(one.numel() for one in empty.parameters())
    if needed > 2 * stored + 1_000_000:
        raise WeightsError(
            f"config.json describes {needed / 1e6:.0f} million numbers, the file in '{folder.name}' cannot hold them",
            hint="Fetch both from the same place again.",
        )


def _memory() -> float:
    """Bytes of memory in this machine; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    """So many threads of torch for a while; 0 changes nothing."""
    import torch  # pyright: ignore[reportMissingImports]

    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _hushed(transformers: Any) -> Iterator[None]:
    """Transformers neither logs nor draws bars for a while."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Whatever torch, transformers and safetensors raise over a hostile file, as ours."""
    from safetensors import SafetensorError  # pyright: ignore[reportMissingImports]

    try:
        yield
    except UnflatError:
        raise
    except ImportError as error:
        raise WeightsError(
            f"{what}: it needs another package: {_short(error)}", hint="Install that package."
        ) from error
    except MemoryError as error:
        raise MemoryLimitError(f"{what}: it does not fit in memory", hint="Take a smaller model.") from error
    except (*_FAULTS, SafetensorError) as error:
        if "not enough memory" in str(error) or "out of memory" in str(error):
            raise MemoryLimitError(f"{what}: it does not fit in memory", hint="Take a smaller model.") from error
        raise WeightsError(f"{what}: {_short(error)}", hint="Are all its files whole and from one place?") from error


def _short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
