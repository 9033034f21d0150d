"""Registered network definitions: weights alone say nothing, so a candidate names what they belong to.

A definition is code of this package, of MONAI, or of an installed plug-in; a candidate's file can only name it and set
its arguments, each from a closed set of values. Neither MONAI nor torch is imported to check them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gatekeeper.catalogue import Catalogue, nearest
from gatekeeper.errors import Code, Problem, UsageError

if TYPE_CHECKING:
    from torch import nn

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...]"
Kind: TypeAlias = Literal["count", "whole", "share", "flag", "word", "counts", "count_or_counts", "counts_of_axes"]

_WORDS: Mapping[Kind, str] = MappingProxyType(
    {
        "count": "a whole number from 1",
        "whole": "a whole number from 0",
        "share": "a number from 0, below 1",
        "flag": "true or false",
        "word": "one of its words",
        "counts": "a list of whole numbers from 1",
        "count_or_counts": "a whole number from 1, or a list of them",
        "counts_of_axes": "a list whose items are whole numbers from 1, or lists of them",
    }
)
# Far above any network in use; it keeps a typing error from taking all memory.
_GREATEST = 1 << 20
_LONGEST = 64


@dataclass(frozen=True)
class Argument:
    """What an argument of a definition may be: its kind, its default (None: it must be given), words to choose from."""

    kind: Kind
    default: Value | None = None
    words: tuple[str, ...] = ()

    def takes(self, value: Value) -> bool:
        """Whether ``value`` is one that the argument may have."""
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind == "word":
            return value in self.words
        if self.kind == "whole":
            return (value == 0 and type(value) is int) or _is_count(value)
        if self.kind == "share":
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
        if isinstance(value, tuple):
            inner = {"counts": _is_count, "count_or_counts": _is_count, "counts_of_axes": _is_count_or_counts}
            fits = inner.get(self.kind)
            return fits is not None and 0 < len(value) <= _LONGEST and all(fits(item) for item in value)
        return self.kind in ("count", "count_or_counts") and _is_count(value)

    @property
    def in_words(self) -> str:
        """What it may be, for people."""
        of = f"one of: {', '.join(self.words)}" if self.words else _WORDS[self.kind]
        return f"{of}; the default is {self.default}" if self.default is not None else of


def _is_count(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _GREATEST


def _is_count_or_counts(value: Value) -> bool:
    return _is_count(value) or (isinstance(value, tuple) and len(value) in (2, 3) and all(map(_is_count, value)))


@dataclass(frozen=True)
class Architecture:
    """A network definition: its arguments, and the function that makes it from all of them."""

    name: str
    description: str
    arguments: Mapping[str, Argument]
    make: Callable[[Mapping[str, Value]], nn.Module]
    aliases: tuple[str, ...] = ()

    def problem(self, name: str, value: Value) -> Problem | None:
        """Return what is wrong with an argument, or None. Nothing is imported."""
        if name not in self.arguments:
            near = nearest(name, self.arguments)
            return Problem(
                Code.UNKNOWN_KEY,
                f'the architecture "{self.name}" has no argument "{name}"',
                mend=f'did you mean "{near}"?' if near else f"it has: {', '.join(self.arguments)}",
            )
        if not self.arguments[name].takes(value):
            return Problem(
                Code.BAD_VALUE,
                f'the argument "{name}" of the architecture "{self.name}" cannot be {_shown(value)}',
                mend=f"give {self.arguments[name].in_words}",
            )
        return None

    def missing(self, given: Mapping[str, Value]) -> tuple[str, ...]:
        """Return the arguments that have no default and are not given."""
        return tuple(name for name, of in self.arguments.items() if of.default is None and name not in given)

    def check(self, arguments: Mapping[str, Value]) -> None:
        """Raise UsageError with all that is wrong with the arguments. Nothing is imported."""
        found = [self.problem(name, value) for name, value in arguments.items()]
        problems = [problem for problem in found if problem is not None]
        problems += [
            Problem(
                Code.MISSING_KEY,
                f'the architecture "{self.name}" needs the argument "{name}"',
                mend=f"give {self.arguments[name].in_words}",
            )
            for name in self.missing(arguments)
        ]
        if problems:
            raise UsageError.of(problems)

    def build(self, **arguments: Value) -> nn.Module:
        """Return the network with fresh weights, in training mode, on the CPU, float32.

        Raises UsageError for arguments that it does not take, and where a package is missing.
        """
        self.check(arguments)
        defaults = {name: of.default for name, of in self.arguments.items() if of.default is not None}
        return self.make({**defaults, **arguments})


def _shown(value: Value) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}.."


def _nodule_cnn(arguments: Mapping[str, Any]) -> nn.Module:
    from torch import nn

    width, hidden = arguments["width"], arguments["hidden"]
    return nn.Sequential(
        nn.Conv2d(1, width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(8),
        nn.Flatten(),
        nn.Linear(4 * width, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 1),
    )


NODULE_CNN = Architecture(
    name="nodule_cnn",
    description=(
        "three strided convolutions, the mean over the image, two linear layers; input (n, 1, 64, 64) float32, output "
        "(n, 1) logits; no layer looks at other images of the batch"
    ),
    arguments=MappingProxyType({"width": Argument("count", 8), "hidden": Argument("count", 16)}),
    make=_nodule_cnn,
)


# Networks of MONAI. Arguments have MONAI's names and defaults, without those that only training needs.

_ACTIVATIONS = ("elu", "relu", "leakyrelu", "prelu", "relu6", "selu", "celu", "gelu", "swish", "mish", "memswish")
_AXES = {"spatial_dims": Argument("count")}
_CHANNELS = {"in_channels": Argument("count"), "out_channels": Argument("count")}


def _norm(default: str) -> Argument:
    return Argument("word", default, ("batch", "instance"))


def _act(default: str) -> Argument:
    return Argument("word", default, _ACTIVATIONS)


def _monai(
    name: str,
    network: str,
    description: str,
    arguments: Mapping[str, Argument],
    fixed: Mapping[str, object] = MappingProxyType({}),
    needs: str | None = None,
) -> Architecture:
    """Register ``monai.networks.nets.<network>``.

    ``fixed`` are arguments that a candidate cannot set; ``needs`` is a package that MONAI does without elsewhere.
    """

    def make(given: Mapping[str, Value]) -> nn.Module:
        for package in filter(None, ("monai", needs)):
            if find_spec(package) is None:
                raise UsageError(
                    Code.MISSING_PACKAGE,
                    f'the architecture "{name}" needs {package}, which is not installed',
                    mend="pip install 'gatekeeper-imaging[models]'",
                )
        from monai.networks import nets

        try:
            made: nn.Module = getattr(nets, network)(**given, **fixed)
        except (AssertionError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise UsageError(
                Code.BAD_VALUE,
                f'no network "{name}" can be made of these arguments',
                why=type(error).__name__,
                mend=f"see monai.networks.nets.{network} for how they belong together",
            ) from error
        return made

    return Architecture(name, description, MappingProxyType(dict(arguments)), make)


_DENSENET = {
    **_AXES,
    **_CHANNELS,
    "init_features": Argument("count", 64),
    "growth_rate": Argument("count", 32),
    "bn_size": Argument("count", 4),
    "act": _act("relu"),
    "norm": _norm("batch"),
    "dropout_prob": Argument("share", 0.0),
}
_RESNET = {
    **_AXES,
    "n_input_channels": Argument("count"),
    "num_classes": Argument("count"),
    "conv1_t_size": Argument("count_or_counts", 7),
    "conv1_t_stride": Argument("count_or_counts", 1),
    "no_max_pool": Argument("flag", False),
    "shortcut_type": Argument("word", "B", ("A", "B")),
    "bias_downsample": Argument("flag", True),
    "act": _act("relu"),
    "norm": _norm("batch"),
}
_ENCODER = {
    **_AXES,
    **_CHANNELS,
    "channels": Argument("counts"),
    "strides": Argument("counts_of_axes"),
    "kernel_size": Argument("count_or_counts", 3),
    "up_kernel_size": Argument("count_or_counts", 3),
    "dropout": Argument("share", 0.0),
}
_CLASSIFIERS = [
    *(
        _monai(
            f"monai_densenet{depth}", f"DenseNet{depth}", f"DenseNet of {depth} layers; a class each output", _DENSENET
        )
        for depth in (121, 169, 201, 264)
    ),
    *(
        _monai(f"monai_resnet{depth}", f"resnet{depth}", f"ResNet of {depth} layers; a class each output", _RESNET)
        for depth in (10, 18, 34, 50, 101, 152, 200)
    ),
    _monai(
        "monai_efficientnet",
        "EfficientNetBN",
        "EfficientNet with batch normalisation; a class each output",
        {
            "model_name": Argument("word", None, tuple(f"efficientnet-b{size}" for size in range(9))),
            "spatial_dims": Argument("count"),
            "in_channels": Argument("count"),
            "num_classes": Argument("count"),
        },
        {"pretrained": False},
    ),
    _monai(
        "monai_vit",
        "ViT",
        "vision transformer; a class each output",
        {
            **_AXES,
            "in_channels": Argument("count"),
            "num_classes": Argument("count"),
            "img_size": Argument("count_or_counts"),
            "patch_size": Argument("count_or_counts"),
            "hidden_size": Argument("count", 768),
            "mlp_dim": Argument("count", 3072),
            "num_layers": Argument("count", 12),
            "num_heads": Argument("count", 12),
            "proj_type": Argument("word", "conv", ("conv", "perceptron")),
            "qkv_bias": Argument("flag", False),
        },
        {"classification": True},
        needs="einops",
    ),
]
_SEGMENTERS = [
    _monai(
        "monai_unet",
        "UNet",
        "U-Net with residual units, Kerfoot et al. 2018",
        {
            **_ENCODER,
            "num_res_units": Argument("whole", 0),
            "act": _act("prelu"),
            "norm": _norm("instance"),
            "bias": Argument("flag", True),
            "adn_ordering": Argument("word", "NDA", ("NDA", "ADN", "AND", "DAN", "DNA", "NAD", "NA", "A", "N")),
        },
    ),
    _monai(
        "monai_basic_unet",
        "BasicUNet",
        "U-Net of five levels, Falk et al. 2019",
        {
            **_AXES,
            **_CHANNELS,
            "features": Argument("counts", (32, 32, 64, 128, 256, 32)),
            "bias": Argument("flag", True),
            "dropout": Argument("share", 0.0),
            "upsample": Argument("word", "deconv", ("deconv", "pixelshuffle", "nontrainable")),
        },
    ),
    _monai("monai_attention_unet", "AttentionUnet", "U-Net with attention gates, Oktay et al. 2018", _ENCODER),
    _monai(
        "monai_segresnet",
        "SegResNet",
        "residual encoder and decoder without its autoencoder branch, Myronenko 2018",
        {
            **_AXES,
            **_CHANNELS,
            "init_filters": Argument("count", 8),
            "num_groups": Argument("count", 8),
            "use_conv_final": Argument("flag", True),
            "blocks_down": Argument("counts", (1, 2, 2, 4)),
            "blocks_up": Argument("counts", (1, 1, 1)),
            "upsample_mode": Argument("word", "nontrainable", ("deconv", "nontrainable", "pixelshuffle")),
        },
    ),
    _monai(
        "monai_dynunet",
        "DynUNet",
        "the network of nnU-Net, Isensee et al. 2021; its last output alone",
        {
            **_AXES,
            **_CHANNELS,
            "kernel_size": Argument("counts_of_axes"),
            "strides": Argument("counts_of_axes"),
            "upsample_kernel_size": Argument("counts_of_axes"),
            "filters": Argument("counts"),
            "res_block": Argument("flag", False),
            "trans_bias": Argument("flag", False),
        },
    ),
    _monai(
        "monai_vnet",
        "VNet",
        "V-Net, Milletari et al. 2016",
        {**_AXES, **_CHANNELS, "dropout_dim": Argument("count", 3), "bias": Argument("flag", False)},
    ),
    _monai(
        "monai_unetr",
        "UNETR",
        "transformer encoder, convolutional decoder, Hatamizadeh et al. 2022",
        {
            **_AXES,
            **_CHANNELS,
            "img_size": Argument("count_or_counts"),
            "feature_size": Argument("count", 16),
            "hidden_size": Argument("count", 768),
            "mlp_dim": Argument("count", 3072),
            "num_heads": Argument("count", 12),
            "proj_type": Argument("word", "conv", ("conv", "perceptron")),
            "norm_name": _norm("instance"),
            "conv_block": Argument("flag", True),
            "res_block": Argument("flag", True),
            "qkv_bias": Argument("flag", False),
        },
        needs="einops",
    ),
    _monai(
        "monai_swin_unetr",
        "SwinUNETR",
        "shifted-window transformer encoder, convolutional decoder, Hatamizadeh et al. 2022",
        {
            **_AXES,
            **_CHANNELS,
            "patch_size": Argument("count", 2),
            "depths": Argument("counts", (2, 2, 2, 2)),
            "num_heads": Argument("counts", (3, 6, 12, 24)),
            "window_size": Argument("count_or_counts", 7),
            "qkv_bias": Argument("flag", True),
            "feature_size": Argument("count", 24),
            "norm_name": _norm("instance"),
            "normalize": Argument("flag", True),
            "patch_norm": Argument("flag", False),
            "downsample": Argument("word", "merging", ("merging", "mergingv2")),
            "use_v2": Argument("flag", False),
        },
        needs="einops",
    ),
]

ARCHITECTURES: Catalogue[Architecture] = Catalogue("architecture", [NODULE_CNN, *_CLASSIFIERS, *_SEGMENTERS])
