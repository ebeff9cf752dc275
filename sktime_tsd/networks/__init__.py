"""Networks: FCN, InceptionTime, LITE, LSTM. Series in, logits out.

Each is a plain ``nn.Module`` that maps series (n, n_channels, n_timepoints) to logits
(n, n_classes). Its method ``features(x)`` returns the output of the layer ``feature_layer``,
of shape (n, n_features, n_timepoints). None depends on distillation.
"""

from sktime_tsd.networks._build import (
    NETWORKS,
    build_network,
    check_logits,
    check_network,
    check_setting_names,
    n_parameters,
    network_settings,
)
from sktime_tsd.networks._copies import forward_copies
from sktime_tsd.networks._fcn import FCN
from sktime_tsd.networks._features import FeatureTaps, feature_sizes
from sktime_tsd.networks._foreign import ForeignNetwork, adapted
from sktime_tsd.networks._inception_time import InceptionTime
from sktime_tsd.networks._lite import LITE
from sktime_tsd.networks._lstm import LSTM
from sktime_tsd.networks._scaled import ScaledNetwork, channel_statistics

__all__ = [
    "FCN",
    "LITE",
    "LSTM",
    "NETWORKS",
    "FeatureTaps",
    "ForeignNetwork",
    "InceptionTime",
    "ScaledNetwork",
    "adapted",
    "build_network",
    "channel_statistics",
    "check_logits",
    "check_network",
    "check_setting_names",
    "feature_sizes",
    "forward_copies",
    "n_parameters",
    "network_settings",
]
