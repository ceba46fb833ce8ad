"""The page in headless Chromium, with a fake microphone that plays a clip of speech."""

from __future__ import annotations

import base64
import csv
import io
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from tests.service_process import ServiceProcess
from tests.tiny_bundle import tiny_spec, tone, write_tiny_bundle

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("playwright", reason="needs pip install playwright")

from playwright.sync_api import expect, sync_playwright

from serenade.audio.codec import encode
from serenade.audio.resample import resample
from serenade.inference.recognizer import Recognizer
from serenade.model.spec import WaveformInput, read_spec
from serenade.model.store import BUNDLED, list_bundled
from serenade.serving.keys import hash_key
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from playwright.sync_api import Browser, Locator, Page, ViewportSize

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
AXE = "axe-core-4.14.1"
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs chromium (apt)")


class Visit:
    """An open page, with what it asked for and what it complained about."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)
        page.goto(url)

    def find(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def wait_for_models(self) -> None:
        expect(self.find("#model option")).not_to_have_count(0)

    def give(self, *files: Path) -> None:
        self.page.set_input_files("#files", list(files))
        expect(self.find("#status")).to_contain_text("one", timeout=20_000)
        expect(self.find("#rows")).not_to_contain_text("working")

    def use_browser(self) -> None:
        self.find("input[value=browser]").check(force=True)
        text = "in this browser now"
        expect(self.find("#status")).to_contain_text(text, timeout=30_000)

    def shows(self, selector: str, text: str) -> None:
        expect(self.find(selector)).to_contain_text(text, timeout=20_000)

    def _note(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with recordings; the synthetic voices are those of `samples`."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    voices = sorted((Path(__file__).parents[2] / "samples").glob("*.flac"))
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
    microphone = f"--use-file-for-fake-audio-capture={clips / 'voices.wav'}"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, microphone])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service(tiny_bundle: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess("--model", str(tiny_bundle)) as process:
        yield process


@pytest.fixture
def visit(browser: Browser, service: ServiceProcess) -> Iterator[Visit]:
    context = browser.new_context(viewport=DESKTOP)
    visit = Visit(context.new_page(), service.url)
    visit.wait_for_models()
    yield visit
    context.close()
    assert visit.complaints == []
    ours = (service.url, service.url.replace("http", "ws"), f"blob:{service.url}")
    assert [url for url in visit.requests if not url.startswith(ours)] == []


def test_a_recording_is_judged_and_its_segments_play(visit: Visit, clips: Path) -> None:
    visit.give(clips / "mixed.wav")
    visit.shows("#verdict", "Sounds like")
    segments = visit.find("#segments button")
    expect(segments).to_have_count(2)
    assert "Sadness" in segments.nth(0).inner_text()
    assert "Anger" in segments.nth(1).inner_text()
    visit.shows("#shares", "Sadness")
    assert visit.find("#bars li").count() == 4
    segments.nth(1).click()
    visit.shows("#play", "Stop")
    assert 2.5 < visit.page.evaluate("document.querySelector('#player').currentTime") < 5.5
    visit.shows("#play", "Play")
    assert 4.5 < visit.page.evaluate("document.querySelector('#player').currentTime") < 5.5


def test_a_click_on_the_waveform_plays_the_segment_there(visit: Visit, clips: Path) -> None:
    visit.give(clips / "mixed.wav")
    canvas = visit.find("#waveform")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] * 0.3, "y": 40})
    visit.shows("#play", "Stop")
    assert visit.page.evaluate("document.querySelector('#player').currentTime") < 2.6


def test_several_files_make_a_table_and_a_csv(visit: Visit, clips: Path) -> None:
    visit.give(clips / "mixed.wav", clips / "notes.txt", clips / "clipped.wav")
    visit.shows("#status", "3 recordings are done, 1 of them without a result.")
    assert visit.find("#rows tr").count() == 3
    visit.shows("#rows tr:nth-child(2)", "not audio that can be decoded")
    visit.shows("#rows tr:nth-child(3)", "clipped")
    visit.find("#rows button >> text=notes.txt").click()
    visit.shows("#verdict", "No result")
    visit.find("#rows button >> text=clipped.wav").click()
    visit.shows("#verdict .warnings", "Parts of the recording are clipped")
    with visit.page.expect_download() as download:
        visit.find("#download").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [row["path"] for row in rows] == ["mixed.wav", "notes.txt", "clipped.wav"]
    assert float(rows[0]["confidence"]) == max(
        float(rows[0][label]) for label in ("neutral", "happiness", "sadness", "anger")
    )
    assert "not audio" in rows[1]["error"]
    assert "clipping" in rows[2]["warnings"].split()


def test_speaking_shows_a_live_result_and_then_the_whole(visit: Visit) -> None:
    visit.find("#record").click()
    visit.shows("#record-label", "Stop")
    visit.shows("#verdict", "right now")
    assert visit.find("#bars li.first").count() == 1
    visit.page.wait_for_timeout(1000)
    visit.find("#record").click()
    visit.shows("#status", "Done.")
    visit.shows("#stage-name", "Recording 1.wav")
    assert visit.find("#segments button").count() >= 1
    assert any("/v1/stream" in url for url in visit.requests)


def test_a_voice_that_falls_silent_is_not_heard_any_more(visit: Visit) -> None:
    visit.page.evaluate(NO_SOUND_AFTER_3_SECONDS)
    visit.find("#record").click()
    visit.shows("#verdict", "right now")
    visit.shows("#verdict .word", "…")
    assert visit.find("#bars li.first").count() == 0
    visit.find("#record").click()
    visit.shows("#stage-name", "Recording 1.wav")


NO_SOUND_AFTER_3_SECONDS = """
() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    setTimeout(() => stream.getAudioTracks().forEach((track) => (track.enabled = false)), 3000);
    return stream;
  };
}
"""


def test_recording_may_begin_while_a_file_is_judged(visit: Visit, clips: Path) -> None:
    visit.page.set_input_files("#files", [clips / "voices.wav"])
    visit.find("#record").click()
    visit.shows("#verdict", "right now")
    visit.find("#record").click()
    visit.shows("#stage-name", "Recording 1.wav")
    assert visit.find("#rows tr").count() == 2


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
  return window.localModel.predict(await decode(new Blob([bytes])));
}
"""


def test_errors_are_told_in_words(visit: Visit, clips: Path) -> None:
    visit.page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('', 'NotAllowedError') } }"
    )
    visit.find("#record").click()
    visit.shows("#problem", "The microphone may not be used; allow it")
    visit.shows("#record-label", "Record")
    visit.page.context.set_offline(True)
    visit.give(clips / "mixed.wav")
    visit.shows("#verdict", "The service cannot be reached")
    visit.complaints.clear()  # Chromium reports failed requests by itself


def test_what_the_model_is_not_sure_about_is_shown_as_such(
    browser: Browser, tmp_path: Path, clips: Path
) -> None:
    bundle = write_tiny_bundle(tmp_path / "unsure", tiny_spec(abstain_below=1.0))
    with ServiceProcess("--model", str(bundle)) as service:
        visit = Visit(browser.new_page(), service.url)
        visit.wait_for_models()
        visit.give(clips / "mixed.wav")
        visit.shows("#verdict .word", "Not sure")
        visit.shows("#rows", "Not sure")
        visit.shows("#segments li:first-child", "not sure")
        visit.page.close()


def test_a_key_is_asked_for_and_used_everywhere(
    browser: Browser, tiny_bundle: Path, clips: Path
) -> None:
    environ = {"SERENADE_API_KEY_HASHES": hash_key("open sésame")}
    with ServiceProcess("--model", str(tiny_bundle), environ=environ) as service:
        visit = Visit(browser.new_page(), service.url)
        for key in ("wrong", "open sésame"):
            visit.find("#key").fill(key)
            visit.page.keyboard.press("Enter")
        visit.wait_for_models()
        visit.give(clips / "mixed.wav")
        visit.shows("#verdict", "Sounds like")
        visit.find("#record").click()
        visit.shows("#verdict", "right now")
        visit.page.close()


def test_everything_can_be_done_with_the_keyboard(visit: Visit, clips: Path) -> None:
    visit.give(clips / "mixed.wav")
    visit.page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(30):
        visit.page.keyboard.press("Tab")
        reached.add(
            visit.page.evaluate("document.activeElement.id || document.activeElement.className")
        )
    assert {"model", "theme", "record", "files", "play", "segment", "download", "link"} <= reached
    visit.find("#segments button").first.focus()
    visit.page.keyboard.press("Enter")
    visit.shows("#play", "Stop")


def test_the_choice_of_appearance_is_kept(visit: Visit) -> None:
    assert visit.find("html").get_attribute("data-theme") == "light"
    visit.find("#theme").click()
    assert visit.find("#theme").get_attribute("aria-pressed") == "true"
    visit.page.reload()
    visit.wait_for_models()
    assert visit.find("html").get_attribute("data-theme") == "dark"


def test_nothing_is_wider_than_a_phone(visit: Visit, clips: Path) -> None:
    visit.page.set_viewport_size(PHONE)
    visit.give(clips / "mixed.wav", clips / "notes.txt", clips / "voices.wav")
    for selector in ("html", ".table-frame"):
        assert visit.page.evaluate(OVERHANG, selector) <= 0, selector


OVERHANG = """
(selector) => {
  const { scrollWidth, clientWidth } = document.querySelector(selector);
  return scrollWidth - clientWidth;
}
"""


def test_a_long_list_of_segments_does_not_lengthen_the_page(visit: Visit, clips: Path) -> None:
    visit.page.set_viewport_size(PHONE)
    visit.give(clips / "mixed.wav")
    visit.page.evaluate(REPEAT_FIRST_SEGMENT, 200)
    assert visit.page.evaluate(BELOW_THE_FOOT) <= 1


REPEAT_FIRST_SEGMENT = """
(n) => {
  const list = document.querySelector("#segments");
  for (let i = 0; i < n; i++) list.append(list.firstElementChild.cloneNode(true));
}
"""
BELOW_THE_FOOT = """
() => {
  const foot = document.querySelector("footer").getBoundingClientRect().bottom + scrollY;
  return document.documentElement.scrollHeight - foot;
}
"""


def test_axe_finds_no_violation(visit: Visit, clips: Path, axe: str) -> None:
    visit.page.evaluate(axe)
    _assert_accessible(visit, "start")
    visit.give(clips / "mixed.wav", clips / "clipped.wav", clips / "notes.txt")
    _assert_accessible(visit, "result")
    visit.find("#rows button >> text=notes.txt").click()
    _assert_accessible(visit, "no result")
    visit.find("#rows button >> text=clipped.wav").click()
    visit.find("#theme").click()
    _assert_accessible(visit, "dark")
    visit.page.set_viewport_size(PHONE)
    _assert_accessible(visit, "phone")
    visit.find("#record").click()
    visit.shows("#verdict", "right now")
    _assert_accessible(visit, "recording")
    visit.find("#record").click()
    visit.shows("#status", "Done.")
    visit.page.evaluate("document.querySelector('#key-dialog').showModal()")
    _assert_accessible(visit, "dialog")


def _assert_accessible(visit: Visit, where: str) -> None:
    visit.page.wait_for_timeout(350)  # colours that are still changing would be measured wrong
    violations = visit.page.evaluate("axe.run().then((result) => result.violations)")
    found = [(one["id"], one["nodes"][0]["html"][:200]) for one in violations]
    assert found == [], where


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Source of axe-core, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "pack", "--silent", AXE.replace("core-", "core@")]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"needs axe-core from npm ({error})")
    content = (folder / f"{AXE}.tgz").read_bytes()
    assert sha256(content).hexdigest() == AXE_SHA256
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()
