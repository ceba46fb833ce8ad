"""Page: the files of the web page, all from this package."""

from __future__ import annotations

import gzip
import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from serenade.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC = Path(__file__).parent / "static"
"""Folder of the page."""

_MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}

_PATH = re.compile(r"(?:vendor/)?[a-z][a-z0-9.-]{0,80}")
"""What may be asked for, so that no path leads elsewhere."""

_REVALIDATED = "no-cache"
"""The browser keeps the file but asks whether it has changed."""

router = APIRouter(include_in_schema=False)


@router.get("/")
async def get_page() -> FileResponse:
    """Give the page."""
    return _send(STATIC / "index.html")


@router.get("/static/{path:path}")
async def get_file(request: Request, path: str) -> Response:
    """Give a file of the page; large ones are stored compressed."""
    if _PATH.fullmatch(path) and Path(path).suffix in _MEDIA_TYPES:
        wanted = STATIC / path
        compressed = STATIC / f"{path}.gz"
        if wanted.is_file():
            return _send(wanted)
        if compressed.is_file():
            return _send_compressed(compressed, _MEDIA_TYPES[wanted.suffix], request)
    raise ProblemError(HTTPStatus.NOT_FOUND, "not-found", f"the page has no file {path!r:.200}")


def _send(path: Path) -> FileResponse:
    return FileResponse(
        path, media_type=_MEDIA_TYPES[path.suffix], headers={"Cache-Control": _REVALIDATED}
    )


def _send_compressed(path: Path, media_type: str, request: Request) -> Response:
    headers = {"Cache-Control": _REVALIDATED, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return FileResponse(path, media_type=media_type, headers=headers)
    return Response(gzip.decompress(path.read_bytes()), media_type=media_type, headers=headers)
