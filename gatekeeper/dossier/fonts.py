"""The four bundled fonts, and a fetcher that serves them, and pictures that the page itself holds, and nothing else.

Import only where WeasyPrint is known to load.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager

from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from gatekeeper.dossier.charts.svg import PICTURE
from gatekeeper.dossier.faces import FACES, face
from gatekeeper.errors import Code, InvalidRunError

_SCHEME = "dossier-font:"
_PNG = b"\x89PNG\r\n\x1a\n"


class RefusedFetch(FatalURLFetchingError):  # type: ignore[misc]
    """A page asked for something outside itself. WeasyPrint swallows every other exception and goes on without it."""


class FontFetcher(URLFetcher):  # type: ignore[misc]
    """Serves ``dossier-font:<style>``, and gives back the PNG that an address holds itself.

    Raises RefusedFetch for every other address and remembers it in ``refused``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """Return the bytes of a bundled font, or of the picture within the address."""
        if url.startswith(PICTURE):
            return URLFetcherResponse(url, body=self._picture(url), headers={"Content-Type": "image/png"})
        style = url.removeprefix(_SCHEME)
        if not url.startswith(_SCHEME) or style not in FACES:
            self.refused.append(url)
            raise RefusedFetch(url)
        return URLFetcherResponse(url, body=face(style), headers={"Content-Type": "font/ttf"})

    def _picture(self, url: str) -> bytes:
        try:
            data = base64.b64decode(url.removeprefix(PICTURE), validate=True)
        except binascii.Error:
            data = b""
        if not data.startswith(_PNG):
            self.refused.append(url[:200])
            raise RefusedFetch(url[:200])
        return data


@contextmanager
def font_fetcher() -> Iterator[FontFetcher]:
    """Lend a fetcher that serves the bundled fonts alone; raise InvalidRunError when it had to refuse anything.

    A refusal is no Exception, and where an image is drawn even that is swallowed: so what was refused is asked for
    at the end as well.
    """
    fetcher = FontFetcher()
    try:
        yield fetcher
    except RefusedFetch as refused:
        raise _asks_for_more(str(refused)) from refused
    if fetcher.refused:
        raise _asks_for_more(fetcher.refused[0])


def _asks_for_more(address: str) -> InvalidRunError:
    return InvalidRunError(
        Code.UNEXPECTED,
        "a page of the dossier asks for something outside itself",
        where=address[:200],
        why="a dossier is made from its material alone; nothing is fetched for it",
    )
