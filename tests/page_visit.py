"""The page in headless Chromium, as the tests use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, ViewportSize

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
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


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
