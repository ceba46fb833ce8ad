"""Models that the service offers."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from serenade.errors import UsageError
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import Bundle, open_bundle
from serenade.model.scorer import open_scorer
from serenade.model.spec import WaveformInput, to_json
from serenade.model.store import browser_name, default_name, resolve
from serenade.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model, loaded.

    Parameters
    ----------
    bundle : Bundle
        What the model says about itself.
    recognizer : Recognizer
        What judges; threads share it.
    """

    bundle: Bundle
    recognizer: Recognizer

    @property
    def name(self) -> str:
        """Name by which requests choose the model."""
        return self.bundle.spec.name

    def to_json(self) -> dict[str, Any]:
        """Describe the model to clients.

        Returns
        -------
        dict
            Only JSON types.
        """
        spec = self.bundle.spec
        exact = isinstance(spec.input, WaveformInput) and not spec.input.int8_products
        return {
            "name": spec.name,
            "id": spec.model_id,
            "description": spec.description,
            "labels": list(spec.labels),
            "licence": spec.licence,
            "training_data": [data.corpus for data in spec.training_data],
            "abstain_below": spec.abstain_below,
            "min_seconds": spec.windowing.min_seconds,
            "sure_from_seconds": spec.windowing.sure_from_seconds,
            "adapts_to_speakers": spec.adaptation is not None,
            "bytes": self.bundle.model_path.stat().st_size,
            "in_browser": exact and not spec.conditioning.reduce_noise,
        }

    def spec_json(self) -> dict[str, Any]:
        """Give the whole specification.

        Returns
        -------
        dict
            The content of ``spec.json``.
        """
        return to_json(self.bundle.spec)


@dataclass(frozen=True, slots=True)
class ServedModels:
    """All models of the service; the first is the default.

    Parameters
    ----------
    models : tuple of ServedModel
        At least one.
    """

    models: tuple[ServedModel, ...]

    def find(self, name: str | None) -> ServedModel:
        """Find a model by name.

        Parameters
        ----------
        name : str or None
            ``None`` for the default model.

        Returns
        -------
        ServedModel
            The model.

        Raises
        ------
        ProblemError
            404 if there is none of that name.
        """
        if name is None:
            return self.models[0]
        for model in self.models:
            if model.name == name:
                return model
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "unknown-model",
            f"there is no model {name!r:.80}; choose one of"
            f" {', '.join(model.name for model in self.models)}",
        )


def load_models(names: Sequence[str]) -> ServedModels:
    """Load the models of the service.

    Parameters
    ----------
    names : sequence of str
        Names or folders; empty for the default model and the small one, which browsers run.

    Returns
    -------
    ServedModels
        In the same order.

    Raises
    ------
    ModelError
        If a model is missing or damaged.
    UsageError
        If two models have the same name.
    """
    models: list[ServedModel] = []
    for name in names or dict.fromkeys([default_name(), browser_name() or default_name()]):
        bundle = open_bundle(resolve(name))
        if any(model.name == bundle.spec.name for model in models):
            raise UsageError(f"two models are called {bundle.spec.name!r}; leave one out")
        models.append(ServedModel(bundle, Recognizer(bundle, open_scorer(bundle))))
    return ServedModels(tuple(models))
