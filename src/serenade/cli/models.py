"""``serenade models``: which models there are, what they are made of and whether they are whole."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serenade.cli.app import new_app
from serenade.inference.records import display_path
from serenade.model.bundle import open_bundle
from serenade.model.spec import to_json
from serenade.model.store import default_name, list_bundled, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serenade.model.bundle import Bundle

app = new_app()

USES = (
    "A prediction is a guess about how a voice sounds, not about what a person feels. The law"
    " forbids some uses, in the EU those at work and in schools; see docs/limits.md."
)


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]
NameArgument = Annotated[
    str, typer.Argument(help="Name of a bundled model or folder of a model.", show_default=False)
]


@app.command("list", help="List the models that ship with Serenade.")
def print_list(form: FormatOption = Format.TEXT) -> None:
    """Print every bundled model."""
    bundles = {name: open_bundle(resolve(name)) for name in list_bundled()}
    default = default_name()
    if form is Format.JSON:
        _print_json([{**_summary(b), "default": name == default} for name, b in bundles.items()])
        return
    for name, bundle in bundles.items():
        print(f"{name} {bundle.spec.version}{' (default)' if name == default else ''}")
        print(f"  {bundle.spec.description}")
        print(f"  emotions: {', '.join(bundle.spec.labels)}")
        print(f"  licence:  {bundle.spec.licence}")
        print(f"  size:     {_megabytes(bundle):.1f} MB")


@app.command("info", help="Tell what a model is, what it learnt from and what it may be used for.")
def print_info(name: NameArgument, form: FormatOption = Format.TEXT) -> None:
    """Print what a bundle says about itself."""
    bundle = open_bundle(resolve(name))
    if form is Format.JSON:
        details = {"spec": to_json(bundle.spec), "card": bundle.card, "uses": USES}
        _print_json({**_summary(bundle), **details})
        return
    spec = bundle.spec
    windowing = spec.windowing
    print(f"{spec.model_id}: {spec.description}")
    print(f"folder:    {display_path(str(bundle.path))} ({_megabytes(bundle):.1f} MB)")
    print(f"emotions:  {', '.join(spec.labels)}")
    print(
        f"windows:   {windowing.min_seconds:g} to {windowing.max_seconds:g} s, one every"
        f" {windowing.hop_seconds:g} s; sure from {windowing.sure_from_seconds:g} s"
    )
    print(f"not sure:  below a confidence of {spec.abstain_below:g}")
    adapts = "to a speaker, from their speech without labels" if spec.adaptation else "no"
    print(f"adapts:    {adapts}")
    print(f"licence:   {spec.licence}")
    print("trained on:")
    for data in spec.training_data:
        numbers = {key: value for key, value in data.details.items() if not isinstance(value, list)}
        print("  " + "; ".join([data.corpus, f"licence: {data.licence}", *_flatten(numbers)]))
    print("measured:")
    for line in _flatten(spec.metrics):
        print(f"  {line}")
    print(f"made:      {spec.created} with Serenade {spec.serenade}")
    print(f"use:       {USES}")
    print("The whole card is CARD.md in the folder.")


@app.command("verify", help="Check that every file of a model is as it was made.")
def print_verdict(name: NameArgument, form: FormatOption = Format.TEXT) -> None:
    """Open a bundle and its graph, which fails where something is wrong."""
    from serenade.inference.recognizer import Recognizer

    path = resolve(name)
    recognizer = Recognizer.load(path)
    if form is Format.JSON:
        _print_json({"model": recognizer.model_id, "path": display_path(str(path)), "ok": True})
        return
    print(f"{recognizer.model_id} is whole: {display_path(str(path))}")


def _summary(bundle: Bundle) -> dict[str, Any]:
    return {
        "name": bundle.spec.name,
        "version": bundle.spec.version,
        "description": bundle.spec.description,
        "path": display_path(str(bundle.path)),
        "megabytes": round(_megabytes(bundle), 3),
        "labels": list(bundle.spec.labels),
        "licence": bundle.spec.licence,
    }


def _megabytes(bundle: Bundle) -> float:
    return bundle.model_path.stat().st_size / 1e6


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Give the leaves of nested JSON as ``a.b: value``."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}: {value}"


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
