"""A run: a model trained by one configuration and seed, and its measures."""

import dataclasses
import json
import os
import subprocess
import tempfile
import time

MEASURES = ["samples_per_second", "sw1_floors", "modes", "near_modes", "mode_spread", "below_1", "below_5", "tv", "tv_floor",
            "frechet", "precision", "recall"]
EXTRA = ["hill", "quantile_99", "quantile_9999", "log_likelihood", "parameters", "levels", "x"]
FIELDS = ["label", "data", "configuration", "seed", "steps", "seconds", "passes", "diverged"] + MEASURES + EXTRA


@dataclasses.dataclass
class Run:
    data: str  # a named set, or a function of (folder, seed) that writes files and gives (training data, held-out data)
    configuration: str
    preset: str
    settings: dict = dataclasses.field(default_factory=dict)
    count: int = 10000  # samples to compare
    set_name: str = ""  # how the label calls data that a function makes
    further: object = None  # a function of (samples, held-out rows) that gives more columns
    x: float = None  # place on the axis of a study that varies a number
    normalise: bool = False
    seeds: int = None  # fewer than the study's, for runs that take long

    @property
    def set(self):
        return self.set_name or self.data

    @property
    def label(self):
        return "%s %s" % (self.set, self.configuration)


class Diverged(Exception):
    pass


def call(ddaebm, *words):
    done = subprocess.run([ddaebm, *words, "--threads", "1"], capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout
    if "not finite" in done.stderr or " is nan" in done.stderr or " is inf" in done.stderr or "is -nan" in done.stderr:
        raise Diverged(done.stderr)
    raise RuntimeError("%s: %s" % (" ".join(words), done.stderr))


def short(value):
    return "" if value is None else "%.6g" % value if isinstance(value, float) else str(value)


def measure(ddaebm, run, seed):
    """Trains, samples and measures; one row of the results."""
    row = dict.fromkeys(FIELDS, "")
    row.update(label=run.label, data=run.set, configuration=run.configuration, seed=seed, diverged=0, x=short(run.x))
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = _measure(ddaebm, run, seed, folder, row)
            row.update({name: short(found[name]) for name in found if name in FIELDS})
        except Diverged:
            row["diverged"] = 1
    return row


def show(row):
    """In one piece, as several runs print side by side."""
    print("%-40s seed %-3s %6s s  %s\n" % (row["label"], row["seed"], row["seconds"],
                                           "diverged" if row["diverged"] else "W1 %s floors" % row["sw1_floors"]), end="", flush=True)


def _measure(ddaebm, run, seed, folder, row):
    path = lambda name: os.path.join(folder, name)
    train, held_out = run.data(folder, seed) if callable(run.data) else (run.data, run.data)
    sets = [word for key, value in run.settings.items() for word in ("--set", "%s=%s" % (key, value))]
    begun = time.perf_counter()
    try:
        call(ddaebm, "train", "--data", train, "--preset", run.preset, "--seed", str(seed), "--quiet", "--out", path("model"), *sets)
    finally:
        row["seconds"] = "%.2f" % (time.perf_counter() - begun)
    info = json.loads(call_info(ddaebm, path("model")))
    row["steps"], row["passes"] = info["config"]["training.steps"], info["config"]["diffusion.timesteps"]
    found = {"parameters": info["parameters"]["total"],
             "levels": " ".join("%.4g" % level for level in info["config"]["diffusion.levels"])}

    begun = time.perf_counter()
    call(ddaebm, "sample", "--model", path("model"), "--count", str(run.count), "--seed", str(seed), "--quiet", "--out", path("s.npy"))
    found["samples_per_second"] = run.count / (time.perf_counter() - begun)
    model = path("model")
    if run.normalise:
        call(ddaebm, "normalise", "--model", model, "--quiet", "--out", path("normalised"))
        model = path("normalised")
    # A named set of another seed, whose rows the training has not seen.
    found.update(json.loads(call(ddaebm, "evaluate", "--model", model, "--data", held_out, "--sampled", path("s.npy"), "--count",
                                 str(run.count), "--seed", str(1000 + seed), "--json")))
    if run.further:
        found.update(run.further(path("s.npy"), held_out))
    return found


def call_info(ddaebm, model):
    return subprocess.run([ddaebm, "info", "--model", model, "--json"], capture_output=True, text=True, check=True).stdout
