"""The recipe: everything that decides what a training run gives, as one TOML file says it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the types of the fields are read at run time
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from serenade.types import Conditioning


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """Which utterances are used.

    Parameters
    ----------
    corpora : tuple of str
        Names of corpora; empty for all that the manifest holds.
    label_set : str
        Key of :data:`serenade.emotions.LABEL_SETS`.
    max_seconds : float
        Longer clips are cut in training [s], 0.1 or more.
    """

    corpora: tuple[str, ...] = ()
    label_set: str = "9"
    max_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class SplitRecipe:
    """What is held back for validation.

    Parameters
    ----------
    kind : {"speaker", "random", "folder"}
        ``"speaker"`` holds whole speakers back. ``"random"`` holds clips back without regard to
        who speaks, as many projects do: it leaks, and every output says so. ``"folder"`` follows
        the manifest's ``split``: trains on ``train``, validates on ``validation`` where there is
        any, and judges the last epoch on ``test``.
    validation_share : float
        Share of the speakers of each corpus, or of the clips of each emotion, in (0, 1).
    train_only : tuple of str
        Corpora whose speakers all stay in training, because they have too few to spare one.
    seed : int
        Decides which speakers.
    """

    kind: Literal["speaker", "random", "folder"] = "speaker"
    validation_share: float = 0.15
    train_only: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class AugmentationRecipe:
    """Random changes of training clips; see :mod:`serenade.training.augment`.

    Parameters
    ----------
    random : bool
        Whether every epoch draws the changes below, up to the masks; false leaves clips as they
        are.
    tempo, pitch : float
        Largest relative change of speaking rate and of the frequency axis, in [0, 0.5).
    noise, reverberation, colour, telephone : float
        Probability of each, in [0, 1].
    codec : float
        Probability of the traces of a lossy codec, in [0, 1].
    gain_db : float
        Largest change of the level, up or down [dB], in [0, 60].
    snr_db : tuple of float
        Lowest and highest signal-to-noise ratio [dB].
    shortest_seconds : float
        Random cuts leave at least this much [s], above 0.
    cut : float
        Probability of a random cut, in [0, 1].
    time_masks, frequency_masks : int
        SpecAugment masks per clip, at most 100.
    mixup : float
        Parameter of the symmetric Beta distribution; 0 switches mixup off.
    mixed : {"states", "embedding"}
        What mixup mixes: the input of the trained stage, or one vector per clip inside it.
    copies : tuple of {"noise", "pitch", "stretch", "scene", "field", "cut"}
        Changed copies of the sound of every training clip, made once and trained on beside it; see
        :mod:`serenade.training.copies`.
    """

    random: bool = True
    tempo: float = 0.15
    pitch: float = 0.12
    noise: float = 0.4
    reverberation: float = 0.2
    colour: float = 0.4
    telephone: float = 0.1
    codec: float = 0.0
    gain_db: float = 0.0
    snr_db: tuple[float, float] = (3.0, 30.0)
    shortest_seconds: float = 0.7
    cut: float = 0.3
    time_masks: int = 2
    frequency_masks: int = 2
    mixup: float = 0.3
    mixed: Literal["states", "embedding"] = "states"
    copies: tuple[Literal["noise", "pitch", "stretch", "scene", "field", "cut"], ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """Which network is trained.

    Parameters
    ----------
    name : str
        Key of :data:`serenade.training.networks.registry.NETWORKS`.
    width, depth : int
        Size of the body, at most 4096 and 64; what they mean is said by the network.
    dropout : float
        In [0, 1).
    initial_weights : str
        What to start from; empty for random weights. A file is a checkpoint of the same network;
        for ``whisper`` it is the folder of the encoder (published as ``openai/whisper-base``).
    initial_head : str
        ``best.safetensors`` of a run whose head is the start; empty for a random head.
    frozen_layers : int
        Layers of a pre-trained encoder that do not change.
    cached : bool
        Whether the output of the frozen layers is cached; if not, clips are augmented before them.
    encoder_dropout : float
        Dropout inside a pre-trained encoder, in [0, 1).
    first_pooled : int
        First layer of a pre-trained encoder whose output goes to the head.
    max_seconds : float
        Longest clip that a pre-trained encoder must take [s].
    features : {"mfcc", "mfcc_mean", "mfcc_deltas", "descriptors"}
        What a recurrent network sees; see :mod:`serenade.training.networks.sequence`.
    n_mfcc : int
        Cepstral coefficients among them.
    standardise : bool
        Whether each feature gets the mean 0 and the deviation 1 that it has on the training clips.
    dense : tuple of int
        Units of the dense layers before the last, at most 4096 each.
    """

    name: str = "conv_attention"
    width: int = 128
    depth: int = 2
    dropout: float = 0.2
    initial_weights: str = ""
    initial_head: str = ""
    frozen_layers: int = 0
    cached: bool = True
    encoder_dropout: float = 0.0
    first_pooled: int = 2
    max_seconds: float = 10.0
    features: Literal["mfcc", "mfcc_mean", "mfcc_deltas", "descriptors"] = "mfcc"
    n_mfcc: int = 13
    standardise: bool = True
    dense: tuple[int, ...] = (64,)


@dataclass(frozen=True, slots=True)
class ClassicalRecipe:
    """A classifier on functionals in the place of a network.

    Parameters
    ----------
    kind : str
        Key of :data:`serenade.training.classifiers.CLASSIFIERS`; empty to train the network.
    front_end : str
        Key of :data:`serenade.features.frontends.FRONT_ENDS`.
    n_folds : int
        Folds by speaker of the search for settings and of the calibration; at least 2.
    settings : mapping of str to value
        Settings of the classifier, as scikit-learn names them, that are not searched.
    adapts : bool
        Whether the model can adapt to a speaker whose speech it hears before.
    """

    kind: str = ""
    front_end: str = "mfcc"
    n_folds: int = 3
    settings: Mapping[str, Any] = field(default_factory=dict)
    adapts: bool = False


@dataclass(frozen=True, slots=True)
class TeacherRecipe:
    """What a pre-trained encoder teaches beside the labels; see :mod:`serenade.training.teacher`.

    Parameters
    ----------
    name, licence : str
        Of the encoder, for the card.
    initial_weights : str
        Folder of a Whisper encoder; empty for no teacher.
    depth, first_pooled : int
        Layers that are used, and the first whose statistics count.
    n_hints : int
        Principal components of the statistics that the network learns to predict.
    hint_weight : float
        Weight of their squared error beside the cross-entropy.
    soft_share : float
        Share of the teacher's answer in the targets of training clips, in [0, 1].
    inverse_penalty : float
        ``C`` of the teacher's logistic regressions.
    n_folds : int
        Speaker folds of the teacher's answers: none is given by a teacher that knew the speaker.
    """

    name: str = ""
    licence: str = ""
    initial_weights: str = ""
    depth: int = 5
    first_pooled: int = 2
    n_hints: int = 256
    hint_weight: float = 1.0
    soft_share: float = 0.5
    inverse_penalty: float = 0.01
    n_folds: int = 5


@dataclass(frozen=True, slots=True)
class OptimiserRecipe:
    """How the weights are found.

    Parameters
    ----------
    epochs : int
        At most this many, unless `min_steps` asks for more.
    min_steps : int
        A small corpus gets as many epochs as this many steps need.
    batch_size : int
        Clips per step.
    algorithm : {"adamw", "adam"}
        Adam with weight decay apart from the gradient, or as it was published, without any.
    learning_rate, weight_decay : float
        The highest rate, and the decay of AdamW.
    encoder_rate, layer_decay : float
        The top layer of a pre-trained encoder learns at `encoder_rate` times the learning rate,
        each layer below at `layer_decay` times the rate of the one above; in (0, 1].
    schedule : {"cosine", "plateau", "constant"}
        What follows the rise of the rate: a cosine to zero, a reduction whenever `monitor` has
        not improved for `plateau_patience` epochs, or nothing.
    warmup_share : float
        Share of all steps with a rising rate, in [0, 1).
    plateau_patience : int
        Epochs without improvement before a reduction.
    plateau_factor : float
        What the rate is multiplied by, in (0, 1).
    loss : {"cross_entropy", "focal"}
        Focal loss makes clips that are right already count less (Lin et al. 2017).
    focal_gamma : float
        How much less; 0 is cross-entropy.
    class_weights : bool
        Whether a clip counts the more, the rarer its emotion is among the training clips.
    label_smoothing : float
        In [0, 1).
    foreign_label_weight : float
        How much the emotions that a clip's corpus does not know count in the loss, in [0, 1]; 0
        leaves open whether the clip has one of them.
    intensity_weight : float
        Weight of the error of the intensity beside the cross-entropy; 0 learns no intensity.
    average_decay : float
        Of the exponential moving average of the weights, in [0, 1); the average is what is
        validated and shipped.
    gradient_norm : float
        Largest norm of the gradient; 0 for any.
    monitor : {"uar", "loss", "accuracy"}
        Figure of the validation clips that chooses the best epoch.
    patience : int
        Epochs without improvement before training stops early; 0 never stops.
    stop_monitor : {"", "uar", "loss", "accuracy"}
        Figure that `patience` watches; empty for that of `monitor`.
    balance : float
        0 draws utterances as they are, 1 draws all classes of all corpora equally often.
    precision : {"fp32", "bf16"}
        Arithmetic of the forward and backward pass.
    """

    epochs: int = 40
    min_steps: int = 0
    batch_size: int = 64
    algorithm: Literal["adamw", "adam"] = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    encoder_rate: float = 0.1
    layer_decay: float = 1.0
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    warmup_share: float = 0.05
    plateau_patience: int = 5
    plateau_factor: float = 0.5
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: float = 2.0
    class_weights: bool = False
    label_smoothing: float = 0.1
    foreign_label_weight: float = 0.0
    intensity_weight: float = 0.0
    average_decay: float = 0.998
    gradient_norm: float = 1.0
    monitor: Literal["uar", "loss", "accuracy"] = "uar"
    patience: int = 0
    stop_monitor: Literal["", "uar", "loss", "accuracy"] = ""
    balance: float = 0.5
    precision: Literal["fp32", "bf16"] = "fp32"


@dataclass(frozen=True, slots=True)
class ExportRecipe:
    """What the bundle says of itself.

    Parameters
    ----------
    version : str
        Of the model.
    description, licence : str
        For ``spec.json`` and ``CARD.md``.
    max_seconds, hop_seconds, min_seconds, sure_from_seconds : float
        Windowing of long recordings and limits of short ones [s]; see
        :class:`serenade.model.windowing.Windowing`.
    timeline_window_seconds, timeline_step_seconds : float
        Length and distance of the windows of a timeline [s], where the file is silent as far as
        `max_seconds` leaves room; ADR 12 says what suits large models.
    temperature : float
        What logits are divided by; 0 fits it on the validation speakers. To be given, from folds,
        where these stand for few of the corpora.
    answer_precision : float
        The model abstains below the confidence at which answers on validation speakers are right
        this often, in [0, 1]; 0 never abstains.
    int8 : bool
        Whether the matrices are stored and multiplied as 8-bit integers.
    float16 : bool
        Whether the weights are rounded to, and stored as, 16-bit floating-point numbers; the graph
        computes in 32 bits.
    prior_clips, prior_clips_deviation : float
        How far a speaker's own mean and deviation are trusted, for models that adapt; see
        :class:`serenade.model.adaptation.Adaptation`.
    """

    version: str = "0.1.0"
    description: str = "Trained with Serenade; its recipe does not describe it."
    licence: str = "not stated; ask who trained it"
    max_seconds: float = 8.0
    hop_seconds: float = 4.0
    min_seconds: float = 0.2
    sure_from_seconds: float = 0.7
    timeline_window_seconds: float = 2.0
    timeline_step_seconds: float = 1.0
    temperature: float = 0.0
    answer_precision: float = 0.8
    int8: bool = False
    float16: bool = False
    prior_clips: float = 20.0
    prior_clips_deviation: float = 80.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One trainable system.

    Parameters
    ----------
    name : str
        Also the name of the bundle.
    seed : int
        Of weights, order and augmentation.
    data, split, conditioning, augmentation, network, classical, teacher, optimiser, export
        The tables of the file.
    """

    name: str
    seed: int = 0
    data: DataRecipe = field(default_factory=DataRecipe)
    split: SplitRecipe = field(default_factory=SplitRecipe)
    conditioning: Conditioning = field(default_factory=Conditioning)
    augmentation: AugmentationRecipe = field(default_factory=AugmentationRecipe)
    network: NetworkRecipe = field(default_factory=NetworkRecipe)
    classical: ClassicalRecipe = field(default_factory=ClassicalRecipe)
    teacher: TeacherRecipe = field(default_factory=TeacherRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)
    export: ExportRecipe = field(default_factory=ExportRecipe)

    def to_json(self) -> dict[str, Any]:
        """Give the recipe with all its defaults as JSON types.

        Returns
        -------
        dict
            One entry per key of the file.
        """
        return asdict(self)
