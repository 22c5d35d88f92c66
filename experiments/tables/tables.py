"""The tables: where each comes from, and which rows are the anomalies."""

import os
import subprocess

import numpy
import sklearn.datasets

HERE = os.path.dirname(os.path.abspath(__file__))


def _labelled(data, anomalous):
    return numpy.asarray(data.data, dtype=float), anomalous(data.target)


# Tables of scikit-learn, read in the process.
_OF_SKLEARN = {
    "breast": lambda: _labelled(sklearn.datasets.load_breast_cancer(), lambda y: y == 0),
    "wine": lambda: _labelled(sklearn.datasets.load_wine(), lambda y: y == 0),
    "iris": lambda: _labelled(sklearn.datasets.load_iris(), lambda y: y == 2),
    "digits3": lambda: _labelled(sklearn.datasets.load_digits(), lambda y: y != 3),
    "digits-but-3": lambda: _labelled(sklearn.datasets.load_digits(), lambda y: y == 3),
}

# Tables of R packages, written as CSV by export.R.
_OF_R = ["spam", "musk", "ticdata", "cells", "sonar", "credit", "segmentation", "dhfr", "mdrr", "crabs", "births"]

NAMES = list(_OF_SKLEARN) + _OF_R


def export(cache):
    """Writes the R packages' tables to the folder `cache`, unless they are there."""
    os.makedirs(cache, exist_ok=True)
    if all(os.path.exists(os.path.join(cache, name + ".csv")) for name in _OF_R):
        return
    subprocess.run(["Rscript", os.path.join(HERE, "export.R"), cache], check=True)


def load(name, cache):
    """Returns the rows [n, d] of a table and which of them are anomalies [n]."""
    if name in _OF_SKLEARN:
        return _OF_SKLEARN[name]()
    table = numpy.loadtxt(os.path.join(cache, name + ".csv"), delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1] == 1


def split(rows, anomalous, seed):
    """Returns (training rows, rows to score, which of those are anomalies): half of the ordinary rows
    train, the rest and all anomalies are scored."""
    ordinary = numpy.random.default_rng(seed).permutation(numpy.flatnonzero(~anomalous))
    half = len(ordinary) // 2
    scored = numpy.concatenate([ordinary[half:], numpy.flatnonzero(anomalous)])
    return rows[ordinary[:half]], rows[scored], anomalous[scored]
