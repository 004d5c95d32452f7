"""Networks opened by onnxruntime on a device, its exceptions turned into ours."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from unflat.errors import InputError, MemoryLimitError, UnflatError, WeightsError
from unflat.models.devices import provider_of

if TYPE_CHECKING:
    import onnxruntime

_LISTENING_S = 0.2
_GRACE_S = 1.0
"""How long an interrupt waits for a network to stop as it was told, before it leaves it behind."""
_Result = TypeVar("_Result")


def open_session(path: Path, threads: int, device: str) -> onnxruntime.InferenceSession:
    """Open a network whose file is trusted.

    Args:
        path: The ``.onnx`` file.
        threads: Threads it may use; 0 for all cores.
        device: A word of :data:`unflat.models.devices.Device`.

    Raises:
        InputError: ``device`` is not there or does not start.
    """
    options = _options(threads)
    options.add_session_config_entry("session.disable_quant_qdq", "1")  # 8-bit weights become floats once, not each run
    return _opened(path, options, device)


def _options(threads: int) -> onnxruntime.SessionOptions:
    from unflat.models.runtime import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    return options


def _opened(path: Path, options: onnxruntime.SessionOptions, device: str) -> onnxruntime.InferenceSession:
    from unflat.models.runtime import onnxruntime as ort

    provider = provider_of(device)
    backed = dict.fromkeys([provider, "CPUExecutionProvider"])  # the CPU takes what a device cannot do
    session = ort.InferenceSession(str(path), options, providers=list(backed))
    if session.get_providers()[0] != provider:
        hint = "Install its driver and libraries, or leave out --device."
        raise InputError(f"'{device}' does not start on this machine", hint=hint)
    return session


def thrifty() -> onnxruntime.RunOptions:
    """How to run a network on the processor so that it gives back the memory it worked in, instead of keeping it."""
    from unflat.models.runtime import onnxruntime as ort

    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def open_untrusted(path: Path, threads: int, device: str) -> onnxruntime.InferenceSession:
    """Open a network of somebody else; Ctrl-C ends even one whose constants take for ever to fold.

    Raises:
        InputError: ``device`` is not there or does not start.
        WeightsError: onnxruntime cannot open it.
        MemoryLimitError: It does not fit in memory.
    """
    try:
        options = _options(threads)
        return _interruptible(lambda: _opened(path, options, device), lambda: options.set_load_cancellation_flag(True))
    except (*faults(), OSError, RuntimeError, ValueError) as error:
        raise _told(error, f"'{path.name}' cannot be opened") from error


def run_untrusted(
    session: onnxruntime.InferenceSession, outputs: Sequence[str], feed: dict[str, np.ndarray[Any, Any]], name: str
) -> list[np.ndarray[Any, Any]]:
    """Run a network of somebody else; Ctrl-C ends even one that never would.

    Raises:
        WeightsError: It fails, or gives something other than arrays.
        MemoryLimitError: It does not fit in memory.
    """
    from unflat.models.runtime import onnxruntime as ort

    options = ort.RunOptions()
    try:
        given = _interruptible(
            lambda: session.run(list(outputs), feed, options), lambda: setattr(options, "terminate", True)
        )
    except (*faults(), OSError, RuntimeError, ValueError) as error:
        raise _told(error, f"'{name}' fails on a picture of shape {_shapes(feed)}") from error
    for one in given:
        if not isinstance(one, np.ndarray):
            raise WeightsError(f"'{name}' gave a {type(one).__name__}, not an array")
    return [np.asarray(one) for one in given]


def _interruptible(work: Callable[[], _Result], stop: Callable[[], None]) -> _Result:
    """Work in a thread of its own: a signal reaches only a thread that is in Python, and is answered at once there.

    Args:
        work: Foreign code that holds no lock of Python's.
        stop: Tells it to end early. It looks up between its steps only; one that is deep in a step is left behind,
            and its thread ends with the process.
    """
    done: Future[_Result] = Future()

    def worked() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  (raised again by whoever waits)
            done.set_exception(error)

    threading.Thread(target=worked, daemon=True).start()
    try:
        while not wait((done,), timeout=_LISTENING_S).done:  # without a timeout Windows would not listen
            pass
    except BaseException:
        stop()
        wait((done,), timeout=_GRACE_S)
        raise
    return done.result()


def faults() -> tuple[type[Exception], ...]:
    """Everything onnxruntime raises of its own."""
    from unflat.models import runtime

    state = importlib.import_module(f"{runtime.onnxruntime.__name__}.capi.onnxruntime_pybind11_state")
    return tuple(one for one in vars(state).values() if isinstance(one, type) and issubclass(one, Exception))


def _told(error: Exception, what: str) -> UnflatError:
    said = " ".join(str(error).split())
    if any(word in said for word in ("bad_alloc", "bad allocation", "allocate memory", "AllocateRaw")):
        return MemoryLimitError(f"{what}: it does not fit in memory", hint="A smaller network or picture does.")
    return WeightsError(f"{what}: {said[:200]}", hint="Is it a whole file, a depth network, and its card right?")


def _shapes(feed: dict[str, np.ndarray[Any, Any]]) -> str:
    return ", ".join("×".join(map(str, one.shape)) for one in feed.values())
