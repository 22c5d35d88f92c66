"""The detectors of scikit-learn that are compared: each takes standardised training rows and rows to
score, and returns one number a row, larger for more anomalous ones."""

import numpy
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM

NEIGHBOURS = 5


def neighbour(train, rows, seed):
    return NearestNeighbors(n_neighbors=NEIGHBOURS).fit(train).kneighbors(rows)[0][:, -1]


def local_outlier_factor(train, rows, seed):
    count = min(20, len(train) - 1)
    return -LocalOutlierFactor(n_neighbors=count, novelty=True).fit(train).score_samples(rows)


def isolation_forest(train, rows, seed):
    return -IsolationForest(random_state=seed).fit(train).score_samples(rows)


def one_class_svm(train, rows, seed):
    return -OneClassSVM().fit(train).score_samples(rows)


def mahalanobis(train, rows, seed):
    return EmpiricalCovariance().fit(train).mahalanobis(rows)


def principal_components(train, rows, seed):
    """Squared error of the reconstruction from the components that hold 90% of the variance."""
    fitted = PCA(n_components=0.9, svd_solver="full").fit(train)
    return ((rows - fitted.inverse_transform(fitted.transform(rows))) ** 2).sum(axis=1)


def gaussian_mixture(train, rows, seed):
    """As many components, up to 10, as the Bayesian information criterion asks for."""
    most = max(1, min(10, len(train) // 10))
    fitted = [GaussianMixture(k, reg_covar=1e-3, random_state=seed).fit(train) for k in range(1, most + 1)]
    return -min(fitted, key=lambda mixture: mixture.bic(train)).score_samples(rows)


ALL = {
    "5th neighbour": neighbour,
    "LOF": local_outlier_factor,
    "Isolation Forest": isolation_forest,
    "one-class SVM": one_class_svm,
    "Mahalanobis": mahalanobis,
    "PCA": principal_components,
    "Gaussian mixture": gaussian_mixture,
}


def standardised(train, rows):
    """Both, shifted and scaled to the training rows' mean 0 and standard deviation 1."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = numpy.where(deviation > 1e-6 * (1e-300 + numpy.abs(mean)), deviation, 1)
    return (train - mean) / deviation, (rows - mean) / deviation
