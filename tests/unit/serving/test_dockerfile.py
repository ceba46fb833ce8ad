"""The Dockerfile, checked by its text, as images cannot be built everywhere."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

import pytest

from serenade.serving.settings import Settings, variable_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient


class Stage(NamedTuple):
    """What follows a FROM: the image and the instructions, as (name, rest) pairs."""

    image: str
    instructions: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        return [rest for instruction, rest in self.instructions if instruction == name]


@pytest.fixture(scope="module")
def stages(repository: Path) -> list[Stage]:
    text = (repository / "Dockerfile").read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[Stage] = []
    for line in filter(str.strip, text.splitlines()):
        name, rest = line.split(maxsplit=1)
        if name == "FROM":
            stages.append(Stage(rest, []))
        else:
            stages[-1].instructions.append((name, rest))
    return stages


def test_there_is_a_stage_that_builds_and_one_that_runs(stages: list[Stage]) -> None:
    build, run = stages
    assert build.image.endswith(" AS build")
    assert run.all("RUN") == []
    assert run.all("COPY") == ["--from=build /opt/serenade /opt/serenade"]


def test_images_have_a_version_that_the_package_supports(
    stages: list[Stage], repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert {stage.image.split()[0] for stage in stages} == {"python:3.11-slim"}


def test_only_the_extra_serve_is_installed(stages: list[Stage], repository: Path) -> None:
    [command] = stages[0].all("RUN")
    assert re.findall(r"pip install (.*)", command) == ['".[serve]"']
    extras = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert "serve" in extras["optional-dependencies"]


def test_what_is_copied_exists_and_is_not_ignored(stages: list[Stage], repository: Path) -> None:
    ignored = (repository / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    for line in stages[0].all("COPY"):
        for source in line.split()[:-1]:
            assert (repository / source).exists()
            assert f"!{source}" in ignored


def test_everything_that_the_build_of_the_package_reads_is_copied(
    stages: list[Stage], repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    needed |= {
        folder.split("/")[0]
        for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    }
    copied = {source for line in stages[0].all("COPY") for source in line.split()[:-1]}
    assert needed <= copied


def test_it_does_not_run_as_root_and_needs_no_file_of_its_own(stages: list[Stage]) -> None:
    run = stages[-1]
    [user] = run.all("USER")
    assert all(int(number) > 0 for number in user.split(":"))
    assert run.all("VOLUME") == []
    assert "PYTHONDONTWRITEBYTECODE=1" in run.all("ENV")[0]


def test_it_starts_the_service_and_asks_it_for_its_health(
    stages: list[Stage], http: TestClient
) -> None:
    run = stages[-1]
    assert json.loads(run.all("ENTRYPOINT")[0]) == ["serenade", "serve"]
    assert run.all("EXPOSE") == [str(Settings().port)]
    [check] = run.all("HEALTHCHECK")
    [path] = re.findall(rf"http://127.0.0.1:{Settings().port}(/\w+)", check)
    assert http.get(path).status_code == 200


def test_its_variables_are_settings(stages: list[Stage]) -> None:
    known = {variable_of(field.name) for field in fields(Settings)}
    [line] = stages[-1].all("ENV")
    variables = set(re.findall(r"(SERENADE_\w+)=", line))
    assert variables == {"SERENADE_HOST"}
    assert variables <= known


def test_no_secret_and_no_switch_that_opens_the_service_is_inside(repository: Path) -> None:
    text = (repository / "Dockerfile").read_text()
    assert "no-auth" not in text
    assert "NO_AUTH" not in text
    assert not re.search(r"[0-9a-f]{64}", text)
