"""Texts as rows: counts of words by hash, TF-IDF and 64 columns of a truncated singular value decomposition.

    experiments/text/rows.py FOLDER OUT.npy [NEW-FOLDER NEW-OUT.npy]...

A row a file, in the order of their names; files of the other folders become rows by the same decomposition.
"""

import os
import sys

import numpy
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.pipeline import make_pipeline

COLUMNS = 64


def make_rows(columns=COLUMNS):
    """A pipeline from texts to rows."""
    words = HashingVectorizer(n_features=1 << 15, alternate_sign=False, norm=None, token_pattern=r"(?u)\b\w\w+\b")
    return make_pipeline(words, TfidfTransformer(sublinear_tf=True), TruncatedSVD(columns, random_state=0))


def read_folder(folder):
    return [open(os.path.join(folder, name), errors="replace").read() for name in sorted(os.listdir(folder))]


def main(words):
    if len(words) < 2 or len(words) % 2:
        sys.exit(__doc__)
    rows = make_rows()
    for i, (folder, out) in enumerate(zip(words[::2], words[1::2])):
        texts = read_folder(folder)
        numpy.save(out, rows.fit_transform(texts) if i == 0 else rows.transform(texts))


if __name__ == "__main__":
    main(sys.argv[1:])
