"""Cost and quality as data and networks grow: timesteps, width of the networks, batch, columns, image size.

One number is varied at a time from a base. The slope of a cost on log-log axes, below the tables, says where it stops being linear.
"""

import os

import numpy

from studies.runner import Run

SEEDS = 3
COLUMNS = [("x", "number", "%g"), ("sw1_floors", "W1, floors", "%.2f"), ("samples_per_second", "samples/s", "%.0f"),
           ("seconds", "training, s", "%.1f"), ("parameters", "parameters", "%.0f")]
PICTURE = ("samples_per_second", True)
SLOPES = [("seconds", "training time"), ("samples_per_second", "samples a second")]


class Gaussians:
    """Rows of a mixture of five normal distributions."""

    def __init__(self, width, rows):
        self.width, self.rows = width, rows

    def __call__(self, folder, seed):
        random, paths = numpy.random.default_rng([seed, self.width]), []
        means = random.normal(size=(5, self.width)) * 1.5
        for part, count in (("train", self.rows), ("held_out", 2 * self.rows)):
            paths.append(os.path.join(folder, part + ".npy"))
            rows = means[random.integers(5, size=count)] + 0.5 * random.normal(size=(count, self.width))
            numpy.save(paths[-1], rows.astype(numpy.float32))
        return paths


class Images:
    """Grey images: a bright disc at a random place on a gradient."""

    def __init__(self, side, rows):
        self.side, self.rows = side, rows

    def __call__(self, folder, seed):
        random, paths = numpy.random.default_rng([seed, self.side]), []
        place = numpy.arange(self.side) / self.side
        for part, count in (("train", self.rows), ("held_out", 2 * self.rows)):
            paths.append(os.path.join(folder, part + ".npy"))
            x, y, r = random.uniform(0.25, 0.75, (count, 1, 1)), random.uniform(0.25, 0.75, (count, 1, 1)), 0.2
            disc = ((place[None, None] - x) ** 2 + (place[None, :, None] - y) ** 2 < r * r).astype(float)
            images = numpy.clip(0.3 * place[None, None] + 0.7 * disc, 0, 1)
            numpy.save(paths[-1], (255 * images).astype(numpy.uint8))
        return paths


def runs(quick):
    steps, count = (20, 500) if quick else (2000, 10000)
    base = {"training.steps": steps}
    for timesteps in [2, 4] if quick else [1, 2, 4, 8, 16, 32]:
        yield Run("rings", "T %d" % timesteps, "points", {**base, "diffusion.timesteps": timesteps}, count, "timesteps", x=float(timesteps))
    for width in [16, 32] if quick else [16, 32, 64, 128, 256, 512]:
        layers = {name + ".hidden_layers": "[%d,%d]" % (width, width) for name in ("energy", "generator", "encoder")}
        yield Run("rings", "width %d" % width, "points", {**base, **layers}, count, "width", x=float(width))
    for batch in [50, 100] if quick else [25, 50, 100, 200, 400, 800]:
        yield Run("rings", "batch %d" % batch, "points", {**base, "training.batch": batch}, count, "batch", x=float(batch))
    for columns in [2, 8] if quick else [2, 8, 32, 128, 512, 1000]:
        yield Run(Gaussians(columns, 1000 if quick else 10000), "columns %d" % columns, "vector",
                  {**base, "data.width": columns}, count // 2, "columns", x=float(columns))
    for side in [8] if quick else [8, 16, 32, 64, 128]:
        yield Run(Images(side, 200), "side %d" % side, "fashion-small",
                  {"training.steps": 2 if quick else 10, "training.batch": 8, "data.image_size": side, "data.padding": 0}, 100, "side",
                  x=float(side))
