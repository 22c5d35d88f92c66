"""What the measurements come to: a table in Markdown and an image."""

import os

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot
import numpy
from scipy.stats import rankdata


def _means(rows, detectors, tables, figure):
    """Mean over the seeds, [tables, detectors]."""
    values = {}
    for row in rows:
        values.setdefault((row["table"], row["detector"]), []).append(float(row[figure]))
    return numpy.array([[numpy.mean(values[table, detector]) for detector in detectors] for table in tables])


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _table(means, detectors, tables):
    lines = [_line(["table"] + detectors), _line(["---"] * (1 + len(detectors)))]
    for name, values in zip(tables, means):
        best = values.max()
        lines.append(_line([name] + [("**%.3f**" if value == best else "%.3f") % value for value in values]))
    ranks = rankdata(-means, axis=1).mean(axis=0)
    lines.append(_line(["mean"] + ["%.3f" % value for value in means.mean(axis=0)]))
    lines.append(_line(["mean rank"] + ["%.2f" % value for value in ranks]))
    return "\n".join(lines)


def _precision(rows, detectors):
    """Of the tables whose every measurement has it: results of an earlier version do not."""
    lacking = {row["table"] for row in rows if not row.get("precision_at_1")}
    tables = [name for name in dict.fromkeys(row["table"] for row in rows) if name not in lacking]
    if not tables:
        return []
    return ["## Precision among the 1% of the most anomalous rows",
            _table(_means(rows, detectors, tables, "precision_at_1"), detectors, tables)]


def _draw(means, detectors, tables, path):
    """A dot a detector on the line of each table, and their means on the last."""
    figure, axes = pyplot.subplots(figsize=(8, 0.32 * len(tables) + 1.8))
    labels, values = tables + ["mean"], numpy.vstack([means, means.mean(axis=0)])
    for i, detector in enumerate(detectors):
        ours = i == 0
        axes.plot(values[:, i], range(len(labels)), "D" if ours else "o", label=detector, zorder=2 + ours,
                  markersize=8 if ours else 5, color="black" if ours else None)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("AUROC, mean of the seeds")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def write(rows, folder):
    """Writes results.md and results.png for the rows of results.csv."""
    tables = list(dict.fromkeys(row["table"] for row in rows))
    all_detectors = list(dict.fromkeys(row["detector"] for row in rows))
    detectors = [name for name in all_detectors if name != "plain energy"]
    energies = [name for name in ("ddaebm", "plain energy") if name in all_detectors]
    parts = []
    for figure, title in (("auroc", "AUROC"), ("average_precision", "Average precision")):
        parts += ["## " + title, _table(_means(rows, detectors, tables, figure), detectors, tables)]
    parts += _precision(rows, detectors)
    if energies:
        parts += ["## The adversarial terms: AUROC", _table(_means(rows, energies, tables, "auroc"), energies, tables)]
        times = _means(rows, energies, tables, "fit_seconds")
        parts += ["Longest training: %.0f s (mean of a table's seeds)." % times.max()]
    with open(os.path.join(folder, "results.md"), "w") as file:
        file.write("\n\n".join(parts) + "\n")
    _draw(_means(rows, detectors, tables, "auroc"), detectors, tables, os.path.join(folder, "results.png"))
    print("\n\n".join(parts))
