"""``spec.json``: everything is checked, and what is written is what is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.tiny_bundle import SPEC, tiny_spec

from serenade.errors import ModelError
from serenade.model.adaptation import Adaptation
from serenade.model.spec import FeatureInput, parse_spec, read_spec, to_json, write_spec

if TYPE_CHECKING:
    from pathlib import Path

Change = Callable[[dict[str, Any]], None]


def _set(path: str, value: object) -> Change:
    def change(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for key in parents:
            data = data[key]
        data[last] = value

    return change


def _remove(path: str) -> Change:
    def change(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for key in parents:
            data = data[key]
        del data[last]

    return change


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        tiny_spec(input=FeatureInput("functionals", "a1b2")),
        tiny_spec(adaptation=Adaptation(256, 4.0, 16.0)),
    ],
)
def test_what_is_written_is_what_is_read(tmp_path: Path, spec: Any) -> None:
    write_spec(spec, tmp_path / "spec.json")
    assert read_spec(tmp_path / "spec.json") == spec


def test_a_model_that_does_not_adapt_says_nothing_of_it() -> None:
    assert "adaptation" not in to_json(SPEC)
    assert parse_spec(to_json(SPEC)).adaptation is None


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("n_embedding", 0, r"adaptation\.n_embedding must be 1 or more, got 0"),
        ("n_embedding", 2.5, r"adaptation\.n_embedding must be a whole number"),
        ("prior_clips", -1, r"adaptation\.prior_clips must be 0 or more"),
        ("prior_clips_deviation", 0, r"adaptation\.prior_clips_deviation must be above 0"),
        ("momentum", 0.9, r"unknown key adaptation\.momentum"),
    ],
)
def test_a_wrong_adaptation_is_named(key: str, value: object, message: str) -> None:
    data = to_json(tiny_spec(adaptation=Adaptation(256, 4.0, 16.0)))
    data["adaptation"][key] = value
    with pytest.raises(ModelError, match=message):
        parse_spec(data)


def test_conditioning_may_leave_steps_out(tmp_path: Path) -> None:
    data = to_json(SPEC)
    data["conditioning"] |= {"trim_below_db": None, "level_dbfs": None}
    conditioning = parse_spec(data).conditioning
    assert conditioning.trim_below_db is None
    assert conditioning.level_dbfs is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("colour", "red"), "unknown key colour"),
        (_set("windowing.overlap", 1), r"unknown key windowing\.overlap"),
        (_set("conditioning.gain", 1), r"unknown key conditioning\.gain"),
        (_set("input.shape", []), r"unknown key input\.shape"),
        (_set("calibration.bias", 0), r"unknown key calibration\.bias"),
        (_set("thresholds.top", 0), r"unknown key thresholds\.top"),
        (_set("outputs.age", True), r"unknown key outputs\.age"),
        (_remove("labels"), "missing key labels"),
        (_remove("windowing.hop_seconds"), r"missing key windowing\.hop_seconds"),
        (_remove("conditioning.level_dbfs"), r"missing key conditioning\.level_dbfs"),
        (_set("name", ""), "name must be text that is not empty, got ''"),
        (_set("name", 3), "name must be text"),
        (_set("sample_rate", 8000), "sample_rate must be 16000, got 8000"),
        (_set("sample_rate", 16000.0), "sample_rate must be a whole number"),
        (_set("input", "waveform"), "input must be an object"),
        (_set("input.kind", "image"), r"input\.kind must be 'waveform' or 'features'"),
        (_set("labels", "anger"), "labels must be an array"),
        (_set("labels", ["anger"]), "labels: a label set needs two"),
        (_set("labels", ["anger", "anger"]), "labels: a label set needs two"),
        (_set("labels", ["anger", 3]), r"labels\[1\] must be text"),
        (_set("labels", ["anger", "Happy"]), r"labels\[1\] must be the canonical name 'happiness'"),
        (_set("labels", ["anger", "a b!"]), r"labels\[1\]: unknown emotion"),
        (_set("windowing.min_seconds", 0), r"windowing\.min_seconds must be from 0.001"),
        (_set("windowing.min_seconds", 9), r"windowing\.min_seconds must be from 0.001 up to max"),
        (_set("windowing.hop_seconds", 2.5), r"windowing\.hop_seconds must be from 0.001 up to"),
        (
            _set("windowing.timeline_window_seconds", 2.5),
            r"windowing\.timeline_window_seconds must be from 0.001 up to max_seconds",
        ),
        (
            _set("windowing.timeline_step_seconds", 2.1),
            r"windowing\.timeline_step_seconds must be from 0.001 up to timeline_window_seconds",
        ),
        (
            _set("windowing.sure_from_seconds", -1),
            r"windowing\.sure_from_seconds must be 0 or",
        ),
        (_set("windowing.max_seconds", 10**400), r"windowing\.max_seconds must be a finite number"),
        (_set("windowing.max_seconds", True), r"windowing\.max_seconds must be a finite number"),
        (_set("conditioning.remove_offset", 1), r"conditioning\.remove_offset must be true or"),
        (_set("windowing.hop_seconds", 1e-9), r"windowing\.hop_seconds must be from 0.001"),
        (_set("conditioning.trim_below_db", -50), r"trim_below_db must be above 0 and up to 80"),
        (_set("conditioning.trim_padding_seconds", -5), r"trim_padding_seconds must be from 0 to"),
        (_set("conditioning.level_dbfs", 1e5), r"level_dbfs must be from -80 to 0, or null"),
        (_set("name", "\ud800"), "name must be text that is not empty"),
        (_set("calibration.temperature", 0), r"calibration\.temperature must be a number above 0"),
        (_set("thresholds.abstain_below", 1.1), r"thresholds\.abstain_below must be a number from"),
        (_set("training_data", [3]), r"training_data\[0\] must be an object, got 3"),
        (_set("training_data", [{"corpus": "x"}]), r"missing key training_data\[0\]\.licence"),
        (_set("format_version", 2), "format version 2 .* reads up to 1; upgrade Serenade"),
        (_set("version", "1 0"), r"version must be 1 to 40 letters, .* got '1 0'"),
        (_set("format_version", 0), "format_version must be a number from 1 to 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(change: Change, message: str) -> None:
    data = json.loads(json.dumps(to_json(SPEC)))
    change(data)
    with pytest.raises(ModelError, match=message):
        parse_spec(data)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 100_000, b"\xff", b'{"format_version": NaN}'],
    ids=["empty", "cut", "deep", "not text", "nan"],
)
def test_a_file_that_is_not_json_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spec.json").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        read_spec(tmp_path / "spec.json")


def test_a_wrong_specification_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"calibration\.temperature"):
        write_spec(tiny_spec(temperature=-1.0), tmp_path / "spec.json")
    assert not (tmp_path / "spec.json").exists()
