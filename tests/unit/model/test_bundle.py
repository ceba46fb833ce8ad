"""Opening a bundle verifies it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.tiny_bundle import SPEC, write_tiny_bundle

from serenade.errors import ModelError
from serenade.model import bundle as bundle_module
from serenade.model.bundle import open_bundle, opened_bundle, verify_checksums, write_checksums

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "tiny")


def test_a_whole_bundle_opens(folder: Path) -> None:
    bundle = open_bundle(folder)
    assert bundle.spec == SPEC
    assert bundle.card.startswith("# tiny")
    assert bundle.model_path == folder / "model.onnx"


def test_hidden_files_are_ignored(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"x")
    open_bundle(folder)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_checksums_are_what_sha256sum_reads(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True)


def _change(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return change


def _link(folder: Path) -> None:
    (folder / "CARD.md").rename(folder.parent / "CARD.md")
    (folder / "CARD.md").symlink_to(folder.parent / "CARD.md")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_change("model.onnx"), r"model\.onnx of model .* was changed .*checksum is wrong"),
        (_change("spec.json"), r"spec\.json of model .* was changed"),
        (_change("CARD.md"), r"CARD\.md of model .* was changed"),
        (lambda f: (f / "model.onnx").unlink(), r"not a whole model: model\.onnx is missing"),
        (lambda f: (f / "SHA256SUMS").unlink(), "not a whole model: SHA256SUMS is missing"),
        (lambda f: (f / "evil.py").write_text("1"), r"holds evil\.py, which SHA256SUMS does not"),
        (lambda f: (f / "more").mkdir(), "holds more, which is a link or a folder"),
        (_link, r"holds CARD\.md, which is a link or a folder"),
        (lambda f: (f / "SHA256SUMS").write_text("abc\n"), r"line 1 of .*SHA256SUMS is not"),
        (
            lambda f: (f / "SHA256SUMS").write_text(
                (f / "SHA256SUMS").read_text() + "0" * 64 + "  ../secret\n"
            ),
            r"lacks \.\./secret, which SHA256SUMS lists",
        ),
        (
            lambda f: (f / "SHA256SUMS").write_text((f / "SHA256SUMS").read_text() * 2),
            r"line 4 of .* repeats a file",
        ),
        (
            lambda f: (f / "CARD.md").write_bytes(bytes(bundle_module.MAX_TEXT_BYTES + 1)),
            r"CARD\.md of model .* has 4194305 bytes; 4194304 are allowed",
        ),
        (
            lambda f: [(f / f"file{i}").touch() for i in range(bundle_module.MAX_FILES)],
            "holds more than 64 files",
        ),
    ],
)
def test_damage_is_found_and_named(
    folder: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=message):
        open_bundle(folder)
    with pytest.raises(ModelError, match=message), opened_bundle(folder):
        pass


def test_all_but_the_graph_is_verified_before_it_is_loaded(folder: Path) -> None:
    _change("spec.json")(folder)
    entered = False
    with pytest.raises(ModelError, match="was changed"), opened_bundle(folder):
        entered = True
    assert not entered


def test_what_a_changed_graph_made_the_body_raise_is_not_told(folder: Path) -> None:
    _change("model.onnx")(folder)
    told = pytest.raises(ModelError, match=r"model\.onnx of model .* was changed")
    with told, opened_bundle(folder):
        raise MemoryError


def test_an_error_of_the_body_is_told_if_the_graph_is_whole(folder: Path) -> None:
    with pytest.raises(MemoryError), opened_bundle(folder):
        raise MemoryError


def test_a_graph_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> str:
        if path.name == "model.onnx":
            raise PermissionError(13, "Permission denied", str(path))
        return checksum(path)

    checksum = bundle_module._checksum
    monkeypatch.setattr(bundle_module, "_checksum", fail)
    with pytest.raises(ModelError, match=r"cannot be read \(Permission"), opened_bundle(folder):
        pass


@pytest.mark.parametrize("name", ["spec.json", "CARD.md", "SHA256SUMS"])
def test_a_file_that_may_not_be_read_is_one_clear_error(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *args: object, **kwargs: object) -> object:
        if path.name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    opened: Any = Path.open
    monkeypatch.setattr(Path, "open", refuse)
    for read in (open_bundle, verify_checksums):
        with pytest.raises(ModelError, match=r"cannot be read \(.*Permission denied"):
            read(folder)


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model").touch()
    with pytest.raises(ModelError, match=r"is not a model: a model is a folder with spec\.json"):
        open_bundle(tmp_path / "model")


def test_checksums_follow_a_change_that_is_meant(folder: Path) -> None:
    (folder / "CARD.md").write_text("better words")
    write_checksums(folder)
    assert open_bundle(folder).card == "better words"
