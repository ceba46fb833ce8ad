"""How the page looks and is reached: keyboard, phone, dark, axe."""

from __future__ import annotations

import io
import subprocess
import tarfile
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("playwright", reason="needs pip install playwright")

from tests.page_visit import PHONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page_visit import Visit

AXE = "axe-core-4.14.1"
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"


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
    _assert_accessible(visit, "recorded")
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
