"""The model in the browser: it equals the service, and no audio leaves the machine."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from tests.service_process import ServiceProcess
from tests.tiny_bundle import tiny_spec, write_tiny_bundle

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("playwright", reason="needs pip install playwright")

from playwright.sync_api import expect
from tests.page_visit import Visit

from serenade.inference.recognizer import Recognizer
from serenade.model.spec import WaveformInput, read_spec
from serenade.model.store import BUNDLED, list_bundled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


def test_in_this_browser_no_audio_leaves_the_machine(visit: Visit, clips: Path) -> None:
    visit.use_browser()
    visit.page.context.set_offline(True)
    visit.give(clips / "mixed.wav")
    segments = visit.find("#segments button")
    assert "Sadness" in segments.first.inner_text()
    assert "Anger" in segments.last.inner_text()
    visit.page.context.set_offline(False)
    visit.find("#record").click()
    visit.shows("#verdict", "right now")
    visit.find("#record").click()
    visit.shows("#stage-name", "Recording 1.wav")
    assert not [
        url
        for url in visit.requests
        if url.split("?")[0].endswith(("predict", "timeline", "stream"))
    ]


@pytest.fixture
def visit_with_two_models(browser: Browser, tiny_bundle: Path, tmp_path: Path) -> Iterator[Visit]:
    other = write_tiny_bundle(tmp_path / "other", tiny_spec(name="other"))
    with ServiceProcess("--model", str(tiny_bundle), "--model", str(other)) as service:
        visit = Visit(browser.new_page(), service.url)
        visit.wait_for_models()
        visit.use_browser()
        yield visit
        visit.page.close()
        assert visit.complaints == []


def test_another_model_may_be_chosen_while_files_are_judged(
    visit_with_two_models: Visit, clips: Path
) -> None:
    visit = visit_with_two_models
    visit.page.evaluate(SLOW_WORKERS)
    visit.page.set_input_files("#files", [clips / "mixed.wav", clips / "voices.wav"])
    visit.shows("#status", "Working on 1 of 2")
    visit.page.select_option("#model", "other")
    visit.shows("#status", "2 recordings are done.")
    visit.shows("#stage-note", "tiny 1.0.0")
    visit.give(clips / "mixed.wav")
    visit.shows("#stage-note", "other 1.0.0")


SLOW_WORKERS = """
() => {
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (...given) {
    setTimeout(() => post.apply(this, given), 300);
  };
}
"""


def test_another_model_may_be_chosen_while_somebody_speaks(visit_with_two_models: Visit) -> None:
    visit = visit_with_two_models
    visit.find("#record").click()
    visit.shows("#verdict", "Listening")
    visit.page.select_option("#model", "other")
    visit.shows("#verdict", "right now")
    visit.find("#record").click()
    visit.shows("#status", "Done.")
    visit.shows("#stage-note", "tiny 1.0.0")


def _in_browser() -> list[str]:
    """Bundled models whose arithmetic is that of every machine."""
    specs = {name: read_spec(BUNDLED / name / "spec.json") for name in list_bundled()}
    return [name for name, spec in specs.items() if spec.input == WaveformInput()]


def test_a_browser_gets_the_small_model_where_the_default_rounds(
    browser: Browser,
) -> None:
    assert "compact" in _in_browser()
    assert "default" not in _in_browser()
    with ServiceProcess() as service:
        page = browser.new_page()
        page.goto(service.url)
        expect(page.locator("#model")).to_have_value("default")
        page.check("input[name=place][value=browser]")
        expect(page.locator("#model")).to_have_value("compact")
        done = page.get_by_text("The model is in this browser now.")
        expect(done).to_be_visible(timeout=30_000)
        page.select_option("#model", "default")
        expect(page.locator("input[name=place][value=server]")).to_be_checked()
        page.close()


@pytest.mark.parametrize("name", ["tiny", *_in_browser()])
def test_the_model_in_the_browser_equals_the_service(
    browser: Browser, tiny_bundle: Path, clips: Path, name: str
) -> None:
    bundle = tiny_bundle if name == "tiny" else BUNDLED / name
    recognizer = Recognizer.load(bundle)
    with ServiceProcess("--model", str(bundle)) as service:
        page = browser.new_page()
        page.goto(service.url)
        page.evaluate(OPEN_IN_BROWSER, recognizer.model_id.split()[0])
        for clip in [*clips.glob("*.wav"), *(clips / "other rates").iterdir()]:
            expected = recognizer.predict(clip)
            encoded = base64.b64encode(clip.read_bytes()).decode()
            found = page.evaluate(PREDICT_IN_BROWSER, encoded)
            assert found["probabilities"] == pytest.approx(expected.probabilities, abs=1e-3)
            assert found["emotion"] == expected.emotion
            assert found["abstained"] == expected.abstained
            assert found["intensity"] == pytest.approx(expected.intensity, abs=1e-3)
            assert found["warnings"] == list(expected.warnings)
            assert found["duration_s"] == pytest.approx(expected.duration_seconds)
        page.close()


OPEN_IN_BROWSER = """
async (name) => {
  const { openLocalModel } = await import("/static/local.js");
  window.localModel = await openLocalModel(name);
}
"""
PREDICT_IN_BROWSER = """
async (encoded) => {
  const { decode } = await import("/static/audio.js");
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const { localModel } = window;
  return localModel.predict(await localModel.resample(await decode(new Blob([bytes]))));
}
"""
