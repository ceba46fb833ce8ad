"""docs/seeds.md: every figure is a stored result of bench/seeds.py, and every system has a row."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serenade.training.variants import read_recipes

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture(scope="module")
def seeds_page(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "seeds_page", repository / "bench" / "seeds_page.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results(repository: Path) -> list[dict[str, Any]]:
    paths = sorted((repository / "docs" / "results" / "seeds").glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def test_the_tables_are_made_of_the_stored_results(
    seeds_page: Any, results: list[dict[str, Any]], repository: Path
) -> None:
    page = (repository / "docs" / "seeds.md").read_text(encoding="utf-8")
    assert results
    assert seeds_page.with_tables(page, results) == page


def test_every_system_of_every_recipe_has_a_row(seeds_page: Any, repository: Path) -> None:
    rows = {(reported.seed, reported.variant) for reported in seeds_page.REPORTED}
    systems = {
        (path.stem, variant)
        for path in (repository / "recipes" / "seeds").glob("*.toml")
        for variant in read_recipes(path)
    }
    assert rows == systems


def test_a_stored_result_agrees_with_its_own_confusion_matrix(
    results: list[dict[str, Any]],
) -> None:
    for result in results:
        confusion = np.array(result["confusion"])
        assert confusion.sum() == result["test_clips"]
        assert result["accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum())
        recalls = np.diag(confusion) / confusion.sum(axis=1)
        assert result["uar"] == pytest.approx(recalls.mean())
        assert result["leaks"] is (result["split"] == "leaking")


def test_a_missing_result_is_said_to_be_missing(seeds_page: Any) -> None:
    table = seeds_page.overview([])
    assert table.count("not run yet") == 2 * len(seeds_page.REPORTED)
