"""Generic image features that never saw a GAN: what the fingerprint is compared with (Figure 1, FD ratios)."""
