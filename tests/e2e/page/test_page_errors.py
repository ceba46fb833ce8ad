"""What goes wrong is told in words, and what can go on does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("playwright", reason="needs pip install playwright")

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Route
    from tests.page_visit import Visit


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


def test_a_file_that_vanishes_does_not_end_the_batch(
    visit: Visit, clips: Path, tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in ("first.wav", "second.wav", "third.wav")]
    for path in paths:
        shutil.copy(clips / "mixed.wav", path)

    def lose_second(route: Route) -> None:
        paths[1].unlink(missing_ok=True)
        route.continue_()

    visit.page.route("**/v1/predict*", lose_second)
    visit.give(*paths)
    visit.shows("#status", "3 recordings are done, 1 of them without a result.")
    visit.shows(
        "#rows tr:nth-child(2)", "The file cannot be read; was it moved, or is it a folder?"
    )
    visit.shows("#rows tr:nth-child(3)", "0:05.5")
    visit.complaints.clear()  # Chromium reports failed requests by itself


def test_a_folder_that_is_dropped_with_a_file_does_not_end_the_batch(
    visit: Visit, clips: Path
) -> None:
    session = visit.page.context.new_cdp_session(visit.page)
    files = [str(clips / "other rates"), str(clips / "mixed.wav")]
    for kind in ("dragEnter", "dragOver", "drop"):
        dropped = {"items": [], "files": files, "dragOperationsMask": 1}
        place = {"x": 640, "y": 300}
        session.send("Input.dispatchDragEvent", {"type": kind, "data": dropped} | place)
    visit.shows("#status", "2 recordings are done, 1 of them without a result.")
    expect(visit.find("#rows tr")).to_have_count(2)
    visit.shows("#rows tr:nth-child(1)", "is it a folder?")
    visit.shows("#rows tr:nth-child(2)", "0:05.5")
    visit.complaints.clear()
