"""Metrics: shares with intervals, comparisons on the same images, Fréchet distance and FD ratio.

Every interval is one of 95 %, and every test is two-sided unless it says otherwise.  ``clusters`` is an integer per
image; images of one integer share a cause, such as the latent that they come from or the draw of an attack.
"""

from ganfp.metrics.frechet import (
    FDRatio,
    Gaussian,
    fd_ratio,
    fit_gaussian,
    frechet_distance,
    small_sample_bias,
)
from ganfp.metrics.paired import (
    Difference,
    PairedTest,
    difference_of,
    gain_difference,
    mcnemar,
    paired_difference,
    sign_flip_p,
    won_back,
)
from ganfp.metrics.shares import (
    Accuracy,
    Authenticity,
    Mean,
    Trend,
    accuracy,
    chance_p,
    confusion_matrix,
    interval_over_seeds,
    mean,
    per_class_accuracy,
    service_authenticity,
    share,
    trend,
    trend_of_images,
    wilson,
)

__all__ = [
    "Accuracy", "Authenticity", "Difference", "FDRatio", "Gaussian", "Mean", "PairedTest", "Trend", "accuracy",
    "chance_p", "confusion_matrix", "difference_of", "fd_ratio", "fit_gaussian", "frechet_distance",
    "gain_difference", "interval_over_seeds", "mcnemar", "mean", "paired_difference", "per_class_accuracy",
    "service_authenticity", "share", "sign_flip_p", "small_sample_bias", "trend", "trend_of_images", "wilson",
    "won_back",
]  # fmt: skip
