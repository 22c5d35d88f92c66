"""What the measurements come to: a table in Markdown and a picture."""

import os

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot
import numpy
from scipy.stats import rankdata


def _means(rows, methods, cases, figure):
    """Mean over the seeds, [cases, methods]; NaN where nothing was measured."""
    values = {}
    for row in rows:
        if row[figure]:
            values.setdefault((row["table"], row["mechanism"], row["method"]), []).append(float(row[figure]))
    return numpy.array([[numpy.mean(values.get((*case, method), [numpy.nan])) for method in methods] for case in cases])


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _table(means, methods, cases, last=None, digits=3, least=False):
    lines = [_line(["table", "removed"] + methods), _line(["---"] * (2 + len(methods)))]
    for case, values in zip(cases, means):
        texts = ["" if numpy.isnan(value) else "%.*f" % (digits, value) for value in values]
        if least:
            texts = ["**%s**" % text if value == numpy.nanmin(values) else text for text, value in zip(texts, values)]
        lines.append(_line([*case, *texts]))
    if last is not None:
        lines.append(_line(["mean rank", "", *("%.2f" % value for value in last)]))
    return "\n".join(lines)


def _draw(means, methods, cases, path):
    """A dot a method on the line of each case."""
    figure, axes = pyplot.subplots(figsize=(8, 0.3 * len(cases) + 1.5))
    for i, method in enumerate(methods):
        ours = method == "ddaebm"
        axes.plot(means[:, i], range(len(cases)), "D" if ours else "o", label=method, zorder=2 + ours,
                  markersize=8 if ours else 5, color="black" if ours else None)
    axes.set_yticks(range(len(cases)), [" ".join(case) for case in cases])
    axes.invert_yaxis()
    axes.set_xlabel("root mean square error, in standard deviations of the column")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def write(rows, folder):
    """Writes results.md and results.png for the rows of results.csv."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cases = sorted(dict.fromkeys((row["table"], row["mechanism"]) for row in rows), key=lambda case: case[::-1])
    errors = _means(rows, methods, cases, "rmse")
    whole = ~numpy.isnan(errors).any(1)
    ranks = rankdata(errors[whole], axis=1).mean(0) if whole.any() else None
    with_draws = [name for name in methods if any(row["interval"] for row in rows if row["method"] == name)]
    parts = ["## Error", _table(errors, methods, cases, ranks, least=True), "## Share of values in the 90% interval of the draws",
             _table(_means(rows, with_draws, cases, "interval"), with_draws, cases), "## Seconds",
             _table(_means(rows, methods, cases, "seconds"), methods, cases, digits=1)]
    with open(os.path.join(folder, "results.md"), "w") as file:
        file.write("\n\n".join(parts) + "\n")
    _draw(errors, methods, cases, os.path.join(folder, "results.png"))
    print("\n\n".join(parts))
