from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from serenade.audio.decode import decode
from serenade.errors import EvaluationError
from serenade.evaluation.evaluate import Evaluation, Setting, evaluate
from serenade.evaluation.fairness import measure_fairness
from serenade.evaluation.readings import choose_labelling
from serenade.evaluation.report import WORST_CLIPS, read_epochs, render_report, write_report
from serenade.evaluation.report_clips import palette, spectrogram_uri, worst_clips, write_png
from serenade.types import Waveform

if TYPE_CHECKING:
    from serenade.corpora.manifest import Utterance

Fake = Any
VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """Notes every tag, and tags that are closed in the wrong order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.misnested: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.misnested += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.misnested.append(tag)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def evaluation(fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path) -> Evaluation:
    rng = np.random.default_rng(0)
    for utterance in utterances:
        path = tmp_path / utterance.path
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, rng.normal(scale=0.05, size=4000), 16_000)
    recognizer = fake_recognizer(broken=frozenset({"anger_0_0"}))
    return evaluate(
        recognizer,
        utterances,
        labelling=choose_labelling("corpus", utterances),
        setting=Setting(recognizer.model_id, recognizer.labels, command="serenade evaluate <x>"),
    )


def test_page_is_well_formed_and_needs_nothing_beside_itself(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    text = render_report(evaluation, root=tmp_path, audio=True)
    page = Page(text)
    assert page.misnested == []
    assert "${" not in text
    for tag in ("link", "script", "iframe"):
        assert page.all(tag) == []
    sources = [a["src"] for _, a in page.tags if "src" in a]
    assert sources
    assert all(str(source).startswith("data:") for source in sources)
    assert not re.search(r"url\(|@import|https?://", text)
    links = [a["href"] for a in page.all("a")]
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert all(str(link).startswith("#") and str(link)[1:] in ids for link in links)


def test_page_shows_the_headline_and_how_to_repeat_it(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    text = render_report(evaluation, root=tmp_path, audio=False)
    whole, _, rest = f"{100 * evaluation.closed.uar.value:.1f}".partition(".")
    assert f"{whole}<small>.{rest} %</small>" in text
    assert "serenade evaluate &lt;x&gt;" in text
    assert "<dt>seed</dt><dd>0</dd>" in text
    assert "onnxruntime" in text
    assert "Clips that failed" in text
    assert "anger_0_0" in text


def test_tables_and_figures_can_be_read_without_seeing_them(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    page = Page(render_report(evaluation, root=tmp_path, audio=True))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all("scope" in attributes for attributes in page.all("th"))
    assert all(a.get("aria-label") or a.get("aria-hidden") for a in page.all("svg"))
    assert all(attributes["alt"] for attributes in page.all("img"))
    assert page.all("html")[0]["lang"] == "en"


def test_leaking_split_is_the_first_thing_on_the_page(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    leaking = replace(evaluation, setting=replace(evaluation.setting, leaks=("2 speakers leak",)))
    text = render_report(leaking, root=tmp_path, audio=False)
    assert text.index("THIS SPLIT LEAKS") < text.index('id="result"')
    assert 'class="banner bad"' in text
    clean = replace(evaluation, setting=replace(evaluation.setting, leaks=()))
    assert 'class="banner good"' in render_report(clean, root=tmp_path, audio=False)


def test_worst_clips_are_the_most_confident_errors_and_can_be_heard(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    chosen = worst_clips(evaluation.closed.reading, count=WORST_CLIPS)
    reading = evaluation.closed.reading
    wrong = reading.predicted != reading.true
    assert [c.confidence for c in chosen] == sorted(reading.confidence[wrong])[::-1][:WORST_CLIPS]
    assert all(clip.truth == clip.utterance.emotion != clip.answer for clip in chosen)
    page = Page(render_report(evaluation, root=tmp_path, audio=True))
    players = page.all("audio")
    assert len(players) == len(chosen)
    content = base64.b64decode(str(players[0]["src"]).split(",", 1)[1])
    assert decode(content).duration_seconds == pytest.approx(0.25, abs=0.1)


def test_no_audio_leaves_sound_and_pictures_out(evaluation: Evaluation, tmp_path: Path) -> None:
    page = Page(render_report(evaluation, root=tmp_path, audio=False))
    assert page.all("audio") == page.all("img") == []
    missing = Page(render_report(evaluation, root=Path("/nowhere"), audio=True))
    assert missing.all("audio") == []


def test_names_from_outside_cannot_write_into_the_page(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script>"
    answers = tuple(
        replace(a, utterance=replace(a.utterance, id=evil, corpus=evil, speaker=evil))
        for a in evaluation.closed.reading.answers
    )
    reading = replace(evaluation.closed.reading, answers=answers)
    poisoned = replace(
        evaluation,
        closed=replace(evaluation.closed, reading=reading),
        setting=replace(evaluation.setting, model=evil, protocol=evil, notes=(evil,)),
        fairness=measure_fairness(reading, seed=0),
    )
    text = render_report(poisoned, root=tmp_path, audio=False)
    assert "<script" not in text
    assert Page(text).misnested == []


def test_training_curves_come_from_the_run(evaluation: Evaluation, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    lines = [
        {
            "epoch": epoch,
            "train_loss": 2 / epoch,
            "validation_loss": 2.2 / epoch,
            "train_uar": 0.2 * epoch,
            "validation_uar": 0.15 * epoch,
        }
        for epoch in (1, 2, 3)
    ]
    (run / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    text = render_report(evaluation, epochs=read_epochs(run), audio=False)
    assert 'id="training"' in text
    assert "Loss by epoch, training and validation" in text
    assert "validation leaks" not in text
    leaking = [{**line, "leaking": True} for line in lines]
    assert text.count("UAR</figcaption>") == 1
    assert "UAR (validation leaks)" in render_report(evaluation, epochs=leaking, audio=False)
    (run / "metrics.jsonl").write_text("no json")
    with pytest.raises(EvaluationError, match="metrics of the run cannot be read"):
        read_epochs(run)


def test_published_figures_stand_beside_a_known_corpus(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    answers = tuple(
        replace(a, utterance=replace(a.utterance, corpus="CREMA-D"))
        for a in evaluation.closed.reading.answers
    )
    known = replace(
        evaluation,
        closed=replace(
            evaluation.closed, reading=replace(evaluation.closed.reading, answers=answers)
        ),
    )
    text = render_report(known, audio=False)
    assert "Whisper large v3" in text
    assert '<span class="tag">leaks</span>' in text
    assert "Beside published results" not in render_report(evaluation, audio=False)


def test_report_that_cannot_be_written_is_one_clear_error(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match="the report cannot be written"):
        write_report(evaluation, tmp_path / "absent" / "out.html", audio=False)


def test_png_holds_the_pixels() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    content = write_png(pixels, palette())
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    start = content.index(b"IDAT")
    size = int.from_bytes(content[start - 4 : start], "big")
    data = content[start + 4 : start + 4 + size]
    rows = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(3, 5)
    np.testing.assert_array_equal(rows[:, 1:], pixels)
    check = int.from_bytes(content[start + 4 + size : start + 8 + size], "big")
    assert check == zlib.crc32(b"IDAT" + data)


def test_palette_gets_lighter_throughout() -> None:
    luminance = palette() @ np.array([0.2126, 0.7152, 0.0722])
    assert np.all(np.diff(luminance) > -0.75)
    assert luminance[-1] > 200
    assert luminance[0] < 20


def test_spectrogram_has_high_frequencies_on_top() -> None:
    time = np.arange(16_000) / 16_000
    low = Waveform((0.3 * np.sin(2 * np.pi * 300 * time)).astype(np.float32), 16_000)
    content = base64.b64decode(spectrogram_uri(low).split(",", 1)[1])
    width = int.from_bytes(content[16:20], "big")
    height = int.from_bytes(content[20:24], "big")
    start = content.index(b"IDAT")
    size = int.from_bytes(content[start - 4 : start], "big")
    raw = zlib.decompress(content[start + 4 : start + 4 + size])
    rows = np.frombuffer(raw, dtype=np.uint8).reshape(height, width + 1)[:, 1:]
    assert rows.mean(axis=1).argmax() > height * 0.75
