"""One file of a test set: which format it is, and what screening that format finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers.image import Unfit
from gatekeeper.testset.screening.dicom import screen_dicom
from gatekeeper.testset.screening.elements import Told
from gatekeeper.testset.screening.itk import is_metaimage, is_nrrd, screen_metaimage, screen_nrrd
from gatekeeper.testset.screening.nifti import is_nifti, screen_gzip, screen_nifti
from gatekeeper.testset.screening.png import screen_png
from gatekeeper.testset.screening.raster import screen_jpeg, screen_tiff
from gatekeeper.testset.screening.trace import Trace
from gatekeeper.testset.silence import silenced

Screen = Callable[[bytes], Iterator[Told]]

_FORMATS: tuple[tuple[str, Callable[[bytes], bool], Screen], ...] = (
    ("DICOM", lambda data: data[128:132] == b"DICM", screen_dicom),
    ("NIfTI", is_nifti, screen_nifti),
    ("gzip", lambda data: data.startswith(b"\x1f\x8b"), screen_gzip),
    ("PNG", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), screen_png),
    ("JPEG", lambda data: data.startswith(b"\xff\xd8\xff"), screen_jpeg),
    ("NRRD", is_nrrd, screen_nrrd),
    ("MetaImage", is_metaimage, screen_metaimage),
    ("TIFF", lambda data: data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), screen_tiff),
)


def screen_file(data: bytes, path: str, case_id: str) -> tuple[Trace, ...]:
    """Return where one file could identify somebody, each place and rule once; an empty tuple when nowhere.

    DICOM (PS3.10), NIfTI-1 and -2 (also gzipped), NRRD, MetaImage, PNG, JPEG and TIFF are told by their first bytes,
    not by their name. Any other content gives one trace, ``not screened``. Pixels are not looked at: text burned into
    them is known only by what the header says. Raises UsageError (``Code.BAD_IMAGE``) for a file of these formats that
    cannot be parsed.
    """
    for title, recognises, screen in _FORMATS:
        if recognises(data):
            return _traces(title, screen, data, path, case_id)
    return (Trace(case_id=case_id, path=path, where="file", rule="not screened"),)


def _traces(title: str, screen: Screen, data: bytes, path: str, case_id: str) -> tuple[Trace, ...]:
    # The messages of the libraries can hold values of the header, so only the kind of fault is told, and the
    # exception is not chained: its message would stand in the log of an unexpected error.
    try:
        with silenced():
            told = tuple(dict.fromkeys(screen(data)))
    except Unfit as error:
        fault = error.what
    except Exception as error:
        fault = type(error).__name__
    else:
        return tuple(Trace(case_id=case_id, path=path, where=where, rule=rule) for where, rule in told)
    raise UsageError(
        Code.BAD_IMAGE,
        f"the {title} file cannot be screened",
        where=f"{path} (case {case_id})",
        why=fault,
        mend="replace the file, or drop the case",
    )
