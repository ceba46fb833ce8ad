"""``serenade corpora``: find, fetch, prepare, check and count emotional speech."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from serenade.cli.app import new_app
from serenade.cli.messages import print_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serenade.corpora.corpus import Corpus, Dropped, ScanResult
    from serenade.corpora.manifest import Utterance
    from serenade.corpora.statistics import CorpusStatistics

app = new_app()

_EXAMPLES_PER_REASON = 3


class ListFormat(StrEnum):
    """How a list of things is written."""

    TEXT = "text"
    JSON = "json"


class TableFormat(StrEnum):
    """How a table is written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


@app.command("list")
def list_corpora(
    output_format: Annotated[ListFormat, typer.Option("--format")] = ListFormat.TEXT,
) -> None:
    """List the corpora that Serenade can read."""
    import json

    from serenade.corpora.registry import CORPORA, corpus

    corpora = [corpus(name) for name in CORPORA]
    if output_format is ListFormat.JSON:
        print(json.dumps([_card(one) for one in corpora], ensure_ascii=False, indent=1))
        return
    rows: list[tuple[str, ...]] = [
        ("corpus", "speakers", "clips", "emotions", "languages", "get it", "licence")
    ]
    rows += [
        (
            one.name,
            str(one.card.speakers),
            str(one.card.clips),
            str(len(one.card.labels)),
            " ".join(one.card.languages),
            "download" if one.card.download else "by hand",
            one.card.licence,
        )
        for one in corpora
    ]
    print(_aligned(rows))
    print_message(
        "`prepare` also reads a plain `folder` of emotion folders and a CSV or TSV `table`."
    )


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="Name of a corpus, see `list`.")],
    output_format: Annotated[ListFormat, typer.Option("--format")] = ListFormat.TEXT,
) -> None:
    """Show the card of a corpus: size, licence, citation and source."""
    import json

    from serenade.corpora.registry import corpus

    card = _card(corpus(name))
    if output_format is ListFormat.JSON:
        print(json.dumps(card, ensure_ascii=False, indent=1))
        return
    for key, value in card.items():
        if value:
            print(f"{key:>12}  {', '.join(value) if isinstance(value, list | tuple) else value}")


@app.command()
def download(
    name: Annotated[str, typer.Argument(help="Name of a corpus, see `list`.")],
    folder: Annotated[Path, typer.Argument(help="Where it goes; is made where needed.")],
) -> None:
    """Fetch a corpus from its publisher; run again to go on after a break."""
    from serenade.corpora.download import download_corpus
    from serenade.corpora.registry import corpus

    wanted = corpus(name)
    print_message(f"licence: {wanted.card.licence}")
    download_corpus(wanted, folder, progress=_ProgressLine())
    print_message(f"next: serenade corpora prepare {wanted.name} {folder} --output manifest.jsonl")


@app.command()
def prepare(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of a corpus, or `folder` (of emotion folders), `table` (CSV or TSV), or"
            " `all` for a folder that holds several corpora by name."
        ),
    ],
    source: Annotated[Path, typer.Argument(help="Its folder, or the table.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")],
    corpus_name: Annotated[
        str | None, typer.Option("--corpus", help="For folder and table: name of the corpus.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="For folder and table: ISO 639-1 code, like en.")
    ] = None,
    speaker_pattern: Annotated[
        str | None,
        typer.Option(help="For folder: regular expression whose group is the speaker."),
    ] = None,
    emotion_pattern: Annotated[
        str | None,
        typer.Option(help="For folder: regular expression whose group is the emotion."),
    ] = None,
) -> None:
    """Write the manifest of a corpus; everything that was dropped is named with its reason."""
    from serenade.corpora.collection import scan_collection
    from serenade.corpora.manifest import write_manifest
    from serenade.corpora.parsers.folder import scan_folder
    from serenade.corpora.parsers.table import scan_table
    from serenade.corpora.registry import corpus
    from serenade.errors import UsageError

    for_both = {"--corpus": corpus_name, "--language": language}
    for_folder = {"--speaker-pattern": speaker_pattern, "--emotion-pattern": emotion_pattern}
    for option, value in (for_both | for_folder).items():
        if value == "":
            raise UsageError(f"{option} must not be empty; leave it out if there is nothing to say")
    if name not in {"folder", "table"} and any(value is not None for value in for_both.values()):
        raise UsageError("--corpus and --language are only for folder and table")
    if name != "folder" and any(value is not None for value in for_folder.values()):
        raise UsageError("--speaker-pattern and --emotion-pattern are only for folder")
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"{output} is what is to be read; give the manifest another name")
    if name == "folder":
        result = scan_folder(
            source,
            corpus=corpus_name,
            language=language,
            speaker_pattern=speaker_pattern,
            emotion_pattern=emotion_pattern,
        )
    elif name == "table":
        result = scan_table(source, corpus=corpus_name, language=language)
    elif name == "all":
        result = scan_collection(source)
    else:
        result = corpus(name).scan(source)
    write_manifest(output, result.utterances)
    _report(result, output)


@app.command()
def check(
    manifest: Annotated[Path, typer.Argument(help="A JSONL manifest.")],
    output_format: Annotated[ListFormat, typer.Option("--format")] = ListFormat.TEXT,
) -> None:
    """List every problem of a manifest and its audio; exits with 1 where there are some."""
    import json
    from collections import Counter
    from dataclasses import asdict

    from serenade.audio.decode import decode
    from serenade.corpora.validate import check_manifest
    from serenade.inference.records import display_path

    problems = check_manifest(manifest, read_audio=decode)
    if output_format is ListFormat.JSON:
        print(json.dumps([asdict(problem) for problem in problems], indent=1))
    else:
        for problem in problems:
            line = f"{manifest}:{problem.line}: {problem.kind}: {problem.message}"
            print(display_path(line))
    counts = Counter(problem.kind for problem in problems)
    summary = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    print_message(summary or "no problems")
    if problems:
        raise typer.Exit(1)


@app.command()
def stats(
    manifest: Annotated[Path, typer.Argument(help="A JSONL manifest.")],
    output_format: Annotated[TableFormat, typer.Option("--format")] = TableFormat.TEXT,
    durations: Annotated[bool, typer.Option(help="Add up the lengths of the files.")] = False,
) -> None:
    """Count utterances by corpus, emotion, speaker, sex, language, intensity and split.

    A file whose length cannot be told is named, counted as nothing, and gives the exit code 1.
    """
    import json
    from dataclasses import asdict

    from serenade.cli.exit_codes import exit_code
    from serenade.cli.explore_output import displayable
    from serenade.corpora.manifest import read_manifest
    from serenade.corpora.statistics import describe
    from serenade.errors import AudioError

    utterances = [displayable(utterance) for utterance in read_manifest(manifest)]
    failures: list[AudioError] = []

    def seconds_of(utterance: Utterance) -> float:
        try:
            return _seconds_of(utterance)
        except AudioError as error:
            failures.append(error)
            return 0.0

    described = describe(utterances, seconds_of=seconds_of if durations else None)
    if output_format is TableFormat.JSON:
        print(json.dumps([asdict(one) for one in described], ensure_ascii=False, indent=1))
    elif output_format is TableFormat.CSV:
        _print_csv(described)
    else:
        print("\n\n".join(_text(one) for one in described))
    for failure in failures:
        print_message(f"no length: {failure}")
    raise typer.Exit(exit_code(len(failures), len(utterances)))


class _ProgressLine:
    """One line that is written over on a terminal; otherwise one line per file."""

    def __init__(self) -> None:
        self._name = ""

    def __call__(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        total = "" if total_bytes is None else f" of {total_bytes / 1e6:.1f}"
        line = f"{name}: {done_bytes / 1e6:.1f}{total} MB"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
            if done_bytes == total_bytes:
                print(file=sys.stderr)
        elif name != self._name:
            print_message(f"fetching {name}{total and f' ({total[4:]} MB)'}")
        self._name = name


def _card(corpus: Corpus) -> dict[str, object]:
    from dataclasses import asdict

    card = asdict(corpus.card)
    card["download"] = [
        part["url"] if "url" in part else part["table"]["url"] for part in card["download"]
    ]
    return {"name": corpus.name} | card


def _report(result: ScanResult, output: Path) -> None:
    from collections import defaultdict

    by_reason: dict[str, list[Dropped]] = defaultdict(list)
    for dropped in result.dropped:
        by_reason[dropped.reason].append(dropped)
    for reason, group in by_reason.items():
        examples = ", ".join(dropped.path for dropped in group[:_EXAMPLES_PER_REASON])
        more = " …" if len(group) > _EXAMPLES_PER_REASON else ""
        print_message(f"dropped {len(group)}: {reason}: {examples}{more}")
    speakers = {utterance.speaker_key for utterance in result.utterances} - {None}
    print_message(
        f"{output}: {len(result.utterances)} utterances of {len(speakers)} known speakers,"
        f" {len(result.dropped)} dropped"
    )


def _seconds_of(utterance: Utterance) -> float:
    from serenade.audio.decode import decode, probe
    from serenade.errors import AudioError

    length = probe(utterance.path).duration_seconds
    if length is None:
        length = decode(utterance.path).duration_seconds
    start = utterance.start_seconds or 0.0
    stop = length if utterance.stop_seconds is None else min(utterance.stop_seconds, length)
    if start >= stop:
        raise AudioError(
            f"{utterance.path} lasts {length:.3f} s, so there is nothing from {start} s on; correct"
            " the start"
        )
    return stop - start


def _print_csv(described: Iterable[CorpusStatistics]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("corpus", "speaker", "property", "value", "utterances"))
    for one in described:
        if one.hours is not None:
            writer.writerow((one.corpus, "", "hours", f"{one.hours:.6f}", one.utterances))
        for property_name, counts in _counts(one).items():
            for value, count in counts.items():
                writer.writerow((one.corpus, "", property_name, value, count))
        for speaker, emotions in one.per_speaker.items():
            for value, count in emotions.items():
                writer.writerow((one.corpus, speaker, "emotion", value, count))


def _counts(one: CorpusStatistics) -> dict[str, dict[str, int]]:
    return {
        "emotion": dict(one.emotions),
        "sex": dict(one.sexes),
        "language": dict(one.languages),
        "intensity": dict(one.intensities),
        "split": dict(one.splits),
    }


def _text(one: CorpusStatistics) -> str:
    hours = "" if one.hours is None else f", {one.hours:.2f} h"
    lines = [f"{one.corpus}: {one.utterances} utterances, {one.speakers} speakers{hours}"]
    for property_name, counts in _counts(one).items():
        listed = ", ".join(f"{value} {count}" for value, count in counts.items())
        lines.append(f"  {property_name:<9}  {listed}")
    return "\n".join(lines)


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
