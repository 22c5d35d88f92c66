"""What others fill in. Each takes rows [n, d] with NaN and a seed, and returns (rows without NaN, draws [m, n, d] or None)."""

import os
import subprocess
import tempfile

import numpy
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge

HERE = os.path.dirname(os.path.abspath(__file__))
DRAWS = 20


def _scaled(rows):
    mean, deviation = numpy.nanmean(rows, axis=0), numpy.nanstd(rows, axis=0)
    deviation = numpy.where(deviation > 0, deviation, 1)
    return (rows - mean) / deviation, mean, deviation


def _with(imputer, rows):
    """Fills with an imputer of scikit-learn on standardised rows."""
    scaled, mean, deviation = _scaled(rows)
    return imputer.fit_transform(scaled) * deviation + mean, None


def mean(rows, seed):
    return _with(SimpleImputer(), rows)


def neighbours(rows, seed):
    return _with(KNNImputer(n_neighbors=5), rows)


def ridge(rows, seed):
    return _with(IterativeImputer(BayesianRidge(), max_iter=10, random_state=seed), rows)


def trees(rows, seed):
    model = ExtraTreesRegressor(n_estimators=50, random_state=seed)
    rounds = 5 if rows.shape[1] < 40 else 2
    return _with(IterativeImputer(model, max_iter=rounds, tol=1e-2, random_state=seed), rows)


def normal(rows, seed):
    """Expectation maximisation of one normal distribution."""
    scaled, centre, deviation = _scaled(rows)
    missing = numpy.isnan(scaled)
    count, width = rows.shape
    mean, covariance = numpy.zeros(width), numpy.eye(width)
    draws = numpy.random.default_rng(seed).normal(size=(DRAWS, count, width))
    for _ in range(50):
        filled, more = numpy.where(missing, 0, scaled), numpy.zeros((width, width))
        sampled = numpy.tile(filled, (DRAWS, 1, 1))
        for i in numpy.flatnonzero(missing.any(1)):
            m, o = missing[i], ~missing[i]
            gain = numpy.linalg.solve(covariance[numpy.ix_(o, o)], covariance[numpy.ix_(o, m)])
            filled[i, m] = mean[m] + (scaled[i, o] - mean[o]) @ gain
            rest = covariance[numpy.ix_(m, m)] - covariance[numpy.ix_(m, o)] @ gain
            more[numpy.ix_(m, m)] += rest
            root = numpy.linalg.cholesky(rest + 1e-9 * numpy.eye(m.sum()))
            sampled[:, i, m] = filled[i, m] + draws[:, i, m] @ root.T
        before = covariance
        mean = filled.mean(0)
        covariance = ((filled - mean).T @ (filled - mean) + more) / count + 1e-6 * numpy.eye(width)
        if abs(covariance - before).max() < 1e-4:
            break
    return filled * deviation + centre, sampled * deviation + centre


def mice(rows, seed):
    """R's mice: predictive mean matching by chained equations."""
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        numpy.savetxt(path("in.csv"), rows, delimiter=",")
        subprocess.run(["Rscript", os.path.join(HERE, "mice.R"), path("in.csv"), path("out.csv"), str(DRAWS), str(seed)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        draws = numpy.loadtxt(path("out.csv"), delimiter=",").reshape(DRAWS, *rows.shape)
    return draws.mean(0), draws


ALL = {"mean": mean, "neighbours": neighbours, "ridge": ridge, "trees": trees, "normal": normal, "mice": mice}
