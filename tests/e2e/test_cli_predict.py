"""``serenade predict``: inputs, formats and exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.tiny_bundle import TONES_HZ, tiny_spec, write_tiny_bundle

from serenade.errors import AudioError

SORTED_CLIPS = ["happiness.wav", "more/anger.wav", "neutral.wav", "sadness.wav"]


@pytest.fixture
def schema(repository: Path) -> Any:
    text = (repository / "docs" / "prediction.schema.json").read_text()
    validator = jsonschema.Draft202012Validator(json.loads(text))
    validator.check_schema(validator.schema)
    return validator


@pytest.fixture
def predict(serenade: Any, tiny_bundle: Path) -> Any:
    def call(*arguments: object, stdin: bytes = b"") -> Any:
        return serenade("predict", "--model", tiny_bundle, *arguments, stdin=stdin)

    return call


def test_one_file_is_one_json_object(predict: Any, voices: Path, schema: Any) -> None:
    result = predict("sadness.wav", "--format", "json")
    assert (result.code, result.err) == (0, "")
    record = json.loads(result.out)
    schema.validate(record)
    assert record["path"] == "sadness.wav"
    assert record["emotion"] == "sadness"
    assert record["model"] == "tiny 1.0.0"


def test_several_files_are_one_json_array(predict: Any, voices: Path, schema: Any) -> None:
    result = predict("sadness.wav", "neutral.wav", "--format", "json")
    records = json.loads(result.out)
    schema.validate(records)
    assert [r["path"] for r in records] == ["neutral.wav", "sadness.wav"]


def test_a_folder_is_an_array_however_many_files_it_holds(predict: Any, voices: Path) -> None:
    records = json.loads(predict("more", "--format", "json").out)
    assert [r["path"] for r in records] == ["more/anger.wav"]


def test_folders_are_searched_and_sorted(predict: Any, voices: Path) -> None:
    result = predict(".", "--format", "jsonl")
    assert result.code == 0
    records = [json.loads(line) for line in result.out.splitlines()]
    assert [r["path"] for r in records] == SORTED_CLIPS
    assert [r["emotion"] for r in records] == [Path(path).stem for path in SORTED_CLIPS]


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("*.wav", ["happiness.wav", "neutral.wav", "sadness.wav"]),
        ("**/*.wav", SORTED_CLIPS),
        ("m*", ["more/anger.wav"]),
        ("[hn]*.wav", ["happiness.wav", "neutral.wav"]),
    ],
)
def test_patterns_that_no_shell_expanded_are_expanded(
    predict: Any, voices: Path, pattern: str, paths: list[str]
) -> None:
    lines = predict(pattern, "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["path"] for line in lines] == paths


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(predict: Any, voices: Path) -> None:
    shutil.copy("neutral.wav", "take[1].wav")
    assert json.loads(predict("take[1].wav", "--format", "json").out)["path"] == "take[1].wav"


def test_each_file_is_predicted_once(predict: Any, voices: Path) -> None:
    result = predict("more", "more/anger.wav", "more/*.wav", "--format", "jsonl")
    assert len(result.out.splitlines()) == 1


def test_standard_input_is_a_recording(predict: Any, voices: Path) -> None:
    result = predict("-", "--format", "json", stdin=Path("sadness.wav").read_bytes())
    record = json.loads(result.out)
    assert (record["path"], record["emotion"]) == ("-", "sadness")


def test_an_explicit_file_is_tried_whatever_its_name(predict: Any, voices: Path) -> None:
    shutil.copy("sadness.wav", "sadness.txt")
    assert predict("sadness.txt").code == 0


def test_csv_has_a_row_per_file(predict: Any, voices: Path) -> None:
    Path("broken.wav").write_text("x")
    result = predict(".", "--format", "csv")
    assert result.code == 1
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert list(rows[0]) == [
        *("path", "emotion", "confidence", "abstained", "duration_s", "model"),
        *TONES_HZ,
        *("warnings", "error"),
    ]
    assert [row["path"] for row in rows] == ["broken.wav", *SORTED_CLIPS]
    assert rows[0]["emotion"] == ""
    assert rows[0]["error"].startswith("AudioError: 'broken.wav'")
    assert rows[1]["emotion"] == "happiness"
    assert [row["model"] for row in rows] == ["", *["tiny 1.0.0"] * 4]
    assert rows[1]["abstained"] == "false"
    assert float(rows[1]["happiness"]) == float(rows[1]["confidence"]) > 0.9


def test_text_is_a_table_of_bars(predict: Any, voices: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    result = predict("sadness.wav", "nothing.wav")
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[0] == "sadness.wav  1.00 s  sadness"
    assert re.fullmatch(r"  sadness    87\.\d % █{30,}.?", lines[3])
    assert max(map(len, lines[:5])) <= 60
    assert "\x1b" not in result.out
    assert result.err == "serenade: error: 'nothing.wav' does not exist; check the path\n"


def test_an_unsure_model_says_so(serenade: Any, voices: Path, tmp_path: Path) -> None:
    unsure = write_tiny_bundle(tmp_path / "unsure", tiny_spec(abstain_below=1.0))
    result = serenade("predict", "--model", unsure, "sadness.wav")
    assert result.out.splitlines()[0].endswith("not sure (sadness?)")


def test_top_keeps_the_most_probable(predict: Any, voices: Path, schema: Any) -> None:
    record = json.loads(predict("sadness.wav", "--top", "2", "--format", "json").out)
    schema.validate(record)
    assert list(record["probabilities"]) == ["sadness", "neutral"]
    row = predict("sadness.wav", "--top", "1", "--format", "csv").out.splitlines()[1]
    assert row.startswith("sadness.wav,sadness,0.87")
    assert ",,,0.87" in row


def test_denoise_is_handed_on(predict: Any, voices: Path, monkeypatch: Any) -> None:
    from serenade.inference.recognizer import Recognizer

    seen = []
    real = Recognizer.predict_many

    def spy(self: Any, sources: Any, **options: Any) -> Any:
        seen.append(options)
        return real(self, sources, **options)

    monkeypatch.setattr(Recognizer, "predict_many", spy)
    assert predict("sadness.wav", "--denoise", "--workers", "1").code == 0
    assert seen == [{"denoise": True, "workers": 1, "reference": None}]


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "text"])
def test_output_goes_into_a_file(predict: Any, voices: Path, form: str) -> None:
    Path("out").write_text("old")
    result = predict("neutral.wav", "more", "--format", form, "--output", "out")
    assert (result.code, result.out, result.err) == (0, "", "")
    text = Path("out").read_text()
    assert "old" not in text
    assert Path("out").stat().st_mode == Path("neutral.wav").stat().st_mode
    assert text.index("anger") < text.index("neutral.wav")
    assert sorted(p.name for p in Path().iterdir() if p.name.startswith(".")) == [".hidden.wav"]


def test_a_file_that_cannot_be_written_is_one_error(predict: Any, voices: Path) -> None:
    for form in ("json", "jsonl"):
        result = predict("neutral.wav", "--format", form, "--output", "absent/out")
        assert result.code == 2
        assert result.err.startswith("serenade: error: absent/out cannot be written (No such file")
        assert result.err.count("\n") == 1


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("torn", [0, 5])
def test_resume_leaves_out_what_is_done(predict: Any, voices: Path, form: str, torn: int) -> None:
    shutil.copy("neutral.wav", 'n"e,w\nline.wav')
    whole = predict(".", "--format", form).out
    lines = whole.splitlines(keepends=True)
    cut = len("".join(lines[:3])) + torn  # in the middle of a record, for csv inside a quoted name
    Path("out").write_text(whole[:cut])
    result = predict(".", "--format", form, "--output", "out", "--resume")
    assert result.code == 0
    assert Path("out").read_text() == whole
    again = predict(".", "--format", form, "--output", "out", "--resume")
    assert again.code == 0
    assert Path("out").read_text() == whole


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_resume_does_not_touch_a_foreign_file(predict: Any, voices: Path, form: str) -> None:
    Path("letter").write_text("Dear Sir,\nhello")
    result = predict(".", "--format", form, "--output", "letter", "--resume")
    assert result.code == 2
    assert "letter is not an output of serenade predict" in result.err
    assert Path("letter").read_text() == "Dear Sir,\nhello"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--resume", "--format", "jsonl"),
        ("--resume", "--output", "out"),
        ("--resume", "--output", "out", "--format", "json"),
    ],
)
def test_resume_needs_lines_in_a_file(
    predict: Any, voices: Path, arguments: tuple[str, ...]
) -> None:
    result = predict("neutral.wav", *arguments)
    assert result.code == 2
    assert result.err == ("serenade: error: --resume needs --output with --format jsonl or csv\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument"),
        (("a.wav", "--format", "xml"), "Invalid value for '--format'"),
        (("a.wav", "--workers", "0"), "Invalid value for '--workers'"),
        (("a.wav", "--top", "0"), "Invalid value for '--top'"),
        (("a.wav", "--colour"), "No such option"),
    ],
)
def test_bad_usage_is_exit_code_two(predict: Any, arguments: tuple[str, ...], message: str) -> None:
    result = predict(*arguments)
    assert result.code == 2
    assert message in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    "name", ["new\nline.wav", "😀 voice.wav", "caf\udce9.wav", 'quote".wav', "-dash.wav"]
)
def test_odd_file_names_work_in_every_format(
    predict: Any, voices: Path, schema: Any, name: str
) -> None:
    folder = Path("odd")
    folder.mkdir()
    shutil.copy("sadness.wav", folder / name)
    shown = "caf\\xe9.wav" if "\udce9" in name else name
    record = json.loads(predict(folder / name, "--format", "json").out)
    schema.validate(record)
    assert record["path"] == f"odd/{shown}"
    (line,) = predict("odd", "--format", "jsonl").out.splitlines()
    assert json.loads(line)["path"] == f"odd/{shown}"
    (row,) = csv.DictReader(io.StringIO(predict("odd", "--format", "csv").out))
    assert (row["path"], row["emotion"]) == (f"odd/{shown}", "sadness")
    first = predict("odd").out.splitlines()[0]
    assert first.endswith("sadness")
    assert "\n" not in first


def test_two_workers_give_what_one_gives(predict: Any, voices: Path) -> None:
    one = predict(".", "--format", "jsonl")
    assert predict(".", "--format", "jsonl", "--workers", "2") == one


def test_a_name_that_begins_with_a_dash_comes_after_two_dashes(predict: Any, voices: Path) -> None:
    Path("sadness.wav").rename("-sad.wav")
    assert json.loads(predict("--format", "json", "--", "-sad.wav").out)["emotion"] == "sadness"


def test_standard_input_that_cannot_be_read_costs_only_itself(
    predict: Any, voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bytes:
        raise AudioError("standard input cannot be read (Bad file descriptor)")

    monkeypatch.setattr("serenade.cli.predict.read_standard_input", fail)
    result = predict("sadness.wav", "-", "more/anger.wav", "--format", "jsonl")
    records = [json.loads(line) for line in result.out.splitlines()]
    assert [record.get("emotion") for record in records] == [None, "anger", "sadness"]
    assert result.code == 1


def test_sound_on_stdin_that_is_empty_is_an_error(predict: Any) -> None:
    result = predict("-", "--format", "json")
    assert result.code == 2
    assert json.loads(result.out)["error"]["kind"] == "AudioError"
    assert result.err.count("\n") == 1
