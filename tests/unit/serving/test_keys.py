"""Keys: hashed, compared in constant time, needed beyond loopback."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from serenade.errors import UsageError
from serenade.serving.keys import KeyRing, hash_key, is_loopback, make_key, open_key_ring
from serenade.serving.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_a_ring_admits_its_keys_alone() -> None:
    key = make_key()
    ring = KeyRing((hash_key(make_key()), hash_key(key)))
    assert ring.admits(key)
    for wrong in (None, "", key[:-1], key + "x", hash_key(key), "\udcff"):
        assert not ring.admits(wrong)


def test_an_empty_ring_is_open() -> None:
    assert KeyRing(()).admits(None)


def test_every_hash_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(a: str, b: str) -> bool:
        compared.append(b)
        return a == b

    monkeypatch.setattr(hmac, "compare_digest", compare)
    hashes = tuple(hash_key(key) for key in ("one", "two", "three"))
    assert KeyRing(hashes).admits("one")
    assert compared == list(hashes)


def test_hashes_come_from_the_file_and_from_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    line = sha256(b"filed").hexdigest().upper()
    file.write_text(f"# keys of the shop\n\n{line}  the web shop\n")
    ring = open_key_ring(Settings(api_keys_file=str(file), api_key_hashes=(hash_key("given"),)))
    assert ring.admits("filed")
    assert ring.admits("given")
    assert not ring.admits("other")


def test_a_key_in_place_of_its_hash_is_refused_without_being_shown(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("my-secret-key\n")
    with pytest.raises(UsageError, match=r"line 1 of .* holds something else") as caught:
        open_key_ring(Settings(api_keys_file=str(file)))
    assert "my-secret-key" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "# nothing\n"])
def test_a_file_without_keys_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(UsageError, match="holds no API keys"):
        open_key_ring(Settings(api_keys_file=str(file)))


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(UsageError, match="'/nowhere/keys' cannot be read"):
        open_key_ring(Settings(api_keys_file="/nowhere/keys"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_beyond_loopback_a_key_is_needed_unless_said_out_loud(host: str) -> None:
    with pytest.raises(UsageError, match="can be reached from other machines; give --api-keys"):
        open_key_ring(Settings(host=host))
    assert open_key_ring(Settings(host=host, no_auth=True)).is_open
    assert not open_key_ring(Settings(host=host, api_key_hashes=(hash_key("a"),))).is_open


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    assert is_loopback(host)
    assert open_key_ring(Settings(host=host)).is_open
