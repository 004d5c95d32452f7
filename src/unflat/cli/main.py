"""``unflat``: picks the verb, and turns every failure into two lines and an exit code."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError

from unflat import __version__
from unflat.cli import interrupts
from unflat.cli.console import say, show_error, tell
from unflat.errors import EXIT_INTERRUPTED, EXIT_OK, InputError, MemoryLimitError, OutputError, UnflatError
from unflat.formats.atomic import translated

VERBS = {
    "photo": """Turn one picture into a scene to step into.

The suffix of -o picks the format: .html .glb .gltf .usdz .ply .splat.ply .spz .pcd .obj .stl .3mf for the scene, .png
.exr .npy .pfm .jpg for its depth. Without -o a page to step into is written beside the picture.""",
    "depth": """Write how far everything in a picture or a film is.

The suffix of -o picks the format: .png (16-bit grey) .exr .npy .pfm, or .jpg (coloured, to look at). For several
pictures -o names an existing folder. Without -o, NAME.depth.png is written beside each picture.

The depth of a film (needs the extra "video") goes to .mp4 (8 or 10 bits), .mkv (16 bits) or .png (a row of frames of 16
bits); without -o to NAME.depth.mp4.""",
    "stereo": """Make a picture or a film for two eyes: for 3D televisions, headsets, red-cyan glasses, or none.

--layout, or the name of -o, says how the two views become a file: .jpg .png .webp .tif .avif for both in one picture,
.mpo for stereo cameras and televisions, .heic for Apple's devices, .gif .webp .mp4 for a wiggle, .vr.jpg for VR180.
Without -o, NAME_LRF_Full_SBS.jpg is written beside the picture.

A film (needs the extra "video") goes to .mp4 .mov .mkv .webm, with its sound. A run that was stopped leaves
NAME.mp4.parts; the same command goes on from there.""",
    "animate": """Move a camera through one picture and write the film.

The suffix of -o picks the format: .mp4 (H.264; needs the extra "video"), .gif, .webp, or .png for a numbered row of
frames. Without -o, NAME.mp4 is written beside the picture.""",
    "scan": """Turn a film, a folder or many photographs of one place into one scene.

The suffix of -o picks the format: .html (to walk through) .glb .gltf .usdz .obj .ply .pcd .splat.ply .spz .stl .3mf for
the scene, .tum .colmap .nerfstudio for its cameras, .yaml for a map of what is free to go. Without -o a page is written
beside what was given. Needs the extra "scan". A run that was stopped leaves NAME.parts; the same command goes on from
there.

With --subject object one thing is taken out of its surroundings; one to eight cut-outs are enough. Beside
NAME_object.glb lie its USDZ, poster, snippet for a web page, and report.""",
    "volume": """Turn CT or MRI slices into anatomy that one can turn.

The suffix of -o picks the format: .html (surfaces, slices and rays) .glb .gltf .usdz .obj .ply .stl .3mf. --preset
chooses tissues: bone skin lung muscle fat vessels teeth; --threshold a range of your own; --labels the parts of a label
map. Without -o a page is written beside the scan, named by what it shows. Needs the extra "volume". Not for diagnosis;
nothing that names the patient goes into any file.""",
    "view": """Look at a result in the browser.

A local page on 127.0.0.1, until Ctrl-C.""",
    "inspect": "Say what a file holds: size, units, cameras, confidence, provenance.",
    "verify": "Say whether a file is as it was signed: made from what, by which steps and models, by whom.",
    "consent": "Write down who agreed to be shown, and take it back.",
    "models": "List the depth models and their licences; fetch, show and remove those from outside.",
    "doctor": "Say what is installed and what is missing.",
}
_CAN_DO = """unflat turns flat pictures into space.

  unflat photo beach.jpg                        a page to step into: beach.html
  unflat photo beach.jpg -o beach.glb -o beach.usdz
  unflat stereo beach.jpg --layout anaglyph     two eyes: beach_redcyan_dubois.jpg
  unflat animate beach.jpg                      a camera moves through it: beach.mp4
  unflat scan flat.mp4 -o flat.html             a walk-through film becomes a place to walk in
  unflat volume CT_FOLDER -o skull.glb          slices of a scanner become bones in their true size
  unflat depth beach.jpg                        a 16-bit depth map: beach.depth.png
  unflat view beach.glb                         look at a result
  unflat inspect beach.glb                      what a file says of itself
  unflat verify beach.glb                       whether that is true

'unflat beach.jpg' picks the verb by itself. 'unflat --help' lists all commands."""
_CODES = (
    "Exit codes: 0 done, 2 bad input or usage, 3 unit asked of a relative depth, 4 missing extra, 5 weights, "
    "6 out of memory, 7 consent, 8 rights, 9 disk full or unwritable, 70 our fault, 130 interrupted."
)

app = App(
    name="unflat",
    version=__version__,
    help="Turn flat pictures into space.",
    help_epilogue=_CODES,
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
for _verb, _text in VERBS.items():
    _help = "\n\n".join(" ".join(paragraph.split()) for paragraph in _text.split("\n\n"))
    app.command(f"unflat.cli.{_verb}:{_verb}", name=_verb, help=_help)

_LOOKED_AT = 24
_FILE_LIKE = re.compile(r"-[^=]*[^=\d.][^=]*\.[A-Za-z][A-Za-z0-9]{1,4}")
_SCANS = (".dcm", ".dicom", ".ima", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
_SCENES = (".glb", ".gltf", ".usdz", ".ply", ".obj", ".stl", ".3mf", ".html", ".spz", ".pcd")


def run(arguments: Sequence[str]) -> int:
    """Run the command line.

    Args:
        arguments: The words after ``unflat``; ``--debug`` among them shows the traceback of a failure.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may hold what a terminal cannot show
    words = [word for word in arguments if word != "--debug"]
    debug = len(words) < len(arguments)
    try:
        code = _run(words)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Exception as error:  # the outermost border: whatever is left becomes two lines
        if interrupts.seen:
            return _interrupted()
        if debug:
            raise
        known = _as_known(error)
        show_error(known)
        return known.exit_code
    return _interrupted() if interrupts.seen else code


def _interrupted() -> int:
    tell("interrupted; nothing was left half-written")
    return EXIT_INTERRUPTED


def _run(words: list[str]) -> int:
    if not words:
        say(_CAN_DO)
        return EXIT_OK
    try:
        result = app(_with_verb(words), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise InputError(str(error) or "the command is not understood", hint=_dashed(words) or _usage(words)) from error
    return result if isinstance(result, int) else EXIT_OK


def _as_known(error: Exception) -> UnflatError:
    """Any failure as one of the tree."""
    if isinstance(error, UnflatError):
        return error
    if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "Insufficient memory" in str(error):
        return MemoryLimitError("the work does not fit in memory")
    if isinstance(error, OSError) and error.filename:
        return translated(error, Path(os.fsdecode(error.filename)))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
        return OutputError(f"the output cannot be written: {error.strerror}", hint="Make room, or write elsewhere.")
    return UnflatError(f"{type(error).__name__}: {error}")


def _dashed(words: list[str]) -> str | None:
    """A hint where a word was taken for a flag that is, or looks like, the name of a file."""
    for word in words:
        if word.startswith("-") and (Path(word).is_file() or _FILE_LIKE.fullmatch(word)):
            return f"For a file whose name begins with a dash write ./{word}"
    return None


def _usage(words: list[str]) -> str:
    verb = words[0] if words and words[0] in VERBS else ""
    return f"'unflat {verb} --help' shows what there is." if verb else "'unflat --help' shows what there is."


def _with_verb(words: list[str]) -> list[str]:
    """Put the verb before an input that comes without one, and say which was picked."""
    if not words or words[0].startswith("-") or words[0] in VERBS:
        return words
    path = Path(words[0])
    if not path.exists():
        raise InputError(f"'{words[0]}' is neither a command nor a file", hint="'unflat --help' shows the commands.")
    if path.is_dir():
        return _of_folder(path, words)
    verb = "view" if path.name.lower().endswith(_SCENES) else "stereo" if _is_film(path) else "photo"
    if path.name.lower().endswith(_SCANS) or _is_dicom(path):
        verb = "volume"
    tell(f"unflat {verb} {path.name}")
    return [verb, *words]


def _of_folder(path: Path, words: list[str]) -> list[str]:
    """Look into a folder: many pictures or a film of one place are scanned.

    Raises:
        InputError: There is nothing in it that could be, or one picture alone.
    """
    from unflat.formats.stills import album

    if any(_is_dicom(file) or file.name.lower().endswith(_SCANS) for file in _some_files(path)):
        tell("unflat volume: slices of a scanner")
        return ["volume", *words]
    try:
        files = album([path]).files
    except InputError as error:
        kinds = sorted({p.suffix.lower() for p in path.iterdir() if p.is_file() and p.suffix})[:5]
        others = f", but {' '.join(kinds)}" if kinds else ""
        raise InputError(f"'{words[0]}' holds no picture and no film{others}", hint=error.hint) from error
    if len(files) == 1 and not _is_film(files[0]):
        raise InputError(f"'{words[0]}' holds one picture", hint=f"unflat photo {files[0]}")
    tell(f"unflat scan {path.name or path}: {len(files)} files of one place; of each alone: unflat photo PICTURE")
    return ["scan", *words]


def _some_files(folder: Path) -> list[Path]:
    """The first few files of a folder, and of the first few folders in it."""
    here = sorted(folder.iterdir())[:_LOOKED_AT]
    deeper = [file for one in here if one.is_dir() for file in sorted(one.iterdir())[:_LOOKED_AT]]
    return [file for file in (*here, *deeper) if file.is_file()][:_LOOKED_AT]


def _is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do: four letters behind 128 bytes of anything."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _is_film(path: Path) -> bool:
    from unflat.formats.film_read import SUFFIXES

    return path.suffix.lower() in SUFFIXES
