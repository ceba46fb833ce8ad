"""Recordings that are given: results, their picture, the table and its CSV."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from tests.service_process import ServiceProcess
from tests.tiny_bundle import TONES_HZ, tiny_spec, write_tiny_bundle

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("playwright", reason="needs pip install playwright")

from playwright.sync_api import expect
from tests.page_visit import Visit

from serenade.cli.records import csv_columns

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
    assert list(rows[0]) == csv_columns(tuple(TONES_HZ))
    assert [row["model"] for row in rows] == ["tiny 1.0.0", "", "tiny 1.0.0"]
    assert [row["path"] for row in rows] == ["mixed.wav", "notes.txt", "clipped.wav"]
    assert float(rows[0]["confidence"]) == max(float(rows[0][label]) for label in TONES_HZ)
    assert "not audio" in rows[1]["error"]
    assert "clipping" in rows[2]["warnings"].split()


def test_the_csv_of_failures_alone_has_all_columns(visit: Visit, clips: Path) -> None:
    visit.give(clips / "notes.txt")
    with visit.page.expect_download() as download:
        visit.find("#download").click()
    head, row = csv.reader(io.StringIO(Path(download.value.path()).read_text()))
    assert head == csv_columns(tuple(TONES_HZ))
    assert len(row) == len(head)


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


def test_a_recording_that_is_refused_is_not_decoded(
    browser: Browser, tiny_bundle: Path, clips: Path
) -> None:
    with ServiceProcess("--model", str(tiny_bundle), "--max-body-bytes", "1000") as service:
        visit = Visit(browser.new_page(), service.url)
        visit.wait_for_models()
        visit.page.evaluate(COUNT_DECODED)
        visit.give(clips / "mixed.wav")
        visit.shows("#verdict", "The body is larger than 1,000 bytes")
        visit.page.wait_for_timeout(300)
        assert visit.page.evaluate("nDecoded") == 0
        visit.page.close()


@pytest.mark.parametrize(("seconds", "n_decoded"), [(600, 1), (601, 0)])
def test_only_what_is_short_is_decoded_for_its_picture(
    visit: Visit, clips: Path, seconds: int, n_decoded: int
) -> None:
    visit.page.evaluate(COUNT_DECODED)
    visit.page.evaluate(LENGTHEN, seconds)
    visit.give(clips / "mixed.wav")
    visit.shows("#rows", "10:0")
    visit.page.wait_for_timeout(300)
    visit.find("#rows button").click()
    visit.page.wait_for_timeout(300)
    assert visit.page.evaluate("nDecoded") == n_decoded


COUNT_DECODED = """
() => {
  const decode = BaseAudioContext.prototype.decodeAudioData;
  window.nDecoded = 0;
  BaseAudioContext.prototype.decodeAudioData = function (...given) {
    window.nDecoded += 1;
    return decode.apply(this, given);
  };
}
"""
LENGTHEN = """
(seconds) => {
  const ask = window.fetch;
  window.fetch = async (path, ...given) => {
    const answer = await ask(path, ...given);
    if (!path.startsWith("v1/predict")) return answer;
    return Response.json({ ...(await answer.json()), duration_s: seconds });
  };
}
"""


def test_the_picture_is_made_of_twenty_peaks_a_second(visit: Visit, clips: Path) -> None:
    content = (clips / "mixed.wav").read_bytes()
    peaks = visit.page.evaluate(READ_PEAKS, base64.b64encode(content).decode())
    samples, _ = soundfile.read(clips / "mixed.wav", dtype="float32")
    assert peaks == pytest.approx(np.abs(samples).reshape(-1, 16000 // 20).max(axis=1), abs=1e-4)
    assert visit.page.evaluate(READ_PEAKS, base64.b64encode(b"no audio").decode()) is None


READ_PEAKS = """
async (encoded) => {
  const { readPeaks } = await import("/static/peaks.js");
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const peaks = await readPeaks(new Blob([bytes]));
  return peaks && [...peaks];
}
"""
