"""Which transfer syntaxes of DICOM this machine decodes: a small image in each is read as a test set's would be."""

from __future__ import annotations

import io
from collections.abc import Iterator

from gatekeeper.doctor.encoded import ENCODED, PIXELS, Encoded
from gatekeeper.doctor.finding import Finding, broken, missing, works

_AREA = "codecs"
_MEND = "pip install --upgrade --force-reinstall imagecodecs pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pyjpegls"
_PLAIN = 4  # the first ones of ENCODED, which need no codec


def examine_codecs() -> Iterator[Finding]:
    """Tell which syntaxes are read as they were written. The plain ones are needed, the others by those who have them.

    An image that cannot be read is refused when a test set is locked; no check goes on without it in silence.
    """
    fates = [(encoded, fault_of(encoded)) for encoded in ENCODED]
    read = [encoded.name for encoded, fault in fates if fault is None]
    if any(fault is not None for _, fault in fates[:_PLAIN]):
        lost = ", ".join(encoded.name for encoded, fault in fates[:_PLAIN] if fault is not None)
        yield broken(_AREA, "plain pixels", f"cannot be read: {lost}", "pip install --force-reinstall pydicom numpy")
    if read:
        yield works(_AREA, "decoded", f"{len(read)} of {len(fates)} transfer syntaxes of DICOM, each tried")
    for encoded, fault in fates[_PLAIN:]:
        if fault is not None:
            yield missing(_AREA, encoded.name, fault, _MEND)


def fault_of(encoded: Encoded) -> str | None:
    """Decode one image; return what went wrong in a few words, None where it is what was written."""
    import numpy as np

    from gatekeeper.errors import GatekeeperError
    from gatekeeper.testset.readers import read_image

    try:
        read = read_image({"pixel.dcm": written(encoded)}, "pixel").pixels
    except GatekeeperError as error:
        return error.problems[0].why or error.problems[0].what
    except Exception as error:  # a codec that is broken may raise anything
        return type(error).__name__
    wanted = np.frombuffer(PIXELS, np.uint8).reshape(8, 8).astype(np.float64) * (15 if encoded.bits == 12 else 1)
    if read.shape != wanted.shape or np.abs(read - wanted).max() > encoded.tolerance:
        return "decodes to other values"
    return None


def written(encoded: Encoded) -> bytes:
    """Return a whole DICOM file with the image."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, SecondaryCaptureImageStorage

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(encoded.uid)
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = "2.25.1"
    dataset.Modality = "OT"
    dataset.Rows = dataset.Columns = 8
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 8 if encoded.bits == 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = encoded.bits, encoded.bits - 1, 0
    dataset.PixelData = PIXELS if encoded.frame is None else encapsulate([encoded.frame])
    dataset["PixelData"].VR = "OB"
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
