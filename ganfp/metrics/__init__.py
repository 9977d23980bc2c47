"""Shares with intervals, comparisons on the same images, Fréchet distance and FD ratio.

Every interval is one of 95 %, and every test is two-sided unless it says otherwise.  ``clusters`` is an integer per
image; images of one integer share a cause, such as the latent that they come from or the draw of an attack.  Tests and
intervals are then over clusters.  Labels are sequences of class names.
"""

# ruff: noqa: F401, I001
from ganfp.metrics.frechet import FDRatio, Gaussian, fd_ratio, fit_gaussian, frechet_distance, small_sample_bias
from ganfp.metrics.paired import Difference, difference_of, gain_difference, paired_difference
from ganfp.metrics.paired import share_difference, won_back
from ganfp.metrics.shares import Accuracy, Authenticity, Mean, Trend, accuracy, chance_p, confusion_matrix
from ganfp.metrics.shares import interval_over_seeds, mean, per_class_accuracy, service_authenticity, share, trend
from ganfp.metrics.shares import trend_of_images, wilson
