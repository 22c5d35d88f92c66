"""Tables with means and intervals, and pictures."""

import os
import subprocess

import numpy


def interval(values, resamples=4000):
    """Mean, and the central 95% of the means of resampled values."""
    values = numpy.array(values, float)
    random = numpy.random.default_rng(0)
    means = values[random.integers(0, len(values), (resamples, len(values)))].mean(1)
    return values.mean(), *numpy.quantile(means, [0.025, 0.975])


def cell(rows, measure, form):
    values = [float(row[measure]) for row in rows if row[measure] != ""]
    if not values:
        return "–"
    mean, low, high = interval(values)
    return form % mean if len(values) == 1 else "%s (%s–%s)" % (form % mean, form % low, form % high)


def line(cells):
    return "| " + " | ".join(cells) + " |"


def table(rows, study):
    """One table a data set: a line a configuration."""
    parts = []
    for data in dict.fromkeys(row["data"] for row in rows):
        here = [row for row in rows if row["data"] == data]
        lines = [line([data] + [title for _, title, _ in study.COLUMNS] + ["runs", "diverged"])]
        lines.append(line(["---"] * (len(study.COLUMNS) + 3)))
        for name in dict.fromkeys(row["configuration"] for row in here):
            of_one = [row for row in here if row["configuration"] == name]
            lines.append(line([name] + [cell(of_one, measure, form) for measure, _, form in study.COLUMNS]
                              + [str(len(of_one)), str(sum(int(row["diverged"]) for row in of_one))]))
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def slopes(rows, study):
    """For a study that varies numbers: between neighbours, the slope of each cost on log-log axes."""
    lines = []
    for data in dict.fromkeys(row["data"] for row in rows):
        here = [row for row in rows if row["data"] == data and row["x"]]
        places = sorted({float(row["x"]) for row in here})
        for measure, title in study.SLOPES:
            means = [numpy.mean([float(row[measure]) for row in here if float(row["x"]) == x and row[measure]]) for x in places]
            steps = ["%g to %g: %.2f" % (a, b, numpy.log(v / u) / numpy.log(b / a))
                     for a, b, u, v in zip(places, places[1:], means, means[1:])]
            lines.append("- %s, %s: %s" % (data, title, ", ".join(steps)))
    return "\n".join(lines)


def write(rows, study, folder, ddaebm):
    rows = sorted(rows, key=lambda row: int(row["seed"]))
    text = table(rows, study) + "\n\n%d runs, %.0f s of training.\n" % (len(rows), sum(float(row["seconds"] or 0) for row in rows))
    if hasattr(study, "SLOPES"):
        text += "\n" + slopes(rows, study) + "\n"
    with open(os.path.join(folder, "results.md"), "w") as file:
        file.write(text)
    print(text)
    measure, logarithmic = study.PICTURE
    subprocess.run([ddaebm, "plot", "--table", os.path.join(folder, "results.csv"), "--label", "label", "--value", measure,
                    *(["--log"] if logarithmic else []), "--out", os.path.join(folder, "results.png")], check=True)
