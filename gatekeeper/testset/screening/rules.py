"""Which DICOM attributes break which rule, by their keywords.

Sources: PS3.15 Annex E, Table E.1-1 (Basic Application Level Confidentiality Profile), and the identifiers of
45 CFR 164.514(b)(2)(i). Where they differ, this is decided:

- Sex, size, weight, ethnic group and ages under 90 may stay, as the Retain Patient Characteristics Option has it: a
  test set without them has no subgroups. So may the maker's name, the model and the software's version.
- Descriptions, labels and protocol names may stay when no pattern finds anything in them, as the Clean Descriptors
  Option has it. Comments, notes and histories may not: no pattern finds a name in prose.
- Instance UIDs and numbers that stand for a patient are told unless the file says PatientIdentityRemoved YES: a value
  that was replaced cannot be told from one that was not.
- Dates and times may stay where the file also says that they were moved (LongitudinalTemporalInformationModified
  MODIFIED), except that of birth.
"""

from __future__ import annotations

import re
from functools import cache

_ANY_VALUE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (rule, re.compile(pattern))
    for rule, pattern in (
        ("phone", r"(Tele)?[Pp]hone|Telecom"),
        ("network", r"^NetworkID$|PresentationAddress$|^NTPSourceAddress$|AETitle$|^(Originator|FileAccessURI)$"),
        ("address", r"Address|(Region|Institution)(Of)?Residence$|^GPS"),
        ("time", r"^TimezoneOffsetFromUTC$"),
        ("name", r"^(TopicAuthor|CameraOwnerName|ContactDisplayName|DistributionName|.*Originator)$"),
        (
            "institution",
            r"^Institution|Department|(Responsible|Performer|Verifying|Modifying)Organization$|^ModifyingSystem$"
            r"|^ClinicalTrial\w*(Center|Committee|Site|Sponsor)\w*Name$|^RequestingService$|^SourceOfPreviousValues$"
            r"|^(Assigned|CurrentPatient|OrderEnterer|Performed|RequestedProcedure|ScheduledProcedureStep"
            r"|ScheduledStudy)(s?Location)$|^SourceManufacturer$",
        ),
        (
            "device",
            r"SerialNumber$|StationName$|^(Treatment|Radiation)MachineName$|UniqueDeviceIdentifier|^Lens(Make|Model)$"
            r"|^(Cassette|Detector|Device|Gantry|Generator|HardcopyCreationDevice|ModifyingDevice|Plate"
            r"|SecondaryCaptureDevice|SubstanceAdministrationDevice|XRayDetector|XRaySource)ID$|^(X-?RayDetector"
            r"|Device)Label$|^(DeviceAlternate|ManufacturerDevice)Identifier$|^RTAccessory\w+SlotID$",
        ),
        (
            "identifier",
            r"AccessionNumber$|OrderNumber|ApprovalNumber$|RegistrationNumber$|^(Admission|BoardingPass|File-?Set"
            r"|Interpretation|Itinerary|Owner|PerformedProcedureStep|RequestedProcedure|Results|ScheduledProcedureStep"
            r"|ServiceEpisode|Study|StorageMediaFileSet|ContainerComponent|LocalNamespaceEntity|UniversalEntity)ID$"
            r"|^OtherPatientIDs$|^(Container|HL7Instance|Slide|Specimen)Identifier$|^MedicalRecordLocator$|^Issuer"
            r"|IDIssuer$|^InsurancePlanIdentification$|^(BarcodeValue|LabelText)$",
        ),
        ("circumstances", r"^(Occupation|PatientReligiousPreference|MilitaryRank|BranchOfService)$"),
        (
            "comment",
            r"Comments?$|^CommentsOn|(Notes|Narrative|History)$|^(Arbitrary|Impressions|InterpretationText|TextString"
            r"|TopicKeywords|TopicSubject|TopicTitle|PatientTransportArrangements)$",
        ),
    )
)
_BLOCKS = re.compile(
    r"^(EncapsulatedDocument|MakerNote|MAC|CertificateOfSigner|CertifiedTimestamp|DataSetTrailingPadding|FrameOrigin"
    r"Timestamp|SelectorO\w+Value|NonconformingDataElementValue|PrivateInformation|AudioSampleData)$"
)
_SEQUENCES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "originals",
        re.compile(r"^(Original|Modified|NonconformingModified|Encrypted)Attributes|Signatures?Sequence|MAC"),
    ),
    ("small picture", re.compile(r"^IconImageSequence$|PatientPhotoSequence$")),
    (
        "person code",
        re.compile(
            r"(Physician\w*|Operator|Results|Person|Transducer|Observer|Asserter|Creator|User|Author|TreatmentDevice"
            r"|PatientGroup|OfPatients)Identification(Code)?Sequence$|^HumanPerformerCodeSequence$|^VerbalSourceIdentifier"
            r"|^Institution\w*CodeSequence$|InsurancePlanCodeSequence$"
            r"|Station(Name|GeographicLocation)CodeSequence$|^UDISequence$|^ReferencedPatientAliasSequence$"
            r"|^PatientPrimaryLanguage\w*CodeSequence$"
        ),
    ),
)
# Codes of published lists, and the makers' own names for what they make: numbers here are no patient's.
_TECHNICAL = re.compile(
    r"^(Long|URN)?Code(Value|Meaning)$|^CodingScheme|^Mapping|^Context(Group|Identifier)|^Template(Identifier|Version"
    r"|LocalVersion)|SoftwareVersions?$|^ImplementationVersionName$|^DeidentificationMethod$|^SpecificCharacterSet"
)
_CLASS_UIDS = re.compile(r"SOPClass|^(ImplementationClass|TransferSyntax|CodingScheme|Context|MappingResource)\w*UID$")
_PSEUDONYMS = re.compile(
    r"^PatientID$|^ClinicalTrial(Protocol|Series|Site|Subject|SubjectReading|TimePoint)ID$|^TrackingID$"
)


@cache
def rule_of_any_value(keyword: str) -> str | None:
    """Return the rule that an attribute breaks whenever it holds anything but a dummy, or None."""
    return next((rule for rule, pattern in _ANY_VALUE if pattern.search(keyword)), None)


@cache
def rule_of_sequence(keyword: str) -> str | None:
    """Return the rule that a sequence breaks as a whole as soon as an item holds anything, or None to look inside."""
    return next((rule for rule, pattern in _SEQUENCES if pattern.search(keyword)), None)


@cache
def is_block(keyword: str) -> bool:
    """Whether an attribute's binary content is told as such."""
    return _BLOCKS.search(keyword) is not None


@cache
def is_technical(keyword: str) -> bool:
    """Whether an attribute says nothing of a patient, whatever digits it holds."""
    return _TECHNICAL.search(keyword) is not None


@cache
def names_a_class(keyword: str) -> bool:
    """Whether a UID attribute names a kind of thing, not one instance."""
    return _CLASS_UIDS.search(keyword) is not None


@cache
def may_be_pseudonym(keyword: str) -> bool:
    """Whether an identifier may stay in a file that says PatientIdentityRemoved YES."""
    return _PSEUDONYMS.search(keyword) is not None
