from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import DataElement, config, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.composition import Composition, compose, composition_rows, facts_of


def header(**values: object) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None
        dataset.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def test_facts_of_a_real_scan() -> None:
    path = get_testdata_file("MR_small.dcm", download=False)
    assert isinstance(path, str)
    assert facts_of(Path(path).read_bytes()) == {
        "modality": "MR",
        "manufacturer": "Toshiba",
        "model": "MRT50H1",
        "sex": "F",
        "year": "2004",
        "slice_thickness": "up to 1.25 mm",
    }


@pytest.mark.parametrize(
    ("keyword", "value", "name", "fact"),
    [
        ("Modality", "ct", "modality", "CT"),
        ("Modality", "JANE", "modality", "other"),
        ("PatientSex", "f", "sex", "F"),
        ("PatientSex", "SMITH", "sex", "other"),
        ("Manufacturer", "SIEMENS HEALTHINEERS", "manufacturer", "Siemens"),
        ("Manufacturer", "GE MEDICAL SYSTEMS", "manufacturer", "GE"),
        ("Manufacturer", "General Electric Co.", "manufacturer", "GE"),
        ("Manufacturer", "G.E. Medical Systems", "manufacturer", "GE"),
        ("Manufacturer", "ACME  X-Ray, Ltd.", "manufacturer", "ACME X-Ray, Ltd."),
        ("Manufacturer", "MRN 4711123", "manufacturer", "other"),
        ("Manufacturer", "Doe^Jane", "manufacturer", "other"),
        ("Manufacturer", "made for Dr. Jane Doe", "manufacturer", "other"),
        ("Manufacturer", "a\x1b[31mb", "manufacturer", "other"),
        ("Manufacturer", "a b c d e f g h i", "manufacturer", "other"),
        ("ManufacturerModelName", "LightSpeed Pro 16", "model", "LightSpeed Pro 16"),
        ("ManufacturerModelName", "x" * 65, "model", "other"),
        ("PatientAge", "045Y", "age", "40-49"),
        ("PatientAge", "011M", "age", "0-9"),
        ("PatientAge", "089Y", "age", "80-89"),
        ("PatientAge", "090Y", "age", "90+"),
        ("PatientAge", "117Y", "age", "90+"),
        ("StudyDate", "20190312", "year", "2019"),
        ("SliceThickness", "1.25", "slice_thickness", "up to 1.25 mm"),
        ("SliceThickness", "5", "slice_thickness", "2.5 to 5 mm"),
        ("SliceThickness", "8", "slice_thickness", "over 5 mm"),
        ("MagneticFieldStrength", "1.494", "field_strength", "1.5 T"),
        ("MagneticFieldStrength", "30000", "field_strength", "3 T"),
        ("MagneticFieldStrength", "2.3", "field_strength", "2.3 T"),
    ],
)
def test_each_fact_is_coded(keyword: str, value: str, name: str, fact: str) -> None:
    assert facts_of(header(**{keyword: value})) == {name: fact}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientAge", "old"), ("StudyDate", "19000101"), ("SliceThickness", "0"), ("PatientName", "Doe^Jane")],
)
def test_what_is_no_fact_is_left_out(keyword: str, value: str) -> None:
    assert facts_of(header(**{keyword: value})) == {}


def test_a_year_that_was_moved_is_left_out() -> None:
    assert facts_of(header(StudyDate="20190312", LongitudinalTemporalInformationModified="MODIFIED")) == {}


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\0" * 128 + b"DICM" + b"broken" * 9])
def test_what_is_no_readable_dicom_has_no_facts(data: bytes) -> None:
    assert facts_of(data) == {}


@given(text=st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_control_character_and_no_long_text_leaves(text: str) -> None:
    maker = facts_of(header(SpecificCharacterSet="ISO_IR 192", Manufacturer=text.replace("\\", ""))).get("manufacturer")
    assert maker is None or (maker.isprintable() and 0 < len(maker) <= 64)


def made() -> Composition:
    return compose(
        ["a", "a", "b", "c"],
        [1, 1, 0, 0],
        [{"sex": "F"}, {"sex": "F"}, {"sex": "M"}, {}],
        [{"site": "x"}, {"site": "y"}, {"site": "x"}, {"site": ""}],
        subjects=["1", "1", "3", "4"],
    )


def test_patients_are_counted_once_a_value_and_subjects_apart_from_cases() -> None:
    assert made() == Composition(
        cases=4,
        subjects=3,
        patients=3,
        positive_subjects=1,
        positive_patients=1,
        facts={"sex": {"F": 1, "M": 1, "not stated": 1}},
        attributes={"site": {"x": 2, "y": 1, "not stated": 1}},
    )
    assert made().prevalence_of_subjects == pytest.approx(1 / 3)
    assert made().prevalence_of_patients == pytest.approx(1 / 3)


def test_without_repeats_each_case_is_a_subject() -> None:
    composition = compose(["a", "a"], [1, 0], [{}, {}], [{}, {}])
    assert (composition.subjects, composition.positive_subjects, composition.positive_patients) == (2, 1, 1)
    assert composition.facts == {}


def test_a_patient_who_states_a_value_once_has_stated_it() -> None:
    assert compose(["a", "a"], [0, 0], [{"sex": "F"}, {}], [{}, {}]).facts == {"sex": {"F": 1}}


def test_few_patients_are_hidden_also_from_subtraction() -> None:
    ages = ["20-29"] * 4 + ["90+"] * 7 + ["30-39"] * 1200
    patients = [str(number) for number in range(len(ages))]
    one = compose(patients, [0] * len(ages), [{"age": age} for age in ages], [{}] * len(ages))
    assert composition_rows(one) == (("age", "20-29", "<5"), ("age", "30-39", "1,200"), ("age", "90+", "≥5"))
    ages[-1] = ""
    two = compose(patients, [0] * len(ages), [{"age": age} for age in ages], [{}] * len(ages))
    assert composition_rows(two) == (
        ("age", "20-29", "<5"),
        ("age", "30-39", "1,199"),
        ("age", "90+", "7"),
        ("age", "not stated", "<5"),
    )


def test_values_stand_in_the_order_of_their_numbers() -> None:
    values = ["90+", "0-9", "10-19", ""]
    composed = compose(list("abcd"), [0] * 4, [{"age": value} for value in values], [{}] * 4)
    assert list(composed.facts["age"]) == ["0-9", "10-19", "90+", "not stated"]


def test_a_composition_survives_json_and_nothing_has_none() -> None:
    assert Composition.model_validate_json(made().model_dump_json()) == made()
    with pytest.raises(UsageError) as caught:
        compose([], [], [], [])
    assert caught.value.problems[0].code is Code.NOTHING_TO_JUDGE
    with pytest.raises(ValueError, match="zip"):
        compose(["a"], [0, 1], [{}], [{}])
