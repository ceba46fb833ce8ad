"""An application over the tiny model, and recordings for it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from tests.tiny_bundle import tone, write_tiny_bundle

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("httpx", reason="needs pip install httpx")

import soundfile
from starlette.testclient import TestClient

from serenade.serving.app import create_app
from serenade.serving.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def settings(tiny_folder: Path) -> Settings:
    return Settings(models=(str(tiny_folder),))


@pytest.fixture(scope="session")
def http(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def wav() -> bytes:
    content = io.BytesIO()
    soundfile.write(content, tone(3000.0, seconds=1.0), 16000, format="WAV")
    return content.getvalue()
