"""Methods of the literature that the paper does not compare with, each from its paper's definition, a file each.

None needs weights to download.  Those with hand-made features share one linear model, so that page x4 compares
features and not classifiers.
"""
