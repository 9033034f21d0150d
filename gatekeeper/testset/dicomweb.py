"""Pulling a test set from a picture archive by DICOMweb (PS3.18: QIDO-RS to find studies, WADO-RS to retrieve series).

In this mode the table's ``image`` column names a series by its UIDs, ``STUDY/SERIES``. UIDs identify a patient to
whoever may ask the archive, so folders are named by their HMAC under the set's secret, and the lock holds no UID.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.files import MOST_FILES_OF_A_CASE
from gatekeeper.testset.lock import pseudonym
from gatekeeper.testset.silence import silenced
from gatekeeper.testset.table import Case

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient

TOKEN_VARIABLE = "GATEKEEPER_DICOMWEB_TOKEN"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FOLDER_DIGITS = 24
_PAGE = 100
_ATTEMPTS, _FIRST_WAIT_MS = 3, 250
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Archive:
    """A DICOMweb service: its address, and what studies must match (QIDO-RS attributes, such as ``Modality``).

    Addresses are https, or http on this machine; ``insecure`` lets http pass elsewhere, which shows patients' images to
    the network. A bearer token is taken from GATEKEEPER_DICOMWEB_TOKEN.
    """

    url: str
    query: tuple[tuple[str, str], ...] = ()
    insecure: bool = False


def pull(
    archive: Archive, cases: Sequence[Case], folder: Path, secret: bytes, progress: Progress = lambda done, total: None
) -> tuple[Case, ...]:
    """Retrieve the series of every case below ``folder``; return the cases with the folders that now hold them.

    A series that is there already is not asked for again. Raises UsageError for an address that is not safe, a service
    that does not answer, or a case whose series is not in the archive, or not among the studies that match the query.
    """
    _check_address(archive)
    client = _client(archive.url)
    matching = _matching(client, archive) if archive.query else None
    pulled = []
    for number, case in enumerate(cases, start=1):
        study, series = _uids(case)
        if matching is not None and study not in matching:
            raise _fault(case, "is of no study that matches the query", "mend --query, or drop the case")
        name = pseudonym(f"{study}/{series}", secret)[:_FOLDER_DIGITS]
        if not (folder / name).is_dir():
            _retrieve(client, case, study, series, folder / name)
        pulled.append(replace(case, image=name))
        progress(number, len(cases))
    return tuple(pulled)


def _check_address(archive: Archive) -> None:
    parts = urlsplit(archive.url)
    if parts.scheme == "https" or (parts.scheme == "http" and (archive.insecure or parts.hostname in _LOOPBACK)):
        return
    raise UsageError(
        Code.FORBIDDEN,
        "the archive's address is not https",
        why="patients' images would cross the network in the clear",
        mend="give an https address; --insecure takes the risk",
    )


def _client(url: str) -> DICOMwebClient:
    from dicomweb_client import DICOMwebClient

    token = os.environ.get(TOKEN_VARIABLE)
    client = DICOMwebClient(url=url, headers={"Authorization": f"Bearer {token}"} if token else None)
    client.set_http_retry_params(max_attempts=_ATTEMPTS, wait_exponential_multiplier=_FIRST_WAIT_MS)
    return client


def _matching(client: DICOMwebClient, archive: Archive) -> set[str]:
    """Return the study UIDs that the archive finds, page by page."""
    filters = dict(archive.query)
    found: set[str] = set()
    with _told(f"search for {', '.join(filters)}"):
        while True:
            page = client.search_for_studies(search_filters=filters, limit=_PAGE, offset=len(found))
            uids = {str(study["0020000D"]["Value"][0]) for study in page}
            if not uids - found:
                return found
            found |= uids


def _retrieve(client: DICOMwebClient, case: Case, study: str, series: str, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        with _told(f'retrieve the series of case "{case.case_id}"'), silenced():
            instances = client.retrieve_series(study, series)
            if not 0 < len(instances) <= MOST_FILES_OF_A_CASE:
                raise _fault(case, f"has {len(instances):,} instances in the archive", "drop the case")
            for number, instance in enumerate(instances):
                instance.save_as(partial / f"{number:05}.dcm", enforce_file_format=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _told:
    """Turns whatever a service or its client raise into one error that holds no address, UID or answer."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, UsageError | KeyboardInterrupt | SystemExit):
            return
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise UsageError(
            Code.FILE_NOT_FOUND,
            f"the archive did not {self._what}",
            why=f"it answered {status}" if status is not None else type(error).__name__,
            mend=f"check the address, the UIDs and {TOKEN_VARIABLE}",
        ) from error


def _uids(case: Case) -> tuple[str, str]:
    parts = case.image.split("/")
    if len(parts) != 2 or not all(part and set(part) <= set("0123456789.") and len(part) <= 64 for part in parts):
        raise _fault(case, "names no series", "write STUDY/SERIES, two DICOM UIDs, into the column image")
    return parts[0], parts[1]


def _fault(case: Case, what: str, mend: str) -> UsageError:
    return UsageError(Code.BAD_TABLE, f'case "{case.case_id}" {what}', mend=mend)
