from __future__ import annotations

import gzip
import io
import logging
import struct
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from pydicom import DataElement, config, dcmread, dcmwrite
from pydicom._dicom_dict import DicomDictionary
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.screening import RULES, Trace, report, screen_file, unallowed

SECRET = "Quillfeather"


def sample(name: str) -> bytes:
    """Return a file that pydicom itself is tested with."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def put(dataset: Dataset, keyword: str, value: object) -> None:
    """Set an attribute to what files hold, which is not always what the standard lets them hold."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    dataset.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE))


def by_the_basic_profile() -> Dataset:
    """A CT image as a hospital would release it: what Table E.1-1 lists is emptied, replaced or gone."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.FrameOfReferenceUID = generate_uid()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    for empty in ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID"):
        setattr(dataset, empty, "")
    dataset.ContentDate, dataset.ContentTime = "19000101", "000000"
    put(dataset, "SeriesDate", "2019")
    dataset.Modality = "CT"
    dataset.Manufacturer, dataset.ManufacturerModelName = "GE MEDICAL SYSTEMS", "LightSpeed Pro 16"
    dataset.SoftwareVersions = "07MW18.4.20070315"
    dataset.PatientName = dataset.PatientID = "QX-0042"
    dataset.PatientSex, dataset.PatientAge = "F", "089Y"
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    dataset.DeidentificationMethod = "Basic Confidentiality Profile, run on 20260101"
    dataset.BurnedInAnnotation = "NO"
    dataset.SeriesDescription = "AXIAL 5 mm thorax"
    dataset.OperatorsName = "ANONYMOUS"
    dataset.DeviceSerialNumber = "REMOVED"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "12738006", "SCT", "Brain"
    dataset.AnatomicRegionSequence = [code]
    source = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = CTImageStorage, generate_uid()
    dataset.SourceImageSequence = [source]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 4
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelSpacing, dataset.SliceThickness = [0.7, 0.7], 5.0
    dataset.add_new(0x7FE00010, "OW", np.arange(16, dtype="<u2").tobytes())
    return dataset


def written(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    dataset.file_meta = meta
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def told(data: bytes) -> set[tuple[str, str]]:
    traces = screen_file(data, "images/x", "case-7")
    assert len(traces) == len(set(traces))
    assert all(trace.rule in RULES for trace in traces)
    assert SECRET.casefold() not in str(traces).casefold()
    return {(trace.where, trace.rule) for trace in traces}


def told_with(**changes: object) -> set[tuple[str, str]]:
    dataset = by_the_basic_profile()
    if "PatientID" in changes:
        dataset.PatientName = ""
    for keyword, value in changes.items():
        put(dataset, keyword, value)
    return told(written(dataset))


def refusal(data: bytes) -> UsageError:
    with pytest.raises(UsageError) as caught:
        screen_file(data, "images/x", "case-7")
    (problem,) = caught.value.problems
    assert problem.code is Code.BAD_IMAGE
    assert str(problem.where) == "images/x (case case-7)"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, "1.2.840.10008.1.2", DeflatedExplicitVRLittleEndian])
def test_a_file_released_by_the_basic_profile_leaves_no_trace(syntax: str) -> None:
    assert told(written(by_the_basic_profile(), syntax)) == set()


@pytest.mark.parametrize(
    ("keyword", "value", "rule"),
    [
        ("PatientName", f"{SECRET}^Ann", "name"),
        ("OtherPatientNames", SECRET, "name"),
        ("OperatorsName", f"{SECRET}^Bo", "name"),
        ("PatientMotherBirthName", SECRET, "name"),
        ("PatientID", "1980-03-12", "date in text"),
        ("PatientID", "219-09-9999", "number in text"),
        ("OtherPatientIDs", SECRET, "identifier"),
        ("AccessionNumber", "A77", "identifier"),
        ("StudyID", "1234", "identifier"),
        ("RequestedProcedureID", "P-5", "identifier"),
        ("PatientBirthDate", "19610312", "date"),
        ("StudyDate", "20190312", "date"),
        ("AcquisitionDateTime", "20190312101500.000000", "date"),
        ("AcquisitionTime", "101500", "time"),
        ("PatientAge", "090Y", "age"),
        ("PatientAge", "1090M", "age"),
        ("PatientAddress", "1 Road", "address"),
        ("RegionOfResidence", "Vale", "address"),
        ("PatientTelephoneNumbers", "1234", "phone"),
        ("DeviceSerialNumber", "SN7", "device"),
        ("StationName", "CT2", "device"),
        ("InstitutionName", "St Elsewhere", "institution"),
        ("InstitutionalDepartmentName", "Radiology", "institution"),
        ("ScheduledStationAETitle", "CT2", "network"),
        ("Occupation", "beekeeper", "circumstances"),
        ("PatientComments", "well", "comment"),
        ("ImageComments", "well", "comment"),
        ("AdditionalPatientHistory", "well", "comment"),
        ("SeriesDescription", "prior of 12.03.2019", "date in text"),
        ("SeriesDescription", f"for Dr. {SECRET}", "name in text"),
        ("StudyDescription", "MRN: X", "name in text"),
        ("ImageType", ["DERIVED", "AB 1234567"], "number in text"),
        ("ProtocolName", "call +44 20 7946 0000", "phone in text"),
        ("SeriesDescription", f"{SECRET}@example.org", "e-mail in text"),
        ("StudyDescription", "see https://example.org/a", "web address in text"),
        ("DerivationDescription", "made by 10.20.30.40", "network address in text"),
        ("DerivationDescription", f"from C:\\scans\\{SECRET}", "file path in text"),
        ("DerivationDescription", f"from /data/{SECRET}/one.dcm", "file path in text"),
        ("BurnedInAnnotation", "YES", "burned-in annotation"),
        ("RecognizableVisualFeatures", "YES", "recognisable face"),
        ("EncapsulatedDocument", b"%PDF", "embedded document"),
    ],
)
def test_each_identifier_is_told_by_its_keyword_and_rule(keyword: str, value: object, rule: str) -> None:
    assert (keyword, rule) in told_with(**{keyword: value})


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientName", ""),
        ("PatientName", "ANONYMOUS"),
        ("PatientName", "Anonymized^Patient"),
        ("PatientName", "ANON^0012"),
        ("AccessionNumber", "xxxxxxxx"),
        ("AccessionNumber", "0"),
        ("InstitutionName", "[removed]"),
        ("StudyID", "1"),
        ("StudyDate", "2019"),
        ("StudyDate", "20190101"),
        ("AcquisitionDateTime", "20190101000000.000000"),
        ("AcquisitionTime", "000000.00"),
        ("PatientBirthDate", "1961"),
        ("PatientAge", "089Y"),
        ("PatientAge", "006M"),
        ("StudyDescription", "Head^Routine"),
        ("SeriesDescription", "T1 TSE 1234 0.123456 120-130 mm"),
        ("ImageComments", "N/A"),
        ("PatientID", "0012345678"),
        ("PatientWeight", 71.5),
    ],
)
def test_dummies_years_and_plain_descriptions_may_stay(keyword: str, value: object) -> None:
    assert told_with(**{keyword: value}) == set()


def test_a_year_of_birth_is_told_where_it_gives_away_ninety_years() -> None:
    assert told_with(SeriesDate="", ContentDate="2019", PatientBirthDate="1929") == {("PatientBirthDate", "date")}
    assert told_with(SeriesDate="", ContentDate="2019", PatientBirthDate="1930") == set()
    assert told_with(SeriesDate="", ContentDate="", PatientBirthDate="1936") == {("PatientBirthDate", "date")}
    assert told_with(SeriesDate="", ContentDate="", PatientBirthDate="1937") == set()


def test_pseudonyms_and_uids_are_believed_only_where_the_file_says_that_identity_was_removed() -> None:
    plain = told_with(PatientIdentityRemoved="NO")
    assert plain == {
        ("PatientID", "patient id"),
        ("PatientName", "name"),
        ("SOPInstanceUID", "UID"),
        ("StudyInstanceUID", "UID"),
        ("SeriesInstanceUID", "UID"),
        ("FrameOfReferenceUID", "UID"),
        ("MediaStorageSOPInstanceUID", "UID"),
        ("SourceImageSequence.ReferencedSOPInstanceUID", "UID"),
    }


def test_moved_dates_are_believed_but_for_that_of_birth() -> None:
    moved = {"LongitudinalTemporalInformationModified": "MODIFIED", "StudyDate": "20190312", "StudyTime": "1015"}
    assert told_with(**moved) == set()
    assert told_with(**moved, PatientBirthDate="19610312") == {("PatientBirthDate", "date")}
    assert told_with(**moved, PatientIdentityRemoved="NO") >= {("StudyDate", "date"), ("StudyTime", "time")}


def test_nested_sequences_are_walked_and_those_that_stand_for_a_person_are_told_as_a_whole() -> None:
    inner, outer = Dataset(), Dataset()
    inner.ScheduledProcedureStepID = "S-1"
    outer.RequestAttributesSequence = [inner]
    person = Dataset()
    person.CodeValue = "7"
    found = told_with(ReferencedStudySequence=[outer], OperatorIdentificationSequence=[person])
    assert found == {
        ("ReferencedStudySequence.RequestAttributesSequence.ScheduledProcedureStepID", "identifier"),
        ("OperatorIdentificationSequence", "person code"),
    }
    assert told_with(OperatorIdentificationSequence=[Dataset()]) == set()


def test_private_blocks_are_told_once_and_by_block_only() -> None:
    dataset = by_the_basic_profile()
    block = dataset.private_block(0x0009, "SOME MAKER", create=True)
    assert told(written(dataset)) == set()
    block.add_new(0x01, "LO", SECRET)
    block.add_new(0x02, "LO", SECRET)
    assert told(written(dataset)) == {("0009,10xx", "private tag")}


def test_what_stands_after_the_pixels_before_the_prefix_and_over_the_image_is_told() -> None:
    dataset = by_the_basic_profile()
    dataset.private_block(0x7FE1, "SOME MAKER", create=True).add_new(0x01, "LO", SECRET)
    dataset.add_new(0xFFFCFFFC, "OB", b"Some leftover.")
    dataset.add_new(0x60003000, "OW", b"\xff\xff")
    dataset.add_new(0x00090011, "LO", "")
    data = bytearray(written(dataset))
    data[:4] = b"II*\0"
    assert told(bytes(data)) == {
        ("7FE1,10xx", "private tag"),
        ("DataSetTrailingPadding", "embedded document"),
        ("OverlayData", "overlay"),
        ("FilePreamble", "preamble"),
    }


def test_file_meta_is_screened() -> None:
    dataset = dcmread(io.BytesIO(written(by_the_basic_profile())))
    dataset.file_meta.SourceApplicationEntityTitle = SECRET
    stream = io.BytesIO()
    dcmwrite(stream, dataset)
    assert told(stream.getvalue()) == {("SourceApplicationEntityTitle", "network")}


def test_pictures_that_usually_hold_text_must_say_that_they_hold_none() -> None:
    for change in ({"SOPClassUID": SecondaryCaptureImageStorage}, {"Modality": "US"}, {"ConversionType": "WSD"}):
        assert told_with(**change, BurnedInAnnotation="") == {("BurnedInAnnotation", "burned-in annotation")}
        assert told_with(**change) == set()
    assert told_with(BurnedInAnnotation="") == set()


def test_real_scanner_files_are_told_for_what_they_hold() -> None:
    found = told(sample("CT_small.dcm"))
    assert {("PatientName", "name"), ("PatientID", "patient id"), ("InstitutionName", "institution")} <= found
    assert {("StudyDate", "date"), ("StationName", "device"), ("SourceApplicationEntityTitle", "network")} <= found
    assert {("0009,10xx", "private tag"), ("SOPInstanceUID", "UID")} <= found
    assert ("SoftwareVersions", "number in text") not in found
    # Released by CQ500 under pseudonyms.
    assert told(sample("693_J2KR.dcm")) == set()


def test_a_file_that_cannot_be_parsed_is_refused_without_its_values() -> None:
    whole = written(by_the_basic_profile())
    error = refusal(whole[: whole.index(b"QX-0042") + 3])
    assert "QX" not in str(error)
    refusal(b"\0" * 128 + b"DICM" + SECRET.encode() * 3)


def test_a_deflated_file_that_grows_beyond_measure_is_refused() -> None:
    whole = written(by_the_basic_profile(), DeflatedExplicitVRLittleEndian)
    end = 144 + int.from_bytes(whole[140:144], "little")
    compressor = zlib.compressobj(9, wbits=-15)
    bomb = b"".join(compressor.compress(b"\0" * (1 << 22)) for _ in range(70)) + compressor.flush()
    assert "larger than is read" in (refusal(whole[:end] + bomb).problems[0].why or "")


def test_no_attribute_of_the_dictionary_lets_its_value_out() -> None:
    dataset = by_the_basic_profile()
    names = 0
    for tag, (kind, _, _, _, keyword) in DicomDictionary.items():
        if (
            kind in ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT")
            and tag >> 16 not in (0, 2, 4)
            and "Charact" not in keyword
        ):
            put(dataset, keyword, f"{SECRET}^A")
            names += kind == "PN"
    found = told(written(dataset))
    assert sum(rule == "name" for _, rule in found) >= names > 30


def test_libraries_that_log_values_are_silenced(caplog: pytest.LogCaptureFixture) -> None:
    data = written(by_the_basic_profile()).replace(b"ISO_IR 100", SECRET[:10].encode())
    picture = png(exif=exif())
    with caplog.at_level(logging.DEBUG):
        assert told(data) == set()
        told(sample("CT_small.dcm"))
        told(picture)
    assert caplog.text == ""


@pytest.mark.parametrize("levels", [300, 30_000])
def test_sequences_without_end_are_refused(levels: int) -> None:
    whole = written(by_the_basic_profile())
    opened = b"\x08\x00\x12\x21SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    refusal(whole[: whole.index(b"\x08\x00\x12\x21SQ")] + opened * levels)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files_give_traces_or_a_refusal_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(GOOD_FILES)))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, min(len(whole), 2000) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        traces = screen_file(cut, "x", "c")
    except UsageError as error:
        assert error.problems[0].code is Code.BAD_IMAGE  # noqa: PT017
    else:
        assert all(trace.rule in RULES for trace in traces)


def nifti(kind: type = nibabel.Nifti1Image, **fields: str) -> bytes:
    image = kind(np.zeros((2, 2, 2), dtype=np.int16), np.eye(4))
    for name, value in fields.items():
        image.header[name] = value
    return bytes(image.to_bytes())


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_nifti_fields_and_extensions_are_told(kind: type) -> None:
    assert told(nifti(kind)) == set()
    assert told(nifti(kind, descrip="FSL5.0")) == set()
    assert told(nifti(kind, descrip="TE=2.1;Time=101500.250")) == {("descrip", "number in text")}
    assert told(nifti(kind, aux_file=SECRET)) == {("aux_file", "comment")}
    assert told(nifti(kind, intent_name="2019-03-12")) == {("intent_name", "date in text")}
    image = kind(np.zeros((2, 2, 2), dtype=np.int16), np.eye(4))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, SECRET.encode() * 2000))
    assert told(image.to_bytes()) == {("extension 6", "header extension")}
    assert told(gzip.compress(image.to_bytes())) == {("extension 6", "header extension")}


def test_nifti_1_has_a_database_name_and_big_endian_files_are_read() -> None:
    assert told(nifti(db_name=SECRET)) == {("db_name", "comment")}
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4), nibabel.Nifti1Header(endianness=">"))
    image.header["aux_file"] = SECRET
    assert told(image.to_bytes()) == {("aux_file", "comment")}


def test_a_gzip_wrapper_is_asked_for_the_name_it_keeps() -> None:
    stream = io.BytesIO()
    with gzip.GzipFile(filename=f"{SECRET}_20190312.nii", mode="wb", fileobj=stream) as wrapper:
        wrapper.write(nifti())
    assert told(stream.getvalue()) == {("gzip file name", "date in text")}
    assert told(gzip.compress(b"anything else")) == {("gzip content", "not screened")}


def png(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(stream, "PNG", **options)
    return stream.getvalue()


def exif() -> Image.Exif:
    block = Image.Exif()
    block[271], block[315], block[306] = "ACME", SECRET, "2019:03:12 10:15:00"
    block.get_ifd(34665)[42033] = "SN-7"
    block.get_ifd(34853)[1] = "N"
    return block


IN_EXIF = {("Artist", "name"), ("DateTime", "date"), ("BodySerialNumber", "device"), ("GPSInfoIFD", "place")}


def test_png_texts_times_exif_and_unknown_chunks_are_told() -> None:
    assert told(png()) == set()
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET)
    info.add_text(SECRET, "one")
    info.add_text("Software", "Plotter 3.1, https://example.org", zip=True)
    info.add_itxt("Comment", SECRET, zip=True)
    info.add(b"tIME", b"\x07\xe3\x03\x0c\x0a\x0f\x00")
    info.add(b"prVt", b"x")
    assert told(png(pnginfo=info)) == {
        ("tEXt Author", "text field"),
        ("tEXt (keyword not registered)", "text field"),
        ("iTXt Comment", "text field"),
        ("tIME", "date"),
        ("chunk prVt", "unknown element"),
    }
    assert told(png(exif=exif())) == IN_EXIF
    assert told(png() + b"more") == {("after IEND", "trailing data")}
    refusal(png()[:-20])


def test_jpeg_comments_exif_and_segments_are_told() -> None:
    def jpeg(**options: object) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(stream, "JPEG", **options)
        return stream.getvalue()

    assert told(jpeg()) == set()
    assert told(jpeg(comment=SECRET)) == {("COM", "text field")}
    assert told(jpeg(exif=exif())) == IN_EXIF
    segment = b"\xff\xe1" + struct.pack(">H", 2 + 40) + b"http://ns.adobe.com/xap/1.0/\0".ljust(40, b"x")
    assert told(jpeg()[:2] + segment + jpeg()[2:]) == {("APP1", "text field")}
    assert told(jpeg() + b"more") == {("after EOI", "trailing data")}
    refusal(b"\xff\xd8\xff\xe0")


def test_tiff_tags_are_told_on_every_page() -> None:
    def tiff(tags: dict[int, str]) -> bytes:
        stream = io.BytesIO()
        pages = [Image.fromarray(np.zeros((8, 8), dtype=np.uint8)) for _ in range(2)]
        pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], tiffinfo=tags)
        return stream.getvalue()

    assert told(tiff({})) == set()
    found = told(tiff({270: SECRET, 315: SECRET, 306: "2019:03:12 10:15:00", 65000: SECRET, 305: "Writer 1.2"}))
    assert found == {
        ("ImageDescription", "text field"),
        ("Artist", "name"),
        ("DateTime", "date"),
        ("tag 65000", "text field"),
    }
    refusal(b"II*\0\xff\xff\xff\x7f")


@pytest.mark.parametrize("data", [b"", b"BM anything", b"ab", b"\0" * 400])
def test_what_is_no_known_format_is_said_to_be_unscreened(data: bytes) -> None:
    assert screen_file(data, "a.bin", "c") == (Trace(case_id="c", path="a.bin", where="file", rule="not screened"),)


def trace(where: str, rule: str = "name", number: int = 1) -> Trace:
    return Trace(case_id=f"case-{number // 2}", path=f"{number}.dcm", where=where, rule=rule)


def test_the_report_counts_files_and_cases_in_eighty_columns() -> None:
    long = "ReferencedStudySequence." * 6 + "PatientName"
    traces = [trace("PatientName", number=number) for number in range(1200)]
    text = report([*traces, trace("0009,10xx", "private tag"), trace(long)])
    assert all(len(line) <= 80 for line in text.splitlines())
    assert f"  {'PatientName':58}    1,200       600" in text.splitlines()
    assert text.index("name: ") < text.index("private tag: ")
    assert f"{'…' + long[-56:]:58}" in text
    assert report([]) == "no traces of patients\n"


def test_what_is_allowed_with_a_reason_is_no_longer_told() -> None:
    traces = [trace("StudyDate", "date"), trace("A.StudyDate", "date"), trace("0009,10xx", "private tag")]
    assert unallowed(traces, {}) == tuple(traces)
    assert unallowed(traces, {"StudyDate": "moved by the archive", "0009,10xx": "gantry settings"}) == ()
    assert unallowed(traces, {"A.StudyDate": "moved"}) == (traces[0], traces[2])
    with pytest.raises(UsageError) as caught:
        unallowed(traces, {"StudyDate": " "})
    assert caught.value.problems[0].code is Code.MISSING_KEY


GOOD_FILES = [
    written(by_the_basic_profile()),
    sample("MR_small.dcm"),
    nifti(),
    gzip.compress(nifti()),
    png(exif=exif()),
]


def test_text_headers_are_screened_but_for_what_describes_the_picture() -> None:
    nrrd = b"NRRD0004\n# Complete NRRD file format specification at:\ntype: short\nspace: left-posterior-superior\n"
    assert screen_file(nrrd + b"sizes: 2 2 2\nencoding: raw\n\n" + bytes(16), "x.nrrd", "c") == ()
    told = screen_file(nrrd + b"# Doe^Jane\ncontent: Doe\nPatientName:=Doe\ntype:=Doe\n\n" + bytes(16), "x.nrrd", "c")
    assert [trace.where for trace in told] == ["comment", "content", "PatientName", "type"]
    meta = b"ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\n"
    assert screen_file(meta + b"ElementDataFile = LOCAL\nPatientName = Doe\n", "x.mha", "c") == ()
    told = screen_file(meta + b"PatientName = Doe\nElementDataFile = LOCAL\n", "x.mha", "c")
    assert [(trace.where, trace.rule) for trace in told] == [("PatientName", "text field")]
    assert "Doe" not in str(told)
