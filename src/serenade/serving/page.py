"""Page: the files of the web page, all from this package."""

from __future__ import annotations

import gzip
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
    wanted = (STATIC / path).resolve()
    compressed = wanted.with_name(f"{wanted.name}.gz")
    is_inside = wanted.is_relative_to(STATIC) and wanted.suffix in _MEDIA_TYPES
    if is_inside and wanted.is_file():
        return _send(wanted)
    if is_inside and compressed.is_file():
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
