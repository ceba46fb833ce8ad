"""Fixtures for tests of the page: recordings, a browser with a fake microphone, a service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from tests.service_process import ServiceProcess
from tests.tiny_bundle import tone

from serenade.audio.codec import encode
from serenade.audio.resample import resample
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from playwright.sync_api import Browser
    from tests.page_visit import Visit


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with recordings; the synthetic voices are those of `samples`."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    voices = sorted((Path(__file__).parents[3] / "samples").glob("*.flac"))
    parts: list[npt.NDArray[np.float32]] = []
    for path in voices:
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == 16000
        parts += [samples, rng.normal(scale=1e-4, size=8000).astype(np.float32)]
    joined = np.concatenate(parts)
    soundfile.write(folder / "voices.wav", joined, 16000)
    pause = np.zeros(8000)
    sad_then_angry: list[npt.NDArray[np.floating]] = [
        pause,
        tone(200.0, seconds=2.0),
        pause,
        tone(6000.0, seconds=2.0),
        pause,
    ]
    mixed = np.concatenate(sad_then_angry)
    mixed += rng.normal(scale=1e-3, size=mixed.size)
    soundfile.write(folder / "mixed.wav", mixed, 16000)
    quiet = np.concatenate([pause, 0.002 * tone(3000.0, seconds=1.0) + 0.1, pause + 0.1])
    soundfile.write(
        folder / "quiet with offset.wav", quiet + rng.normal(scale=1e-5, size=quiet.size), 16000
    )
    loud = np.clip(8 * parts[0][:24000], -1, 1) + rng.normal(scale=0.02, size=24000)
    soundfile.write(folder / "clipped.wav", np.clip(loud, -1, 1), 16000)
    soundfile.write(folder / "short.wav", tone(1000.0, seconds=0.3), 16000)
    (folder / "other rates").mkdir()
    for voice, container, rate in zip(
        parts[::2],
        ("wav", "flac", "mp3", "opus", "wav"),
        (44100, 48000, 24000, 48000, 8000),
        strict=True,
    ):
        converted = resample(Waveform(voice, 16000), rate)
        kbits = 96.0 if container in ("mp3", "opus") else None
        content = encode(converted, container, kbits_per_second=kbits)
        (folder / "other rates" / f"{rate}.{container}").write_bytes(content)
    left_and_right = np.stack([joined[:90000], joined[90000:180000]], axis=1)
    soundfile.write(folder / "other rates" / "stereo.wav", left_and_right, 22050)
    (folder / "notes.txt").write_text("no audio")
    return folder


@pytest.fixture(scope="module")
def browser(clips: Path) -> Iterator[Browser]:
    """Chromium, whose microphone plays the synthetic voices; ends with the module."""
    pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
    pytest.importorskip("playwright", reason="needs pip install playwright")
    from playwright.sync_api import sync_playwright
    from tests.page_visit import CHROMIUM, FLAGS

    if not CHROMIUM.exists():
        pytest.skip("needs chromium (apt)")
    microphone = f"--use-file-for-fake-audio-capture={clips / 'voices.wav'}"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, microphone])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service(tiny_bundle: Path) -> Iterator[ServiceProcess]:
    """A service with the tiny model."""
    with ServiceProcess("--model", str(tiny_bundle)) as process:
        yield process


@pytest.fixture
def visit(browser: Browser, service: ServiceProcess) -> Iterator[Visit]:
    """The page of the service, which must complain about nothing and ask no other host."""
    from tests.page_visit import DESKTOP, Visit

    context = browser.new_context(viewport=DESKTOP)
    visit = Visit(context.new_page(), service.url)
    visit.wait_for_models()
    yield visit
    context.close()
    assert visit.complaints == []
    ours = (service.url, service.url.replace("http", "ws"), f"blob:{service.url}")
    assert [url for url in visit.requests if not url.startswith(ours)] == []
