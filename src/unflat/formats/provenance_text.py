"""What a file says of itself, as plain JSON: one writer and one reader for every format.

``to_plain`` and ``from_plain`` carry a :class:`~unflat.types.Provenance`; ``record`` and ``from_record`` carry all
that a scene knows besides its shapes: frame, kind, scale and provenance. Unknown keys are passed over, so files of
later versions stay readable; wrong types are refused.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NoReturn, cast, get_args

import numpy as np

import unflat
from unflat.errors import InputError, ShapeError
from unflat.formats.plain import is_list, is_object
from unflat.formats.told_rights import promises
from unflat.types.provenance import Basis, Credentials, Likeness, Provenance, Reservation, Rights, Source, Step
from unflat.types.safe_view import SafeView
from unflat.types.scale import Scale, ScaleBasis
from unflat.types.scene import Frame, Scene

Plain = dict[str, Any]

_DEEPEST = 16
_SAFE = dataclasses.fields(SafeView)


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """What a scene knows besides its shapes."""

    frame: Frame
    scale: Scale
    provenance: Provenance
    safe_view: SafeView | None = None


def to_plain(provenance: Provenance) -> Plain:
    """Provenance as JSON values (dict, list, str, int, float, bool). What is not stated is left out.

    Label, source type, statement and bill of materials follow from the rest; they are written for others, and not
    read back.
    """
    return {
        "version": _clean(provenance.version),
        "created": _clean(provenance.created),
        "invented": provenance.invented,
        **promises(provenance),
        "sources": [_source_to_plain(source) for source in provenance.sources],
        "steps": [_step_to_plain(step) for step in provenance.steps],
        "warnings": [_clean(text) for text in provenance.warnings],
        **_promises_to_plain(provenance),
    }


def from_plain(plain: object) -> Provenance:
    """The inverse of :func:`to_plain`; lists become tuples.

    Raises:
        InputError: A key is missing or has a value of the wrong type.
    """
    entry = _object(plain, "provenance")
    return Provenance(
        sources=tuple(_source_from_plain(each) for each in _list(entry, "sources")),
        steps=tuple(_step_from_plain(each) for each in _list(entry, "steps")),
        version=_text(entry, "version"),
        invented=_truth(entry, "invented"),
        warnings=tuple(_is_text(each, "warnings") for each in _list(entry, "warnings")),
        created=_text_or_none(entry, "created"),
        likeness=_likeness_from_plain(entry.get("likeness")),
        leave=_text_or_none(entry, "leave"),
        urn=_text_or_none(entry, "urn"),
        converter=_text_or_none(entry, "converter"),
        subject=_text_or_none(entry, "subject"),
    )


def record(scene: Scene) -> Plain:
    """Frame, kind, scale, safe view and provenance of a scene as JSON values.

    ``kind`` is "metric" where something told the size and "scale" where the size is assumed.
    """
    safe = {} if scene.safe_view is None else {"safe_view": safe_to_plain(scene.safe_view)}
    return {
        "frame": scene.frame.value,
        "kind": "scale" if scene.scale.assumed else "metric",
        "scale": scale_to_plain(scene.scale),
        **safe,
        "provenance": to_plain(scene.provenance),
    }


def safe_to_plain(safe: SafeView) -> Plain:
    """How far the eye may go as JSON values: metres, and ``radius``, the least of the steps aside."""
    return {"radius": safe.radius, **{field.name: float(getattr(safe, field.name)) for field in _SAFE}}


def safe_from_plain(plain: object) -> SafeView | None:
    """The inverse of :func:`safe_to_plain`; None stays None.

    Raises:
        InputError: A number is missing or impossible.
    """
    if plain is None:
        return None
    entry = _object(plain, "safe_view")
    try:
        return SafeView(**{field.name: _number(entry, field.name) for field in _SAFE})
    except ShapeError as error:
        raise InputError(f"the record inside the file is damaged: {error}") from error


def from_record(plain: object) -> SceneRecord:
    """The inverse of :func:`record`.

    Raises:
        InputError: A key is missing or has a value of the wrong type.
    """
    entry = _object(plain, "unflat")
    scale, frame = scale_from_plain(entry.get("scale")), _text(entry, "frame")
    if frame not in {each.value for each in Frame}:
        _wrong("frame", frame)
    safe = safe_from_plain(entry.get("safe_view"))
    return SceneRecord(Frame(frame), scale, from_plain(entry.get("provenance")), safe)


def scale_to_plain(scale: Scale) -> Plain:
    """How well the metres are known, as JSON values."""
    return {
        "basis": scale.basis,
        "low": float(scale.low),
        "high": float(scale.high),
        "coverage": float(scale.coverage),
        "detail": _clean(scale.detail),
        "assumed": scale.assumed,
    }


def scale_from_plain(plain: object) -> Scale:
    """The inverse of :func:`scale_to_plain`.

    Raises:
        InputError: A key is missing or has a value of the wrong type.
    """
    entry = _object(plain, "scale")
    basis = _text(entry, "basis")
    known: tuple[ScaleBasis, ...] = get_args(ScaleBasis)
    if basis not in known:
        _wrong("scale.basis", basis)
    low, high, coverage = (_number(entry, key) for key in ("low", "high", "coverage"))
    try:
        return Scale(basis, low, high, coverage, _text(entry, "detail"))
    except ShapeError as error:
        raise InputError(f"the record inside the file is damaged: {error}") from error


def foreign_record(source: Source) -> SceneRecord:
    """What is known of a file that carries no record of ours: which bytes it is, and nothing else.

    Its lengths are taken as metres, and the scale says that nobody vouches for them.
    """
    scale = Scale("assumed", 0.001, 1000.0, 0.9, "the file does not say how its size is known")
    warning = f"{source.name} was not written by unflat and does not say how it was made."
    return SceneRecord(
        Frame.CAMERA_RDF, scale, Provenance((source,), (Step("read_file"),), unflat.__version__, False, (warning,))
    )


def rights_line(rights: Rights) -> str | None:
    """The stated rights in one line; None where nothing is stated."""
    creator = f"by {rights.creator}" if rights.creator and rights.creator not in (rights.copyright or "") else None
    parts = [part for part in (rights.copyright, creator, rights.licence, rights.usage_terms) if part]
    return _clean("; ".join(" ".join(part.split()) for part in parts)) or None


def _source_to_plain(source: Source) -> Plain:
    rights = {k: _clean(v) for k, v in dataclasses.asdict(source.rights).items() if v is not None}
    plain: Plain = {"name": _clean(source.name), "format": _clean(source.format)}
    if source.sha256 is not None:
        plain["sha256"] = source.sha256
    if rights:
        plain["rights"] = rights
    if source.reserved:
        plain["reserved"] = [{k: _clean(v) for k, v in dataclasses.asdict(one).items()} for one in source.reserved]
    if (held := source.credentials) is not None:
        told = {"urn": held.urn, "state": held.state, "signer": held.signer, "generator": held.generator}
        plain["credentials"] = {key: _clean(value) for key, value in told.items() if value is not None}
    return plain


def _credentials_from_plain(plain: object) -> Credentials | None:
    if plain is None:
        return None
    entry = _object(plain, "credentials")
    state = _text(entry, "state")
    if state not in ("trusted", "valid", "invalid"):
        _wrong("credentials.state", state)
    return Credentials(_text(entry, "urn"), state, _text_or_none(entry, "signer"), _text_or_none(entry, "generator"))


def _promises_to_plain(provenance: Provenance) -> Plain:
    """What is known of people, by which leave sources are used, and which manifest speaks for the file."""
    seen, plain = provenance.likeness, Plain()
    if seen is not None:
        plain["likeness"] = dataclasses.asdict(seen) | {"consent": list(seen.consent)}
    told = {key: getattr(provenance, key) for key in ("leave", "urn", "converter", "subject")}
    return plain | {key: _clean(text) for key, text in told.items() if text is not None}


def _likeness_from_plain(plain: object) -> Likeness | None:
    if plain is None:
        return None
    entry = _object(plain, "likeness")
    counts = {key: _number(entry, key) for key in ("faces", "bodies")}
    for key, count in counts.items():
        if not (count >= 0 and count == int(count)):
            _wrong(f"likeness.{key}", count)
    treated, basis = _text(entry, "treated"), _text(entry, "basis")
    if treated not in ("kept", "blurred", "removed"):
        _wrong("likeness.treated", treated)
    known: tuple[Basis, ...] = get_args(Basis)
    if basis not in known:
        _wrong("likeness.basis", basis)
    consent = tuple(_is_text(each, "consent") for each in _list(entry, "consent"))
    return Likeness(int(counts["faces"]), int(counts["bodies"]), treated, basis, consent, _text(entry, "finder"))


def _reservation_from_plain(plain: object) -> Reservation:
    entry = _object(plain, "reserved")
    forbids = _text(entry, "forbids")
    if forbids not in ("ai", "data mining", "derivatives"):
        _wrong("reserved.forbids", forbids)
    return Reservation(forbids, _text(entry, "told_by"), _text(entry, "words"))


def _source_from_plain(plain: object) -> Source:
    entry = _object(plain, "sources")
    stated = _object(entry.get("rights", {}), "rights")
    rights = Rights(**{field.name: _text_or_none(stated, field.name) for field in dataclasses.fields(Rights)})
    reserved = tuple(_reservation_from_plain(each) for each in _list(entry, "reserved"))
    name, kind = _text(entry, "name"), _text(entry, "format")
    held = _credentials_from_plain(entry.get("credentials"))
    return Source(name, _text_or_none(entry, "sha256"), kind, rights, reserved=reserved, credentials=held)


def _step_to_plain(step: Step) -> Plain:
    plain: Plain = {"name": _clean(step.name)}
    if step.model is not None:
        plain["model"] = _clean(step.model)
    if step.licence is not None:
        plain["licence"] = _clean(step.licence)
    if step.options:
        plain["options"] = {_clean(key): _value(value) for key, value in step.options}
    return plain


def _step_from_plain(plain: object) -> Step:
    entry = _object(plain, "steps")
    options = _object(entry.get("options", {}), "options")
    pairs = tuple((key, _settled(value)) for key, value in options.items())
    return Step(_text(entry, "name"), _text_or_none(entry, "model"), _text_or_none(entry, "licence"), pairs)


def _clean(text: str | None) -> Any:
    """Text that every encoder takes: lone surrogates (odd file names) and control characters become '?'."""
    if text is None:
        return None
    encodable = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() or c in "\n\t " else "?" for c in encodable)


def _value(value: object) -> Any:
    """One option as a JSON value. A path gives only its name, for a folder may name a person."""
    if isinstance(value, np.generic):
        return _value(cast(object, value.item()))
    if isinstance(value, enum.Enum):
        value = value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, (set, frozenset)):
        value = sorted(cast(set[object], value), key=str)
    if isinstance(value, dict):
        return {_clean(str(key)): _value(each) for key, each in cast(dict[object, object], value).items()}
    if isinstance(value, (list, tuple)):
        return [_value(each) for each in cast(list[object], value)]
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _clean(value.name if isinstance(value, PurePath) else str(value))


def _settled(value: Any, depth: int = 0) -> Any:
    """A JSON value that cannot be changed any more: lists become tuples, also inside."""
    if depth > _DEEPEST:
        raise InputError("the record inside the file is damaged: an option is nested too deep")
    if is_list(value):
        return tuple(_settled(each, depth + 1) for each in value)
    if is_object(value):
        return {key: _settled(each, depth + 1) for key, each in value.items()}
    return value


def _wrong(key: str, value: object) -> NoReturn:
    raise InputError(f"the record inside the file is damaged: {key} is {str(value)[:60]!r}")


def _is_name(key: object) -> bool:
    return isinstance(key, str)


def _object(value: object, key: str) -> Plain:
    if not is_object(value) or not all(map(_is_name, value)):
        _wrong(key, value)
    return value


def _list(entry: Plain, key: str) -> list[Any]:
    value = entry.get(key, [])
    return value if is_list(value) else _wrong(key, value)


def _is_text(value: object, key: str) -> str:
    return value if isinstance(value, str) else _wrong(key, value)


def _text(entry: Plain, key: str) -> str:
    return _is_text(entry.get(key), key)


def _text_or_none(entry: Plain, key: str) -> str | None:
    return None if entry.get(key) is None else _text(entry, key)


def _truth(entry: Plain, key: str) -> bool:
    value = entry.get(key)
    return value if isinstance(value, bool) else _wrong(key, value)


def _number(entry: Plain, key: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e300:  # NaN, too
        _wrong(key, value)
    return float(value)
