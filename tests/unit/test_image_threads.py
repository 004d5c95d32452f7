"""Reading pictures beside other threads: nobody's words are lost, nobody's filters are changed."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import pictures
import unflat
from unflat.errors import InputError
from unflat.formats.image import read_image

SOURCE = Path(unflat.__file__).parent


def damaged() -> dict[str, bytes]:
    """Files whose decoders print about them if they are let."""
    jpeg = bytearray(pictures.encoded(pictures.smooth(), "JPEG"))
    middle = len(jpeg) * 2 // 3
    jpeg[middle : middle + 4] = b"\xff\x37\x00\x02"
    lost = bytes(jpeg)
    files = {"lost.jpg": lost}
    for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        data = bytearray(pictures.encoded(pictures.smooth(), "TIFF", compression=name))
        data[8:40] = bytes(32)
        files[f"{name}.tif"] = bytes(data)
    return files


def test_damaged_files_print_nothing_and_hide_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Another thread writes to file descriptor 2 all the while; each of its words arrives, and no others."""
    done = threading.Event()
    said = 0

    def talk() -> None:
        nonlocal said
        while not done.wait(0.001):
            os.write(2, b"word\n")
            said += 1

    talker = threading.Thread(target=talk)
    talker.start()
    refused = 0
    try:
        for name, data in damaged().items():
            (tmp_path / name).write_bytes(data)
            try:
                read_image(tmp_path / name)
            except InputError as error:
                refused += 1
                assert "cannot be read" in str(error) and "\n" not in str(error)
    finally:
        done.set()
        talker.join()
    assert refused >= 3 and said > 10
    assert capfd.readouterr().err == "word\n" * said


def test_libtiffs_own_reason_is_told(tmp_path: Path) -> None:
    data = bytearray(pictures.encoded(pictures.smooth(), "TIFF", compression="tiff_adobe_deflate"))
    data[8:40] = bytes(32)
    (tmp_path / "a.tif").write_bytes(bytes(data))
    with pytest.raises(InputError, match="ZIPDecode"):
        read_image(tmp_path / "a.tif")


def test_damage_that_markers_tell_is_noted(tmp_path: Path) -> None:
    """Of pictures with a run of noise in them some are read; where its markers give it away, that is said."""
    whole = pictures.encoded(pictures.smooth(), "JPEG")
    noted = 0
    for seed in range(100):
        noise = random.Random(seed)
        data = bytearray(whole)
        at = noise.randrange(700, len(data) - 300)
        data[at : at + 200] = noise.randbytes(200)
        (tmp_path / "a.jpg").write_bytes(bytes(data))
        try:
            noted += "its JPEG data is damaged in places" in read_image(tmp_path / "a.jpg").notes
        except InputError:
            continue
    assert noted
    for data in (whole, pictures.encoded(pictures.smooth(), "JPEG", progressive=True)):
        (tmp_path / "a.jpg").write_bytes(data)
        assert not read_image(tmp_path / "a.jpg").notes


def test_many_threads_leave_the_filters_alone(tmp_path: Path) -> None:
    exif = pictures.exif({0x013B: "Ann"})
    (tmp_path / "a.jpg").write_bytes(pictures.encoded(pictures.smooth(), "JPEG", exif=exif[:-7]))
    before, first = warnings.filters, list(warnings.filters)
    threads = [threading.Thread(target=read_image, args=(tmp_path / "a.jpg",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters is before and list(warnings.filters) == first


def test_the_library_never_touches_the_filters() -> None:
    for path in SOURCE.rglob("*.py"):
        if path == SOURCE / "cli" / "entry.py" or path.name.endswith("_child.py"):
            continue  # the command and decoders own their process
        calls = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not calls & {"catch_warnings", "simplefilter", "filterwarnings"}, path


def test_a_warning_that_is_an_error_is_no_crash(tmp_path: Path) -> None:
    """With ``-W error`` a warning of Pillow may refuse a picture, but as an error of the house."""
    exif = pictures.exif({0x013B: "Ann"}, {0xA405: 26})
    (tmp_path / "a.jpg").write_bytes(pictures.encoded(np.zeros((32, 48, 3), np.uint8), "JPEG", exif=exif[:-20]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            notes = read_image(tmp_path / "a.jpg").notes
        except InputError as error:
            notes = (str(error),)
    assert notes


def test_the_command_shows_no_warning_of_a_library(tmp_path: Path) -> None:
    exif = pictures.exif({0x013B: "Ann"}, {0xA405: 26})
    path = tmp_path / "a.jpg"
    path.write_bytes(pictures.encoded(pictures.smooth(), "JPEG", exif=exif[:-20]))

    def told(*before: str) -> str:
        command = [sys.executable, *before, "-m", "unflat.cli.entry", "inspect", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stderr

    assert told() == ""
    assert "Warning" in told("-W", "always::UserWarning")  # who asks Python for them still gets them
