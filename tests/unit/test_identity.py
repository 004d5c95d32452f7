"""What a scan says of its patient is found where it is, however it is packed, and not where it is not."""

import base64
import gzip
import zipfile

import pytest

from unflat.errors import InputError
from unflat.formats.identity import leaks_in
from unflat.formats.identity_headers import identity_of
from unflat.pipelines.inspect import against

NAME = "Mustermann^Erika"


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    folder = tmp_path_factory.mktemp("mustermann_erika")
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    one = FileDataset(str(folder / "IM1"), {}, file_meta=meta, preamble=b"\0" * 128)
    one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    one.PatientName, one.PatientID, one.PatientBirthDate = NAME, "PX-4711-B", "19640812"
    one.InstitutionName, one.Modality, one.StudyDescription = "Klinik Nord", "CT", "CT"
    one.Rows, one.PixelSpacing = 4, [0.5, 0.5]
    block = one.private_block(0x0029, "SOME VENDOR", create=True)
    block.add_new(0x10, "LO", "private words")
    one.save_as(folder / "IM1", enforce_file_format=True)
    assert pydicom.dcmread(folder / "IM1").PatientID == "PX-4711-B"
    return folder


def test_all_that_identifies_is_known(scan):
    known = identity_of(scan)
    values = set().union(*known.values())
    assert {NAME, "Mustermann", "Erika", "PX-4711-B", "19640812", "Klinik Nord", "private words"} <= values
    assert any(value.startswith("mustermann_erika") for value in known["file and folder names"])
    assert "1.2.840.10008.5.1.4.1.1.2" not in values, "the kind of object names nobody"


def _found(path, scan):
    return {leak.what for leak in leaks_in(path, identity_of(scan))}


def test_plain_packed_and_encoded_leaks_are_found(scan, tmp_path):
    plain = tmp_path / "a.ply"
    plain.write_bytes(b"ply\ncomment by erika\n")
    assert _found(plain, scan) == {"PatientName"}
    wide = tmp_path / "b.bin2"
    wide.write_bytes(b"\0\1" + "px-4711-b".encode("utf-16-le"))
    assert _found(wide, scan) == {"PatientID"}
    with zipfile.ZipFile(tmp_path / "c.3mf", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/model", "x" * 1000 + "Klinik Nord")
    assert _found(tmp_path / "c.3mf", scan) == {"InstitutionName"}
    inner = base64.b64encode(gzip.compress(b"." * 500 + b" born 19640812 " + bytes(range(256)) * 4))
    (tmp_path / "d.html").write_bytes(b"<html><script>" + inner + b"</script></html>")
    assert _found(tmp_path / "d.html", scan) == {"PatientBirthDate"}
    (tmp_path / "e.stl").write_bytes(b"solid")
    (tmp_path / "e.stl.json").write_text('{"by": "private words"}')
    assert len(_found(tmp_path / "e.stl", scan)) == 1, "beside the file"


def test_numbers_are_found_as_whole_numbers_only(scan, tmp_path):
    (tmp_path / "a.json2").write_bytes(b'{"a": 119640812, "b": 0.19640812, "c": "x19640812"}')
    assert not _found(tmp_path / "a.json2", scan)
    (tmp_path / "x.obj").write_bytes(b"# unflat 0.1\nv 1 2 19640812\nf 1 2 3\n")
    assert not _found(tmp_path / "x.obj", scan)
    (tmp_path / "x.obj").write_bytes(b"# unflat 0.1\n# 19640812\n")
    assert _found(tmp_path / "x.obj", scan) == {"PatientBirthDate"}


def test_inspect_tells_without_repeating_it(scan, tmp_path):
    (tmp_path / "a.ply").write_bytes(b"ply\ncomment by erika\n")
    told = against(tmp_path / "a.ply", scan)
    assert told["found"] == [{"where": "a.ply", "what": "PatientName"}]
    assert "erika" not in str(told).lower()
    (tmp_path / "b.ply").write_bytes(b"ply\n")
    assert against(tmp_path / "b.ply", scan)["found"] == []
    with pytest.raises(InputError, match="nothing at"):
        against(tmp_path / "b.ply", tmp_path / "gone")


def test_headers_of_other_formats(tmp_path):
    head = bytearray(352)
    head[:4] = (348).to_bytes(4, "little")
    head[344:348] = b"n+1\0"
    head[148:160] = b"Erika M 1964"
    (tmp_path / "x.nii").write_bytes(bytes(head))
    assert "Erika M 1964" in identity_of(tmp_path / "x.nii")["NIfTI descrip"]
    (tmp_path / "y.nrrd").write_bytes(b"NRRD0004\ntype: short\npatient:=Erika\n\n\0\0")
    assert identity_of(tmp_path / "y.nrrd")["NRRD patient"] == {"Erika"}


def test_packed_and_older_headers(tmp_path):
    head = bytearray(352)
    head[:4] = (348).to_bytes(4, "little")
    head[344:348] = b"n+1\0"
    head[148:160] = b"Erika M 1964"
    head[348] = 1
    more = b"\x20\0\0\0\x06\0\0\0" + b"saw Dr Aumann\nin May".ljust(24, b"\0")
    (tmp_path / "ErikaM.nii").write_bytes(bytes(head) + more)
    with gzip.open(tmp_path / "x.nii.gz", "wb") as packed:
        packed.write(bytes(head) + more)
    found = identity_of(tmp_path / "x.nii.gz")
    assert found["NIfTI descrip"] == {"Erika M 1964"}
    assert found["NIfTI extension"] == {"saw Dr Aumann", "in May"}
    analyze = bytearray(348)
    analyze[:4] = (348).to_bytes(4, "big")
    analyze[283:290] = b"PAT4711"
    (tmp_path / "x.hdr").write_bytes(bytes(analyze))
    assert "PAT4711" in identity_of(tmp_path / "x.hdr")["NIfTI patient_id"]
    text = b"NRRD0004\r\n# for Erika M.\r\ncontent: Knee of Erika\r\ntype: short\r\n\r\n\0\0"
    (tmp_path / "y.nrrd").write_bytes(text)
    found = identity_of(tmp_path / "y.nrrd")
    assert found["NRRD content"] == {"Knee of Erika"} and found["NRRD comment"] == {"for Erika M."}
    (tmp_path / "z.mha").write_bytes(b"ObjectType = Image\nComment = Erika M\nNDims = 3\nElementDataFile = LOCAL\n\0")
    assert identity_of(tmp_path / "z.mha") == {"MetaImage Comment": {"Erika M"}}


def test_a_file_without_preamble_is_read_too(scan, tmp_path):
    one = next(file for file in scan.rglob("*") if file.is_file())
    bare = tmp_path / "bare" / "a"
    bare.parent.mkdir()
    import pydicom

    whole = pydicom.dcmread(one)
    whole.file_meta = pydicom.dataset.FileMetaDataset()
    pydicom.dcmwrite(bare, whole, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert identity_of(bare)["PatientName"] == identity_of(one)["PatientName"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("MÜLLER^JOSÉ", "müller josé".encode()),
        ("Müller", "M\u00dcLLER".encode("utf-16-le")),
        ("José", b'{"name": "Jos\\u00e9"}'),
        ("O'Brien & Sons", b"<p>O&#x27;Brien &amp; Sons</p>"),
        ("O'Brien & Sons", b'<object name="O\'Brien &amp; Sons"/>'),
        ('Ann "Nan" Lee', b'{"text": "Ann \\"Nan\\" Lee"}'),
        ("Zaphodius_Beeblebrox", b"of Zaphodius Beeblebrox"),
        ("王小明先生", "病人王小明先生".encode()),
    ],
)
def test_a_name_is_found_however_it_is_spelt(tmp_path, value, written):
    (tmp_path / "a.glb").write_bytes(b"glTF..." + written + b"...")
    assert leaks_in(tmp_path / "a.glb", {"PatientName": {value}})
    (tmp_path / "b.glb").write_bytes(b"glTF... of somebody else ?????????? ...")
    assert not leaks_in(tmp_path / "b.glb", {"PatientName": {value}})


def test_a_file_that_belongs_to_another_is_not_blamed(scan, tmp_path):
    (tmp_path / "x.mtl").write_text("# Erika")
    (tmp_path / "x.stl").write_bytes(b"solid")
    (tmp_path / "x.obj").write_bytes(b"# unflat 0.1\n")
    assert not _found(tmp_path / "x.stl", scan)
    assert _found(tmp_path / "x.obj", scan) == {"PatientName"}


def test_a_scan_that_says_nothing_proves_little(tmp_path):
    (tmp_path / "ErikaM.nii").write_bytes((348).to_bytes(4, "little") + bytes(340) + b"n+1\0" + bytes(4))
    (tmp_path / "a.ply").write_bytes(b"ply\n")
    assert "nothing either" in against(tmp_path / "a.ply", tmp_path / "ErikaM.nii")["says"]
