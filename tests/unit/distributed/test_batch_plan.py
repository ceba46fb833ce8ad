"""Which items a job reads, in which order, and how they are packed and named."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serenade.distributed.inputs import find_items
from serenade.distributed.items import Item, make_plan
from serenade.distributed.job import Job
from serenade.distributed.tables import JsonlTable
from serenade.errors import AudioError, JobError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.distributed.conftest import WebStore


def _nothing_local(path: str) -> Iterator[Item]:
    raise AssertionError(path)


def _seconds(digits: str) -> str:
    return f'{{"path": "a", "start_seconds": {digits}}}'


def _find(location: object) -> list[Item]:
    return list(find_items(Job(str(location), "out", attempts=1), _nothing_local))


_ITEMS = st.builds(
    Item,
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.none() | st.floats(0, 1e6),
    st.none() | st.floats(0, 1e6),
    st.none() | st.binary(),
    st.none() | st.text(st.characters(codec="utf-8")),
)


@given(st.lists(_ITEMS, min_size=1, max_size=20), st.integers(1, 7))
def test_shards_hold_every_item_once_and_in_order(items: list[Item], shard_size: int) -> None:
    plan = make_plan(items, shard_size=shard_size)
    assert [item for shard in plan.shards for item in shard.items()] == items
    assert [shard.number for shard in plan.shards] == list(range(len(plan.shards)))
    assert all(shard.n_items == shard_size for shard in plan.shards[:-1])
    assert plan.n_items == len(items)


def test_file_names_that_are_not_text_survive_packing() -> None:
    plan = make_plan([Item("caf\udce9.wav")], shard_size=1)
    assert plan.shards[0].items() == [Item("caf\udce9.wav")]
    assert plan.shards[0].items()[0].name == "caf\\xe9.wav"


def test_a_million_paths_take_little_memory() -> None:
    items = (Item(f"s3://calls/2026/11/{i:07}.opus") for i in range(20_000))
    plan = make_plan(items, shard_size=256)
    assert sum(len(shard.packed) for shard in plan.shards) < 10 * plan.n_items


def test_another_order_or_part_is_another_plan() -> None:
    plans = [
        make_plan(items, shard_size=2).sha256
        for items in (
            [Item("a"), Item("b")],
            [Item("b"), Item("a")],
            [Item("a", 0.0, 1.0), Item("b")],
            [Item("a", 0.0, 2.0), Item("b")],
        )
    ]
    assert len(set(plans)) == 4


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(JobError, match="names no recording"):
        make_plan([], shard_size=2)


def test_a_list_is_read_in_its_order_beside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("b.wav\n\n/abs/a.wav\ns3://bucket/c d.wav\r\n b.wav")
    found = [item.location for item in _find(tmp_path / "list.txt")]
    beside = str(tmp_path / "b.wav")
    assert found == [beside, "/abs/a.wav", "s3://bucket/c d.wav", str(tmp_path / " b.wav")]


def test_a_manifest_may_name_parts_and_needs_only_paths(tmp_path: Path) -> None:
    lines = [
        {"path": "a.wav", "id": "1", "emotion": "anger", "corpus": "x"},
        {"path": "gs://b/c.wav", "start_seconds": 1, "stop_seconds": 2.5},
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("\n".join(json.dumps(line) for line in lines))
    whole, part = _find(manifest)
    assert whole == Item(str(tmp_path / "a.wav"))
    assert part == Item("gs://b/c.wav", 1.0, 2.5)
    assert part.name == "gs://b/c.wav#t=1,2.5"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("m.jsonl", "{}", "line 1: holds no object with the key 'path'"),
        ("m.jsonl", '{"path": "a"}\nno', "line 2: not JSON"),
        ("m.jsonl", '{"path": "a", "start_seconds": -1}', "start_seconds must be seconds from 0"),
        ("m.jsonl", '{"path": "a", "start_seconds": NaN}', "start_seconds must be seconds from 0"),
        ("m.jsonl", '{"path": "a", "stop_seconds": 1e308}', "to 1,000,000,000, got 1e+308"),
        ("m.jsonl", _seconds("9" * 4000), "line 1: start_seconds must be seconds from 0"),
        ("m.jsonl", _seconds("9" * 5000), "line 1: holds a number that is too long"),
        ("m.jsonl", "[" * 100_000, "line 1: holds a number that is too long or brackets"),
        ("m.jsonl", '{"path": "plain\\ud800.flac"}', r"'plain\ud800.flac' holds the character"),
        ("m.jsonl", '{"path": "a\\u0000b"}', r"'a\x00b' holds the character '\x00'"),
        (
            "m.jsonl",
            '{"path": "a", "start_seconds": 2, "stop_seconds": 1}',
            "line 1: stop_seconds must be after start_seconds, got 1.0 and 2.0",
        ),
        ("m.jsonl", '{"path": "a", "stop_seconds": 0}', "stop_seconds must be after start_seconds"),
        ("l.txt", "http://[bad/x.wav?key=secret", "line 1: a URL has '[bad' where the name of a"),
        ("l.txt", "http://[bad?key=secret", "line 1: a URL has '[bad' where the name of a host"),
        ("l.txt", "http://u@host?key=secret", "line 1: a URL of 'host' holds a user name"),
        ("l.txt", "a.wav\nssh://host/a.wav", "line 2: URLs that begin with ssh:// are not"),
        ("l.txt", "https://u:secret@host/a.wav", "line 1: a URL of 'host' holds a user name"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(JobError) as error:
        _find(tmp_path / name)
    assert sentence in str(error.value)
    assert "secret" not in str(error.value)
    assert len(str(error.value)) < 400 + len(str(tmp_path))


def test_paths_are_absolute_whatever_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("calls/a.wav\nhttps://host/b.wav")
    wanted = [str(tmp_path / "calls" / "a.wav"), "https://host/b.wav"]
    assert [item.location for item in _find("list.txt")] == wanted
    folder = find_items(Job("calls", "out"), lambda path: [Item(f"{path}/a.wav")])
    assert [item.location for item in folder] == wanted[:1]


_MANIFEST_ITEMS = st.builds(
    Item,
    st.sampled_from(["/calls/a.wav", "/calls/b.wav#t=1,2", "/a?sha256=0123456789ab", "s3://b/ü"]),
    st.none() | st.floats(0, 1e6),
    st.none() | st.floats(1e6, 1e9, exclude_min=True),
    content=st.none(),
    problem=st.none(),
)


@settings(deadline=None)  # each writes a file, which a busy disk makes slow
@given(st.lists(_MANIFEST_ITEMS, min_size=1, max_size=20))
def test_failures_are_a_manifest_of_the_same_items(items: list[Item]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        failed = Path(folder) / "failed.jsonl"
        failed.write_bytes(JsonlTable().encode([item.failure(AudioError("no")) for item in items]))
        assert _find(failed) == items


def test_a_failure_whose_query_is_hidden_is_named_as_before_and_says_why_it_cannot_be_tried(
    tmp_path: Path,
) -> None:
    failure = Item("https://host/a.wav?key=secret").failure(AudioError("no"))
    (tmp_path / "failed.jsonl").write_text(json.dumps(failure))
    (item,) = _find(tmp_path / "failed.jsonl")
    assert item.name == failure["path"]
    assert item.problem is not None
    assert item.problem.startswith(f"the query of {failure['path']} is not in the list of failures")


def test_an_address_that_only_looks_as_if_its_query_were_hidden_is_read(tmp_path: Path) -> None:
    url = "https://host/a.wav?sha256=0123456789ab"
    (tmp_path / "m.jsonl").write_text(json.dumps({"path": url}))
    assert _find(tmp_path / "m.jsonl") == [Item(url)]


@pytest.mark.parametrize("other", [1234.5679, 1234.56780001])
def test_parts_that_differ_by_little_have_names_of_their_own(other: float) -> None:
    assert Item("a", 1234.5678, 2000.0).name == "a#t=1234.5678,2000"
    assert Item("a", other).name != Item("a", 1234.5678).name


def test_a_missing_list_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="the list cannot be read"):
        _find(tmp_path / "absent.txt")


def test_signatures_of_web_addresses_stay_out_of_names() -> None:
    first = Item("https://host/a.wav?X-Amz-Signature=secret1")
    other = Item("https://host/a.wav?X-Amz-Signature=secret2")
    assert first.name.startswith("https://host/a.wav?sha256=")
    assert "secret" not in first.name
    assert first.name != other.name


def test_a_list_from_the_web_names_whole_urls(web_store: WebStore) -> None:
    web_store.objects["/list.txt"] = f"{web_store.url}/a.wav\n".encode()
    assert _find(f"{web_store.url}/list.txt") == [Item(f"{web_store.url}/a.wav")]


@pytest.mark.parametrize("line", ["b.wav", "/home/a.wav", "file:///home/a.wav"])
def test_a_list_from_the_web_cannot_name_what_is_here(web_store: WebStore, line: str) -> None:
    web_store.objects["/list.txt"] = line.encode()
    with pytest.raises(JobError, match="line 1: a list from elsewhere must name whole URLs"):
        _find(f"{web_store.url}/list.txt")


class TestStoreInMemory:
    """Folders and patterns of a store, with fsspec's store in memory."""

    @pytest.fixture(autouse=True)
    def objects(self) -> Iterator[None]:
        fsspec = pytest.importorskip("fsspec")
        store = fsspec.filesystem("memory")
        for name in ("calls/b.wav", "calls/a.flac", "calls/deep/c.opus", "calls/notes.txt"):
            store.pipe_file(f"/{name}", name.encode())
        yield
        store.rm("/calls", recursive=True)

    def test_a_folder_means_the_audio_below_it(self) -> None:
        found = _find("memory://calls")
        names = ["a.flac", "b.wav", "deep/c.opus"]
        assert [item.location for item in found] == [f"memory://calls/{name}" for name in names]
        assert found[0].content == b"calls/a.flac"

    def test_a_pattern_means_what_matches(self) -> None:
        found = _find("memory://calls/*.wav")
        assert [item.location for item in found] == ["memory://calls/b.wav"]

    def test_one_recording_means_itself(self) -> None:
        assert [item.location for item in _find("memory://calls/b.wav")] == ["memory://calls/b.wav"]
