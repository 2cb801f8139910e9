"""Arithmetic of the ring: transform, placement of coefficients, kernels, sampling."""
