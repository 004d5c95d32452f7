"""Where a network runs: the words of ``--device`` and the provider of onnxruntime behind each."""

from __future__ import annotations

from typing import Literal

from unflat.errors import InputError

Device = Literal["cpu", "cuda", "coreml", "directml"]

_PROVIDERS: dict[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
_BUILDS = {
    "cuda": "pip uninstall onnxruntime, then pip install onnxruntime-gpu",
    "coreml": "macOS's own onnxruntime has it",
    "directml": "on Windows: pip uninstall onnxruntime, then pip install onnxruntime-directml",
}


def check_threads(number: int) -> None:
    """Refuse what cannot be a number of threads.

    Raises:
        InputError: It is negative, or absurd.
    """
    if not 0 <= number <= 1024:
        raise InputError(f"--threads {number} is out of range", hint="Give 0 for all cores, or a number.")


def devices() -> tuple[str, ...]:
    """The devices that the installed onnxruntime was built for; a driver may still be missing."""
    from unflat.models.runtime import onnxruntime

    there = onnxruntime.get_available_providers()
    return tuple(device for device, provider in _PROVIDERS.items() if provider in there)


def provider_of(device: str) -> str:
    """The provider's name in onnxruntime.

    Raises:
        InputError: The installed onnxruntime has no such device.
    """
    there = devices()
    if device not in there:
        hint = f"Installed: {' '.join(there)}. {device}: {_BUILDS.get(device, 'unknown')}."
        raise InputError(f"the installed onnxruntime cannot run on '{device}'", hint=hint)
    return _PROVIDERS[device]
