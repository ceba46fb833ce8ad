"""A service with keys: the page asks for one where it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.service_process import ServiceProcess

pytest.importorskip("fastapi", reason='needs pip install "serenade[serve]"')
pytest.importorskip("playwright", reason="needs pip install playwright")

from playwright.sync_api import expect
from tests.page_visit import Visit

from serenade.serving.keys import hash_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

KEY = "open sésame"


@pytest.fixture(scope="module")
def locked(tiny_bundle: Path) -> Iterator[ServiceProcess]:
    environ = {"SERENADE_API_KEY_HASHES": hash_key(KEY)}
    with ServiceProcess("--model", str(tiny_bundle), environ=environ) as process:
        yield process


@pytest.fixture
def visit(browser: Browser, locked: ServiceProcess) -> Iterator[Visit]:
    visit = Visit(browser.new_page(), locked.url)
    expect(visit.find("#key")).to_be_visible()
    yield visit
    visit.page.close()
    assert visit.complaints == []


def give_key(visit: Visit, key: str) -> None:
    expect(visit.find("#key")).to_be_visible()
    visit.find("#key").fill(key)
    visit.page.keyboard.press("Enter")


def give_none(visit: Visit) -> None:
    visit.find("#key-cancel").click()
    visit.shows("#problem", "The service needs a valid API key")


def test_a_key_is_asked_for_and_used_everywhere(visit: Visit, clips: Path) -> None:
    for key in ("wrong", KEY):
        give_key(visit, key)
    visit.wait_for_models()
    visit.give(clips / "mixed.wav")
    visit.shows("#verdict", "Sounds like")
    visit.find("#record").click()
    visit.shows("#verdict", "right now")


def test_a_key_that_is_not_taken_any_more_is_asked_for_once(visit: Visit, clips: Path) -> None:
    give_key(visit, KEY)
    visit.wait_for_models()
    visit.page.evaluate("sessionStorage.setItem('serenade-key', 'old')")
    visit.page.set_input_files("#files", [clips / "mixed.wav"])
    give_key(visit, KEY)
    visit.shows("#verdict", "Sounds like")
    expect(visit.find("#key")).to_be_hidden()


def test_who_gave_no_key_is_asked_again_when_it_is_needed(visit: Visit, clips: Path) -> None:
    give_none(visit)
    visit.find("#record").click()
    give_none(visit)
    visit.find("input[value=browser]").check(force=True)
    give_none(visit)
    expect(visit.find("input[value=server]")).to_be_checked()
    visit.page.set_input_files("#files", [clips / "mixed.wav"])
    give_key(visit, KEY)
    visit.shows("#verdict", "Sounds like")
    expect(visit.find("#problem")).to_be_hidden()
    assert visit.find("#bars li").count() == 4


def test_a_key_that_no_request_can_carry_is_refused_at_once(visit: Visit) -> None:
    give_key(visit, "ключ")
    words = visit.find("#key").evaluate("(field) => field.validationMessage")
    assert words.startswith("This cannot be a key: it has letters that no request can carry.")
    expect(visit.find("#key")).to_be_visible()
    assert visit.page.evaluate("sessionStorage.length") == 0
    give_key(visit, KEY)
    visit.wait_for_models()
