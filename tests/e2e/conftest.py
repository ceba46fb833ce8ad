"""Fixtures for tests on the command line."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone, write_tiny_bundle

from serenade.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Serenade = Callable[..., Result]


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model that hears emotions in tones."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def serenade(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Serenade:
    """Run ``serenade`` with arguments in this process."""

    def call(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["serenade", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            run()
        assert isinstance(exit_info.value.code, int)
        return Result(exit_info.value.code, *capsys.readouterr())

    return call


@pytest.fixture
def voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with a clip per emotion, one of them deeper down."""
    folder = tmp_path / "voices"
    (folder / "more").mkdir(parents=True)
    for emotion, frequency in TONES_HZ.items():
        below = "more" if emotion == "anger" else "."
        soundfile.write(folder / below / f"{emotion}.wav", tone(frequency, seconds=1.0), 16000)
    (folder / "notes.txt").write_text("not audio")
    (folder / ".hidden.wav").write_text("not audio")
    monkeypatch.chdir(folder)
    return folder
