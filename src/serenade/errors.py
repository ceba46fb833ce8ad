"""Every error that Serenade raises on purpose.

::

    SerenadeError
    ├── AudioError            audio that cannot be read or used
    ├── LabelError            an emotion name that nothing knows
    ├── ModelError            a bundle that is missing, damaged, changed or too new
    ├── ManifestError         a manifest or corpus folder that is not as described
    ├── RecipeError           a recipe with a wrong key or value
    ├── SplitError            a split that leaks or cannot be made
    ├── TrainingError         a training run that cannot start or go on
    ├── EvaluationError       an evaluation that has nothing sound to report
    ├── DownloadError         a download that failed or is not what was promised
    ├── JobError              a batch job with a wrong key, or an output made by another job
    ├── UsageError            arguments that do not fit together
    └── MissingExtraError     an optional dependency that is not installed

A message is one sentence that names the wrong value, what is allowed and what to do.
"""

from __future__ import annotations


class SerenadeError(Exception):
    """Base of every error that Serenade raises on purpose."""

    @property
    def kind(self) -> str:
        """Name of the error class, as it appears in JSON output."""
        return type(self).__name__


class AudioError(SerenadeError):
    """The audio cannot be read or holds nothing that can be judged."""


class LabelError(SerenadeError):
    """An emotion name is unknown or not part of a label set."""


class ModelError(SerenadeError):
    """A bundle is missing, damaged, changed or made for another version."""


class ManifestError(SerenadeError):
    """A manifest or a corpus folder is not as described."""


class RecipeError(SerenadeError):
    """A recipe has a wrong key or value."""


class SplitError(SerenadeError):
    """A split leaks between its parts or cannot be made."""


class TrainingError(SerenadeError):
    """A training run cannot start or go on."""


class EvaluationError(SerenadeError):
    """An evaluation has nothing sound to report."""


class DownloadError(SerenadeError):
    """A download failed or is not what was promised."""


class JobError(SerenadeError):
    """A batch job has a wrong key or value, or its output folder holds that of another job."""


class UsageError(SerenadeError):
    """Arguments do not fit together."""


class MissingExtraError(SerenadeError):
    """An optional dependency is not installed.

    Parameters
    ----------
    extra : str
        Name of the extra that brings the dependency, for example ``"train"``.
    purpose : str
        What was asked for, as the start of a sentence, for example ``"Training a network"``.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra, self.purpose = extra, purpose
        super().__init__(
            f"{purpose} needs an optional part of Serenade that is not installed;"
            f' run: pip install "serenade[{extra}]"'
        )

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Keep it whole on its way from one process to another."""
        return type(self), (self.extra, self.purpose)
