"""The lines of docs/guide/gradio-streamlit.md run, with stand-ins for Gradio and Streamlit."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from serenade.inference.recognizer import Recognizer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lines(repository: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The two programs; their default model is the tiny one."""
    recognizer = Recognizer.load(tiny_folder)
    monkeypatch.setattr(Recognizer, "load", lambda: recognizer)
    text = (repository / "docs" / "guide" / "gradio-streamlit.md").read_text()
    gradio, streamlit = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    return gradio, streamlit


def run(program: str, name: str, stand_in: MagicMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, stand_in)
    variables: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(program, f"{name} guide", "exec"), variables)


def test_the_lines_for_gradio_give_probabilities(
    lines: tuple[str, str], wav: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradio = MagicMock()
    run(lines[0], "gradio", gradio, monkeypatch)
    judge, audio, label = gradio.Interface.call_args.args
    gradio.Audio.assert_called_once_with(type="filepath")
    assert (audio, label) == (gradio.Audio.return_value, gradio.Label.return_value)
    gradio.Interface.return_value.launch.assert_called_once_with()
    path = tmp_path / "voice.wav"
    path.write_bytes(wav)
    probabilities = judge(str(path))
    assert max(probabilities, key=probabilities.get) == "happiness"


def test_the_lines_for_streamlit_show_a_recording(
    lines: tuple[str, str], wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamlit = MagicMock()
    streamlit.cache_resource.side_effect = lambda function: function
    streamlit.audio_input.return_value = io.BytesIO(wav)
    run(lines[1], "streamlit", streamlit, monkeypatch)
    streamlit.metric.assert_called_once_with("Sounds like", "happiness", "100%")
    [chart] = streamlit.bar_chart.call_args.args
    assert set(chart) == {"neutral", "happiness", "sadness", "anger"}


def test_the_lines_for_streamlit_wait_for_a_recording(
    lines: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    streamlit = MagicMock()
    streamlit.audio_input.return_value = None
    run(lines[1], "streamlit", streamlit, monkeypatch)
    streamlit.metric.assert_not_called()


def test_each_is_about_ten_lines(lines: tuple[str, str]) -> None:
    for program in lines:
        assert len([line for line in program.splitlines() if line.strip()]) <= 10
