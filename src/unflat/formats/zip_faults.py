"""What ``zipfile`` raises on an archive that hates its reader, named once for all formats that are ZIP inside."""

from __future__ import annotations

import struct
import zipfile
import zlib

ZIP_FAULTS = (
    zipfile.BadZipFile,  # no archive, a broken directory, a wrong checksum
    struct.error,  # a directory or an extra field that is cut short
    zlib.error,  # members that do not unpack
    EOFError,  # members that end too soon
    KeyError,  # members that are not there
    ValueError,  # offsets before the file, names with NUL or that are not the text they say
    RuntimeError,  # members that are encrypted; NotImplementedError, methods that nobody knows, is one of them
)
