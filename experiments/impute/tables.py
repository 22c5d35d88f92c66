"""The tables, and what is removed from them."""

import os
import subprocess

import numpy
import sklearn.datasets

HERE = os.path.dirname(os.path.abspath(__file__))

_OF_SKLEARN = {
    "iris": sklearn.datasets.load_iris,
    "wine": sklearn.datasets.load_wine,
    "breast": sklearn.datasets.load_breast_cancer,
    "diabetes": sklearn.datasets.load_diabetes,
}

# Tables of R packages, written as CSV by export.R.
_OF_R = ["spam", "boston", "crabs", "pima", "quakes"]

NAMES = list(_OF_SKLEARN) + _OF_R
MECHANISMS = ["random", "rule"]


def export(cache):
    """Writes the R packages' tables to the folder `cache`, unless they are there."""
    os.makedirs(cache, exist_ok=True)
    if all(os.path.exists(os.path.join(cache, name + ".csv")) for name in _OF_R):
        return
    subprocess.run(["Rscript", os.path.join(HERE, "export.R"), cache], check=True)


def load(name, cache):
    """Returns the rows [n, d] of a table."""
    if name in _OF_SKLEARN:
        return numpy.asarray(_OF_SKLEARN[name]().data, dtype=float)
    return numpy.loadtxt(os.path.join(cache, name + ".csv"), delimiter=",", skiprows=1)


def _at_random(rows, random, share):
    return random.random(rows.shape) < share


def _by_rule(rows, random, share):
    """A third of the columns stays whole. In each other one the probability rises or falls with one of those
    (logistic, slope 2 a standard deviation), so that `share` of all values is missing."""
    count, width = rows.shape
    order = random.permutation(width)
    whole = order[:max(1, width // 3)]
    scaled = (rows - rows.mean(0)) / numpy.where(rows.std(0) > 0, rows.std(0), 1)
    wanted = min(0.9, share * width / (width - len(whole)))
    removed = numpy.zeros(rows.shape, bool)
    for column in order[len(whole):]:
        slope = 2 * random.choice([-1, 1]) * scaled[:, random.choice(whole)]
        low, high = -50.0, 50.0
        for _ in range(60):
            middle = (low + high) / 2
            if (1 / (1 + numpy.exp(-slope - middle))).mean() > wanted:
                high = middle
            else:
                low = middle
        removed[:, column] = random.random(count) < 1 / (1 + numpy.exp(-slope - middle))
    return removed


def remove(rows, seed, mechanism, share=0.3):
    """Returns which values are removed [n, d]: completely at random, or by a rule that depends on other columns.
    Each row keeps at least one value, and each column two different ones."""
    random = numpy.random.default_rng([seed, MECHANISMS.index(mechanism)])
    removed = (_at_random if mechanism == "random" else _by_rule)(rows, random, share)
    whole = numpy.flatnonzero(removed.all(1))
    removed[whole, random.integers(0, rows.shape[1], len(whole))] = False
    for column in range(rows.shape[1]):
        if len(numpy.unique(rows[~removed[:, column], column])) < 2:
            removed[:, column] = False
    return removed
