"""The Frechet distance between two sets of features, each taken for a Gaussian."""

from __future__ import annotations

import numpy as np


def _root(matrix: np.ndarray) -> np.ndarray:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Of features [n, width] and [m, width]. Few samples make it larger than it is."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    a, b = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = _root(a)
    shared = np.trace(_root(root @ b @ root))
    return float(((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * shared)
