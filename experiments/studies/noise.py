"""Noise that is not normal, and transformed columns, on heavy-tailed data.

student: three components of Student's distribution of 3 degrees of freedom in the plane. lognormal: three correlated log-normal columns.
returns: four consecutive numbers of a series r_t = s_t e_t with s_t^2 = 0.05 + 0.1 r_{t-1}^2 + 0.85 s_{t-1}^2 and e_t of Student's
distribution of 5 degrees of freedom, variance 1.

Tails are those of the distance from the median, column by column: the logarithm of the ratio of the samples' quantile to the data's, and
of Hill's estimates of the tail's exponent from the largest hundredth, as sizes, mean over the columns.
"""

import os

import numpy

from studies.runner import Run

SEEDS = 5
COLUMNS = [("sw1_floors", "W1, floors", "%.2f"), ("log_likelihood", "log-likelihood", "%.3f"), ("quantile_99", "99%", "%.3f"),
           ("quantile_9999", "99.99%", "%.3f"), ("hill", "Hill", "%.3f")]
PICTURE = ("sw1_floors", True)
COUNT = 60000


def draw_student(random, count):
    angle = 2 * numpy.pi * random.integers(3, size=count) / 3
    scale = numpy.sqrt(3 / random.chisquare(3, count))
    centre = 3 * numpy.stack([numpy.cos(angle), numpy.sin(angle)], 1)
    return centre + 0.3 * scale[:, None] * random.normal(size=(count, 2))


def draw_lognormal(random, count):
    normal = random.multivariate_normal(numpy.zeros(3), [[1, 0.6, -0.3], [0.6, 1, 0.2], [-0.3, 0.2, 1]], count)
    return numpy.exp(normal * [1.0, 0.7, 0.4] + [0, 2, 5])


def draw_returns(random, count):
    shocks = random.standard_t(5, (count, 104)) / numpy.sqrt(5 / 3)
    variance, last, rows = numpy.ones(count), numpy.zeros(count), []
    for t in range(104):
        variance = 0.05 + 0.1 * last**2 + 0.85 * variance
        last = numpy.sqrt(variance) * shocks[:, t]
        rows.append(last)
    return numpy.stack(rows[-4:], 1)


DRAWS = {"student": draw_student, "lognormal": draw_lognormal, "returns": draw_returns}


class Data:
    def __init__(self, name, rows):
        self.name, self.rows = name, rows

    def __call__(self, folder, seed):
        random, paths = numpy.random.default_rng([seed, sorted(DRAWS).index(self.name)]), []
        for part, count in (("train", self.rows), ("held_out", 2 * self.rows)):
            paths.append(os.path.join(folder, part + ".npy"))
            numpy.save(paths[-1], DRAWS[self.name](random, count))
        return paths


def hill(sizes):
    largest = numpy.sort(sizes)[-max(10, len(sizes) // 100):]
    return numpy.mean(numpy.log(largest[1:] / largest[0]))


def tails(samples, held_out):
    a, b = numpy.load(samples), numpy.load(held_out)
    middle = numpy.median(b, 0)
    a, b = numpy.abs(a - middle), numpy.abs(b - middle)
    ratios = lambda of: float(numpy.mean([abs(numpy.log(max(of(a[:, j]), 1e-9) / of(b[:, j]))) for j in range(b.shape[1])]))
    return {"quantile_99": ratios(lambda x: numpy.quantile(x, 0.99)), "quantile_9999": ratios(lambda x: numpy.quantile(x, 0.9999)),
            "hill": ratios(hill)}


NOISES = {
    "normal": {},
    "student 4": {"diffusion.noise": "student", "diffusion.freedom": 4},
    "student 3": {"diffusion.noise": "student", "diffusion.freedom": 3},
    "mixture": {"diffusion.noise": "mixture"},
    "normal, quantiles": {"data.transform": "quantile"},
    "student 4, quantiles": {"data.transform": "quantile", "diffusion.noise": "student"},
}


def runs(quick):
    for name in ["lognormal"] if quick else DRAWS:
        width = {"student": 2, "lognormal": 3, "returns": 4}[name]
        noises = {**NOISES, **({"normal, logarithms": {"data.transform": "log"}} if name == "lognormal" else {})}
        for noise, settings in noises.items():
            yield Run(Data(name, 2000 if quick else COUNT), noise, "vector",
                      {"data.width": width, "training.steps": 30 if quick else 8000, **settings}, set_name=name,
                      count=500 if quick else COUNT // 2, further=tails, normalise=not quick)
