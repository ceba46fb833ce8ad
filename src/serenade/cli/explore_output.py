"""What ``serenade explore`` shows: tables as text, and a page with pictures."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import replace
from html import escape
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from serenade.cli.tables import table_lines
from serenade.corpora.exploration import choose_examples
from serenade.corpora.statistics import UNKNOWN
from serenade.errors import MissingExtraError, UsageError
from serenade.evaluation.report_page import render_page
from serenade.evaluation.report_parts import counted, table
from serenade.inference.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from serenade.corpora.exploration import ClipGroup, Exploration, MeasuredClip
    from serenade.corpora.manifest import Utterance
    from serenade.types import Waveform

HEAD = ("clips", "speakers", "hours", "mean s", "shortest s", "longest s", "level dBFS", "SNR dB")
"""Columns of the tables of groups."""


def displayable(utterance: Utterance) -> Utterance:
    """Give an utterance whose names can be printed, drawn and written as UTF-8.

    Parameters
    ----------
    utterance : Utterance
        As the manifest has it.

    Returns
    -------
    Utterance
        With the same path, which still opens the file.
    """
    return replace(
        utterance,
        id=display_path(utterance.id),
        corpus=display_path(utterance.corpus),
        speaker=utterance.speaker and display_path(utterance.speaker),
    )


def check_folder(folder: Path) -> None:
    """Check that a page can be made before anything is listened to.

    Parameters
    ----------
    folder : Path
        Made if it is missing.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    UsageError
        If the folder cannot be made or written.
    """
    try:
        import serenade.plots.style  # noqa: F401 - fails without matplotlib
    except ModuleNotFoundError as error:
        raise MissingExtraError("plots", "Drawing pictures") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unwritable(folder, error.strerror) from error


def exploration_text(exploration: Exploration) -> str:
    """Give the tables as text.

    Parameters
    ----------
    exploration : Exploration
        What was found.

    Returns
    -------
    str
        One table per dimension, then lengths and levels.
    """
    parts = [
        table_lines([dimension, *HEAD], ([group.name, *_cells(group)] for group in groups))
        for dimension, groups in exploration.groups.items()
    ]
    parts += [
        table_lines([title, "clips"], ([name, str(count)] for name, count in counts.items()))
        for title, counts in (("duration", exploration.durations), ("level", exploration.levels))
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def write_exploration(
    exploration: Exploration,
    folder: Path,
    *,
    name: str,
    read_audio: Callable[[Utterance], Waveform],
) -> None:
    """Write a page with pictures, the pictures by themselves, and the tables as JSON.

    Parameters
    ----------
    exploration : Exploration
        What was found.
    folder : Path
        As :func:`check_folder` found it good: ``index.html``, which needs no other file,
        ``tables.json`` and PNGs are made or replaced.
    name : str
        Of the manifest.
    read_audio : callable
        Decodes the part of a file that an utterance means.

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    pictures = _pictures(exploration)
    examples = choose_examples(exploration.clips)
    for emotion, clip in examples.items():
        pictures |= _clip_pictures(emotion, read_audio(clip.utterance))
    try:
        uris = {key: _save(figure, folder / f"{key}.png") for key, figure in pictures.items()}
        tables = json.dumps(exploration.to_json(), ensure_ascii=False, indent=1)
        (folder / "tables.json").write_text(tables + "\n", encoding="utf-8")
        page = _page(exploration, examples, uris, name)
        (folder / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error.strerror) from error


def _unwritable(folder: Path, reason: str | None) -> UsageError:
    return UsageError(f"the folder {folder} cannot be written ({reason}); give another --output")


def _pictures(exploration: Exploration) -> dict[str, Figure]:
    from serenade.plots.counts import plot_emotions, plot_emotions_by_group, plot_spread

    seconds, levels = defaultdict(list), defaultdict(list)
    for clip in exploration.clips:
        seconds[clip.utterance.emotion].append(clip.quality.duration_seconds)
        if clip.quality.level_dbfs > float("-inf"):
            levels[clip.utterance.emotion].append(clip.quality.level_dbfs)
    emotions = {group.name: group.clips for group in exploration.groups["emotion"]}
    pictures = {
        "emotions": plot_emotions(emotions),
        "corpora": plot_emotions_by_group(
            exploration.emotions_by("corpus"), title="Clips by corpus"
        ),
        "speakers": plot_emotions_by_group(exploration.emotions_by("speaker")),
        "durations": plot_spread(seconds, label="seconds", title="How long clips are"),
    }
    if levels:
        pictures["levels"] = plot_spread(levels, label="dBFS", title="How loud clips are")
    return pictures


def _clip_pictures(emotion: str, waveform: Waveform) -> dict[str, Figure]:
    from serenade.plots.clip import plot_mel_spectrogram, plot_spectrogram, plot_waveform

    return {
        f"waveform-{emotion}": plot_waveform(waveform),
        f"spectrogram-{emotion}": plot_spectrogram(waveform),
        f"mel-{emotion}": plot_mel_spectrogram(waveform),
    }


def _save(figure: Figure, path: Path) -> str:
    """Write a picture and give it as a data URI."""
    from serenade.plots.style import save_figure

    save_figure(figure, path)
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _page(
    exploration: Exploration,
    examples: dict[str, MeasuredClip],
    uris: dict[str, str],
    name: str,
) -> str:
    clips = counted(len(exploration.clips), "clip")
    speakers = counted(sum(g.name != UNKNOWN for g in exploration.groups["speaker"]), "speaker")
    hours = sum(group.hours for group in exploration.groups["corpus"])
    sections = [
        (
            dimension,
            title,
            _image(uris, picture) + _group_table(title, dimension, exploration.groups[dimension]),
        )
        for dimension, title, picture in (
            ("emotion", "Emotions", "emotions"),
            ("corpus", "Corpora", "corpora"),
            ("sex", "Women and men", ""),
            ("language", "Languages", ""),
            ("speaker", "Speakers", "speakers"),
        )
    ]
    sections += [
        (
            "duration",
            "Length",
            _image(uris, "durations") + _counts("length", exploration.durations),
        ),
        ("level", "Level", _image(uris, "levels") + _counts("level", exploration.levels)),
        ("examples", "One clip of each emotion", _examples(examples, uris)),
        ("failures", "Clips that cannot be read", _failures(exploration.failures)),
    ]
    return render_page(
        sections,
        title=f"What is in {name}?",
        lead=f"{clips} of {speakers}, {hours:.2f} hours.",
        banner="",
        remark="Levels are root mean square of the whole clip.",
    )


def _group_table(title: str, dimension: str, groups: Sequence[ClipGroup]) -> str:
    rows = ([escape(group.name), *_cells(group)] for group in groups)
    return table(f"{title}: level and SNR are medians", [dimension, *HEAD], rows)


def _counts(title: str, counts: Mapping[str, int]) -> str:
    rows = ([name, f"{count:,}"] for name, count in counts.items())
    return table(f"Clips by {title}", [title, "clips"], rows)


def _examples(examples: dict[str, MeasuredClip], uris: dict[str, str]) -> str:
    cards = "".join(
        f'<h3>{escape(emotion)}</h3><p class="note">{escape(clip.utterance.id)}</p>'
        + "".join(_image(uris, f"{kind}-{emotion}") for kind in ("waveform", "spectrogram", "mel"))
        for emotion, clip in examples.items()
    )
    return (
        "<p>As alike as can be in all but the emotion: where the corpus has it, the same voice"
        f" says the same words.</p>{cards}"
    )


def _failures(failures: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(failure)}</li>" for failure in failures)
    return f"<ul>{items}</ul>" if items else ""


def _image(uris: dict[str, str], key: str) -> str:
    if key not in uris:
        return ""
    words = escape(key.replace("-", " of "))
    style = "display:block;max-width:100%;height:auto;border-radius:8px"
    return f'<figure><img src="{uris[key]}" alt="{words}" style="{style}"></figure>'


def _cells(group: ClipGroup) -> list[str]:
    level = group.median_level_dbfs
    return [
        f"{group.clips:,}",
        str(group.speakers),
        f"{group.hours:.2f}",
        f"{group.mean_seconds:.2f}",
        f"{group.shortest_seconds:.2f}",
        f"{group.longest_seconds:.2f}",
        "–" if level is None else f"{level:.1f}",
        f"{group.median_snr_db:.1f}",
    ]
