"""The files of the page: whole, from here alone, and nothing outside them is served."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from serenade.serving.app import create_app
from serenade.serving.headers import SECURITY_HEADERS
from serenade.serving.page import STATIC

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.serving.settings import Settings

OURS = sorted(path for path in STATIC.glob("*") if path.is_file())


def test_the_page_is_served_with_a_strict_policy(http: TestClient) -> None:
    response = http.get("/")
    assert response.status_code == 200
    assert "How does this voice sound?" in response.text
    policy = response.headers["content-security-policy"]
    assert policy == SECURITY_HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert "http" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_file_is_served_and_names_no_other_host(http: TestClient, path: Path) -> None:
    response = http.get(f"/static/{path.name}")
    assert response.status_code == 200
    addresses = set(re.findall(r"https?://[^\s\"'`]+", response.text))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_the_page_has_no_inline_script_or_style() -> None:
    text = (STATIC / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"\s(?:on\w+|style)=", text) == []
    assert "<style" not in text


def test_no_text_is_ever_read_as_html() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


@pytest.mark.parametrize(
    "path",
    [
        "../app.py",
        "%2e%2e/app.py",
        "vendor/../../keys.py",
        "vendor/SHA256SUMS",
        "vendor",
        "",
        "none.js",
        "%00.js",
        "/etc/passwd",
        "a" * 5000 + ".js",
        "vendor/..%2fapp.js",
    ],
)
def test_nothing_else_is_served(http: TestClient, path: str) -> None:
    response = http.get(f"/static/{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_the_vendored_files_are_those_of_npm() -> None:
    for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines():
        checksum, name = line.split()
        path = STATIC / "vendor" / name
        compressed = path.with_name(f"{name}.gz")
        content = path.read_bytes() if path.exists() else gzip.decompress(compressed.read_bytes())
        assert sha256(content).hexdigest() == checksum


def test_the_large_file_is_sent_compressed_where_the_client_takes_it(http: TestClient) -> None:
    url = "/static/vendor/ort-wasm-simd-threaded.wasm"
    compressed = http.get(url, headers={"Accept-Encoding": "gzip"})
    plain = http.get(url, headers={"Accept-Encoding": "identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert int(compressed.headers["content-length"]) < 5_000_000
    assert "content-encoding" not in plain.headers
    assert compressed.content == plain.content
    assert plain.content.startswith(b"\0asm")
    assert plain.headers["content-type"] == "application/wasm"


def test_the_page_can_be_left_out(settings: Settings) -> None:
    with TestClient(create_app(replace(settings, page=False))) as http:
        assert http.get("/").status_code == 404
        assert http.get("/static/app.js").status_code == 404
        assert http.get("/healthz").status_code == 200
