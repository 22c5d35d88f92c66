"""The results of an experiment, row by row, so that a run that was stopped goes on."""

import csv
import io
import os
import threading


class Results:
    """The CSV file of an experiment: a row a measurement, known by the values of its key, some of the fields.

    Rows are appended whole. A last line that a kill has cut is dropped. Results of an earlier version get the columns that they
    lack; what is not known stays empty."""

    def __init__(self, path, fields, key):
        self.path, self.fields, self.key, self.lock = path, list(fields), key, threading.Lock()
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if os.path.exists(path):
            self._drop_cut_line()
            self._renew()

    def _drop_cut_line(self):
        with open(self.path, "rb+") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)

    def _renew(self):
        with open(self.path, newline="") as file:
            header = csv.DictReader(file).fieldnames
        if header in (None, self.fields):
            return
        text = self._text(self.rows(), header=True)
        with open(self.path + ".new", "w", newline="") as file:
            file.write(text)
        os.replace(self.path + ".new", self.path)

    def _text(self, rows, header):
        text = io.StringIO()
        writer = csv.DictWriter(text, self.fields, lineterminator="\n")
        if header:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def rows(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path, newline="") as file:
            return list(csv.DictReader(file))

    def has(self, *values):
        """Whether a row has these values of the key, as text."""
        wanted = [str(value) for value in values]
        return any([row[name] for name in self.key] == wanted for row in self.rows())

    def add(self, *rows):
        with self.lock, open(self.path, "a", newline="") as file:
            file.write(self._text(rows, header=file.tell() == 0))
