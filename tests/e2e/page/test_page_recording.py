"""Speaking into the page: the live display, the result, and what breaks on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import soundfile
from tests.service_process import ServiceProcess

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("playwright", reason="needs pip install playwright")

from playwright.sync_api import expect
from tests.page_visit import Visit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Route


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


def test_there_is_no_stop_any_more_while_a_recording_is_judged(visit: Visit) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visit.page.route("**/v1/predict*", hold)
    visit.find("#record").click()
    visit.shows("#verdict", "right now")
    assert visit.find(".live").count() == 1
    visit.find("#record").click()
    visit.shows("#verdict", "Working")
    assert visit.find("#record-label").inner_text() == "Record"
    assert visit.find("#record.on").count() == visit.find(".live").count() == 0
    held.pop().continue_()
    visit.shows("#status", "Done.")


def test_the_reason_for_a_broken_recording_stays_to_be_read(visit: Visit, clips: Path) -> None:
    visit.page.evaluate(KEEP_TRACK)
    visit.find("#record").click()
    visit.shows("#verdict", "right now")
    visit.page.evaluate("track.dispatchEvent(new Event('ended'))")
    visit.shows("#status", "Done.")
    visit.shows("#stage-name", "Recording 1.wav")
    expect(visit.find("#problem")).to_be_visible()
    visit.shows("#problem", "The microphone was disconnected.")
    visit.give(clips / "mixed.wav")
    expect(visit.find("#problem")).to_be_hidden()


KEEP_TRACK = """
() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.track = stream.getAudioTracks()[0];
    return stream;
  };
}
"""


def test_a_service_that_takes_no_more_streams_is_said_to(
    browser: Browser, tiny_bundle: Path
) -> None:
    with ServiceProcess("--model", str(tiny_bundle), "--max-streams", "1") as service:
        first, second = (Visit(browser.new_page(), service.url) for _ in range(2))
        first.find("#record").click()
        first.shows("#verdict", "right now")
        second.find("#record").click()
        second.shows("#problem", "The service opened no stream; it may have as many as it takes")
        expect(second.find("#record")).to_be_enabled()
        second.shows("#record-label", "Record")
        expect(second.find("#problem")).to_be_visible()
        first.page.close()
        second.page.close()


def test_a_recording_without_samples_is_not_judged(visit: Visit) -> None:
    visit.page.evaluate(NO_SAMPLES)
    visit.find("#record").click()
    visit.shows("#stage-name", "Listening")
    visit.find("#record").click()
    visit.shows("#status", "Nothing was recorded.")
    expect(visit.find("#stage")).to_be_hidden()
    expect(visit.find("#known")).to_be_visible()
    assert not [url for url in visit.requests if "predict" in url]


NO_SAMPLES = "() => Object.defineProperty(MessagePort.prototype, 'onmessage', { set() {} })"


def test_what_was_heard_of_a_recording_too_large_to_send_is_kept(
    browser: Browser, tiny_bundle: Path
) -> None:
    with ServiceProcess("--model", str(tiny_bundle), "--max-body-bytes", "1000") as service:
        visit = Visit(browser.new_page(), service.url)
        visit.find("#record").click()
        visit.shows("#verdict", "right now")
        visit.page.wait_for_timeout(1500)
        visit.find("#record").click()
        visit.shows("#verdict", "The body is larger than 1,000 bytes")
        visit.shows("#verdict", "Below is what was heard while it was recorded.")
        expect(visit.find("#segments button").first).to_be_visible()
        expect(visit.find("#bars")).to_be_hidden()
        with visit.page.expect_download() as download:
            visit.find("#save").click()
        assert download.value.suggested_filename == "Recording 1.wav"
        assert soundfile.info(download.value.path()).duration > 1.5
        visit.page.close()
