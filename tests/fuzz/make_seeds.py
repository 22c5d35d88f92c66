#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets, valid ones of every kind and ones that are wrong in every way that a reader knows:
make_seeds.py build/ddaebm FOLDER, then `scripts/fuzz --add TARGET FOLDER/TARGET/*` for each. What fuzzing has found since has the names of
its hash."""

import binascii
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

TOOL = pathlib.Path(sys.argv[1]).resolve()
CORPUS = pathlib.Path(sys.argv[2])


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


# --- Images and arrays. ---


def idx(kind, axes, data=b""):
    return bytes([0, 0, kind, len(axes)]) + b"".join(struct.pack(">I", a) for a in axes) + data


def npy(descr, shape, data, fortran=False, version=1, header=None):
    text = header or repr({"descr": descr, "fortran_order": fortran, "shape": shape})
    text = text.encode() + b" " * (-(len(text) + 11) % 16) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", binascii.crc32(name + data))


CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png(width, height, depth, colour, interlaced=0, extra=b"", data=None):
    line = (width * depth * CHANNELS[colour] + 7) // 8
    if interlaced:
        data = bytes(8 * (line + 2) * height) if data is None else data
    elif data is None:
        data = b"".join(bytes([y % 5]) + bytes((37 * x + 11 * y) % (2 if colour == 3 else 256) for x in range(line))
                        for y in range(height))
    palette = chunk(b"PLTE", bytes(range(3 << min(depth, 2)))) if colour == 3 else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)) +
            palette + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def write_idx():
    ramp = bytes(range(256))
    seeds = {
        "grey": idx(8, [3, 2, 5], ramp[:30]), "colour": idx(8, [2, 2, 3, 3], ramp[:36]), "four": idx(8, [1, 1, 2, 4], ramp[:8]),
        "labels": idx(8, [5], ramp[:5]), "rank2": idx(8, [3, 4], ramp[:12]), "floats": idx(13, [1, 2, 2], ramp[:16]),
        "cut": idx(8, [3, 2, 5], ramp[:29]), "long": idx(8, [3, 2, 5], ramp[:31]), "empty": idx(8, [0, 2, 5]),
        "five": idx(8, [1, 1, 1, 5], ramp[:5]), "huge": idx(8, [1, 0xFFFFFFFF, 0xFFFFFFFF]), "many": idx(8, [0xFFFFFFFF, 9, 9]),
        "header": idx(8, [3, 2, 5])[:9], "nothing": b"", "other": b"\x00\x00\x07\x03"}
    for name, data in seeds.items():
        put("idx", name, data)
    put("content", "idx", seeds["grey"])
    put("content", "idx-gzip", gzip.compress(seeds["colour"], mtime=0))


def write_npy():
    for code, size in [("f2", 2), ("f4", 4), ("f8", 8), ("u1", 1), ("i1", 1), ("u2", 2), ("i2", 2), ("u4", 4), ("i4", 4),
                       ("u8", 8), ("i8", 8), ("b1", 1)]:
        data = bytes(i % 127 if size > 1 else i % 2 for i in range(6 * size))
        for order in "<>|" if size == 1 else "<>":
            put("npy", code + {"<": "-little", ">": "-big", "|": "-one"}[order], npy(order + code, (3, 2), data))
    numbers = struct.pack("<12f", *(0.125 * i - 0.5 for i in range(12)))
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }"
    seeds = {
        "column": npy("<f4", (12,), numbers), "fortran": npy("<f4", (3, 4), numbers, True), "rank3": npy("<f4", (3, 2, 2), numbers),
        "rank4": npy("<f4", (1, 2, 2, 3), numbers), "rank4-wide": npy("<f4", (1, 1, 2, 6), numbers),
        "fortran3": npy("<f4", (2, 3, 2), numbers, True), "version2": npy("<f4", (3, 4), numbers, False, 2),
        "version3": npy("<f4", (3, 4), numbers, False, 3), "version9": npy("<f4", (3, 4), numbers, False, 9),
        "bytes3": npy("|u1", (3, 2, 2), numbers[:12]), "bytes4": npy("|u1", (2, 2, 1, 3), numbers[:12]),
        "bytes-fortran": npy("|u1", (2, 3, 2), numbers[:12], True), "bytes-cut": npy("|u1", (2, 3, 2), numbers[:11]),
        "python2": npy("", (), numbers, header=header % "(3L, 4L)"), "scalar": npy("", (), numbers[:4], header=header % "()"),
        "cut": npy("<f4", (3, 4), numbers[:40]), "long": npy("<f4", (3, 4), numbers + b"x"), "zero": npy("<f4", (3, 0), b""),
        "wide": npy("<f4", (1, 2000000), numbers), "axis": npy("<f4", (3000000000, 1), numbers),
        "deep": npy("<f4", (1,) * 33, numbers[:4]), "deepest": npy("<f4", (1,) * 32, numbers[:4]),
        "nan": npy("<f4", (1, 2), struct.pack("<2f", float("nan"), float("inf"))), "complex": npy("<c8", (3, 2), numbers),
        "records": npy("", (), numbers, header="{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}"),
        "twice": npy("", (), numbers, header="{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}"),
        "missing": npy("", (), numbers, header="{'descr': '<f4', 'shape': (3, 4)}"),
        "order": npy("", (), numbers, header="{'shape': (12,), 'fortran_order': Perhaps, 'descr': '<f4'}"),
        "list": npy("", (), numbers, header="['<f4', False, (12,)]"), "after": npy("", (), numbers, header=header % "(12,)" + " 7"),
        "comma": npy("", (), numbers, header="{'descr': '<f4' 'shape': (12,)}"), "shape": npy("", (), b"", header=header % "(3 4)"),
        "header": npy("<f4", (3, 4), b"")[:40], "short": b"\x93NUMPY\x01", "magic": b"\x93NUMPx\x01\x00\x10\x00", "nothing": b""}
    for name, data in seeds.items():
        put("npy", name, data)
    for name in ("fortran", "bytes4", "nan", "rank3"):
        put("content", "npy-" + name, seeds[name])


def write_csv():
    seeds = {
        "comma": "1,2\n3,4\n", "tab": "1\t2\n3\t4\n", "semicolon": "1;2\r\n3;4\r\n", "blank": " 1 2\n3   4 \n",
        "header": "x,y\n1,2\n", "quoted": '"a ""b""","c, d"\n"1",2\n', "mark": "\ufeff# comment\n\n1,-2e-3\n.5,+6.\n",
        "one": "a name\n1\n2\n", "missing": "1,,2\n", "ragged": "1,2\n3\n", "more": "1,2\n3,4,5\n", "word": "1,a\n", "late": "a,b\n1,x\n",
        "inf": "1,inf\n", "nan": "nan\n", "big": "1e39,1\n", "small": "1e-60,1e-40\n", "open": '"1,2\n3,4\n', "after": '"1"2,3\n',
        "only": "# nothing\n\n", "names": "a,b\n", "nothing": "", "zero": "1,2\n\0", "german": "1,5;2,5\n1,5;2,5\n",
        "long": "0." + "1" * 300 + "," + "9" * 300 + "\n", "exponents": "1e+05,1E5\n1e99999999999,0e-99999999999\n",
        "old": "1,2\r3,4\r", "last": "1,2\n3,4", "dots": ".,1\n", "controls": "\x01\x7f\u0085\u202e,1\n", "latin": b"\xe4\xf6,\xff\n1,2\n"}
    for name, data in seeds.items():
        put("csv", name, data)
    for name in ("header", "word", "blank"):
        put("content", "csv-" + name, seeds[name])
    put("content", "csv-gzip", gzip.compress(seeds["header"].encode(), mtime=0))


def write_png():
    for colour, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
        for depth in depths:
            put("png", f"colour{colour}-{depth}", png(5, 3, depth, colour))
            put("png", f"adam7-{colour}-{depth}", png(9, 5, depth, colour, 1))
    whole = png(5, 3, 8, 2)
    text = b"title\0\0" + zlib.compress(b"words" * 40)
    seeds = {
        "grey-transparent": png(5, 3, 8, 0, extra=chunk(b"tRNS", b"\0\x11")), "palette-transparent":
        png(5, 3, 4, 3, extra=chunk(b"tRNS", b"\0\x80\xff")), "rgb-transparent": png(5, 3, 8, 2, extra=chunk(b"tRNS", bytes(6))),
        "chunks": png(5, 3, 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"sRGB", b"\0") +
                      chunk(b"pHYs", struct.pack(">IIB", 1, 1, 1)) + chunk(b"tEXt", b"a\0b") + chunk(b"zTXt", text) +
                      chunk(b"tIME", struct.pack(">HBBBBB", 2024, 1, 1, 1, 1, 1)) + chunk(b"sBIT", b"\5\5\5")),
        "profile": png(5, 3, 8, 2, extra=chunk(b"iCCP", text)), "wide": png(1 << 20, 1, 1, 0, data=b""), "wider": png((1 << 20) + 1, 1, 8, 0),
        "claims": png(5, 3, 8, 2, extra=b"\x7f\xff\xff\xfftEXt"), "square": png(4096, 4096, 8, 0, data=b""), "short": png(5, 3, 8, 2, data=bytes(20)), "more": png(5, 3, 8, 2, data=bytes(200)),
        "filter": png(5, 3, 8, 2, data=b"\7" * 48), "cut": whole[:-20], "checksum": whole[:-6] + b"xx" + whole[-4:], "signature": whole[:8],
        "damaged": whole[:45] + b"\xff\xff" + whole[47:], "no-end": whole[:-12], "no-header": whole[:8] + whole[33:], "nothing": b"",
        "after": whole + b"more", "zero": png(0, 3, 8, 0, data=b"x"), "depth": png(5, 3, 3, 0)}
    for name, data in seeds.items():
        put("png", name, data)
    put("content", "png", whole)


def write_jpeg():
    """Of the files that libjpeg wrote, which are in the corpus, some that are wrong."""
    grey, colour = ((pathlib.Path(__file__).parent / "corpus/jpeg" / name).read_bytes() for name in ("grey", "colour"))
    height = grey.index(b"\xff\xc0") + 5
    seeds = {
        "cut": colour[:-20], "no-end": grey[:-2], "head": grey[:20], "mark": grey[:3], "after": grey + b"more", "nothing": b"",
        "twice": grey + colour, "large": grey[:height] + b"\xff\xdc\xff\xdc" + grey[height + 4:],
        "flat": grey[:height] + b"\0\0" + grey[height + 2:], "deep": grey[:height - 1] + b"\x0c" + grey[height:],
        "lossless": grey.replace(b"\xff\xc0", b"\xff\xc3"), "arithmetic": grey.replace(b"\xff\xc0", b"\xff\xc9")}
    for name, data in seeds.items():
        put("jpeg", name, data)
    put("content", "jpeg", grey)


def wav(encoding, channels, bits, data, extra=b"", rate=360, claims=None):
    block = channels * bits // 8
    chunks = b"fmt " + struct.pack("<IHHIIHH", 16, encoding, channels, rate, rate * block, block, bits) + extra
    chunks += b"data" + struct.pack("<I", len(data) if claims is None else claims) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def write_wav():
    ramp = bytes(range(240))
    whole = wav(1, 1, 16, ramp)
    seeds = {
        "u8": wav(1, 1, 8, ramp), "s16": whole, "s24": wav(1, 2, 24, ramp), "s32": wav(1, 3, 32, ramp),
        "f32": wav(3, 2, 32, struct.pack("<60f", *range(60))), "f64": wav(3, 1, 64, struct.pack("<30d", *range(30))),
        "nan": wav(3, 1, 32, struct.pack("<2f", float("nan"), float("inf"))), "alaw": wav(6, 1, 8, ramp),
        "mulaw": wav(7, 2, 8, ramp), "list": wav(1, 1, 16, ramp, b"LIST" + struct.pack("<I", 4) + b"INFO"),
        "fact": wav(1, 1, 16, ramp, b"fact" + struct.pack("<II", 4, 1 << 31)), "cut": whole[:-30],
        "claims": wav(1, 1, 16, ramp, claims=0xFFFFFFF0), "empty": wav(1, 1, 16, b""), "no-channels": wav(1, 0, 16, ramp),
        "channels": wav(1, 65535, 8, ramp), "encoding": wav(0x55, 1, 16, ramp), "bits": wav(1, 1, 13, ramp),
        "adpcm": b"RIFF" + struct.pack("<I", 4 + 28 + 12 + 8 + 64) + b"WAVEfmt " +
                 struct.pack("<IHHIIHHHH", 20, 0x11, 1, 8000, 4055, 32, 4, 2, 57) + b"fact" + struct.pack("<II", 4, 114) +
                 b"data" + struct.pack("<I", 64) + ramp[:64],
        "head": whole[:40], "mark": whole[:12], "nothing": b"", "after": whole + b"more",
        "rf64": b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEds64" + struct.pack("<IQQQI", 28, 300, 240, 120, 0) + whole[12:]}
    for name, data in seeds.items():
        put("wav", name, data)
    put("content", "wav", whole)


def write_content():
    record = bytes([7]) + bytes((13 * i) % 256 for i in range(3072))
    packed = gzip.compress(record, mtime=0)
    seeds = {
        "cifar": record, "cifar-two": record[:1] + bytes(3072) + b"\x09" + bytes(3072), "cifar-label": b"\x0a" + record[1:],
        "cifar-gzip": packed, "gzip-cut": packed[:-9], "gzip-checksum": packed[:-8] + bytes(8), "gzip-after": packed + b"x",
        "gzip-twice": gzip.compress(packed, mtime=0), "gzip-bomb": gzip.compress(bytes(1 << 21), mtime=0), "gzip-head": packed[:2],
        "gzip-members": packed + packed, "gzip-zeros": packed + bytes(512), "text-of-cifar": b"\tx\ty\n" + b"0\t1\t2\n" * 511 + b"1\t",
        "gzip-named": b"\x1f\x8b\x08\x18" + packed[4:10] + b"name\0comment\0" + packed[10:], "nothing": b""}
    for name, data in seeds.items():
        put("content", name, data)


# --- Configurations. ---


def write_config(texts):
    for name, text in texts.items():
        put("config", "preset-" + name, text)
    long = "x" * 300
    seeds = {
        "empty": "{}", "nested": '{"training": {"batch": 3}, "data": {"width": 4}}', "twice": '{"data.width": 3, "data": {"width": 4}}',
        "same": '{"data.width": 3, "data.width": 4}', "list": "[4]", "number": "4", "nothing": "", "open": '{"data.width": ', "null": "null",
        "unknown": '{"data.widht": 3}', "group": '{"training": 3}', "deep": '{"data.width": ' + "[" * 40 + "]" * 40 + "}",
        "deeper": "[" * 3000, "range": '{"data.width": 0}', "type": '{"data.width": 2.5}', "object": '{"data.width": {"a": [1, true, null]}}',
        "choice": '{"diffusion.schedule": "karras"}', "wrong-choice": '{"diffusion.schedule": "linear"}', "choice-type": '{"energy.norm": 4}',
        "integers": '{"energy.hidden_layers": [1, 2, 65536], "image.fir_kernel": []}', "integers-type": '{"energy.hidden_layers": [1, "a"]}',
        "integers-many": '{"energy.hidden_layers": %s}' % ([1] * 17), "integers-range": '{"energy.hidden_layers": [0]}',
        "real": '{"objective.gamma": 1e-300, "objective.margin": -0.0}', "reals": '{"optimizer.beta1": 0.99999999999999994, "image.dropout": 1}',
        "overflow": '{"objective.gamma": 1e999}', "integer-overflow": '{"data.width": 99999999999999999999}', "words": '{"data.flip": tru}',
        "boolean": '{"data.flip": true, "image.fir": false}', "escapes": '{"a\\n\\"\\u00e4\\ud834\\udd1e": 1}', "surrogate": '{"\\ud834": 1}',
        "utf8": '{"größe": 1}', "latin": b'{"gr\xf6\xdfe": 1}', "control": '{"a\x01": 1}', "zero": '{"a\\u0000": 1}', "comma": '{"data.width": 1,}',
        "digits": '{"objective.gamma": 0.%s}' % ("1" * 100), "leading": '{"data.width": 01}', "exponent": '{"objective.gamma": 1E+2}',
        "long-text": '{"data.width": "%s"}' % long, "long-list": '{"data.width": ["%s", 1]}' % long, "long-name": '{"%s": 1}' % long,
        "long-choice": '{"energy.norm": "%s"}' % long, "after": "{} {}", "blanks": " \t\r\n{ \n} \n", "nan": '{"objective.gamma": NaN}',
        "betas": '{"diffusion.beta_min": 9, "diffusion.beta_max": 8}', "lsun": '{"diffusion.grid": "lsun", "diffusion.timesteps": 600}',
        "image": '{"network.family": "ncsnpp", "data.image_size": 12}', "misfit": '{"network.family":"ncsnpp","data.image_size":8,"energy.channels":7}',
        "levels": '{"network.family":"ncsnpp","data.image_size":8,"energy.multipliers":[1,1,1,1,1,1]}',
        "patch": '{"network.family":"ncsnpp","data.image_size":8,"image.patch":3}', "padding": '{"data.image_size": 8, "data.padding": 4}',
        "taps": '{"network.family":"ncsnpp","data.image_size":32,"image.fir_kernel":[0]}', "rates": '{"optimizer.rate_schedule":"cosine","optimizer.final_rate":1}',
        "encoder": '{"encoder.feature_layers": []}', "batch": '{"network.family":"ncsnpp","data.image_size":32,"encoder.kind":"large","training.batch":6}'}
    for name, data in seeds.items():
        put("config", name, data)


# --- Models and checkpoints. ---

TINY = {"network.time_width": 4, "network.latent_width": 1, "diffusion.timesteps": 2, "training.batch": 2, "training.calibrate": False}
for network in ("energy", "generator", "encoder"):
    TINY[network + ".feature_layers"] = [1]
    TINY[network + ".hidden_layers"] = [1]
LEAST = {"encoder.hidden_layers": [], "optimizer.ema_decay": 0}
for network in ("energy", "generator", "encoder"):
    LEAST.update({network + ".norm": "none", network + ".activation": "silu"})
for network in ("energy", "generator"):
    LEAST.update({network + ".feature_layers": [], network + ".hidden_layers": []})
KINDS = {
    "least": LEAST,
    "toy": {"optimizer.ema_decay": 0},
    "points": {"energy.frequencies": 1, "form.energy": "distance", "form.residual": True, "form.proposal": True, "energy.activation": "silu", "generator.norm": "none",
               "encoder.norm": "none", "optimizer.ema_decay": 0.5, "objective.fake_gamma": 0.1, "objective.energy_score": 1,
               "objective.noise_contrast": 1, "diffusion.schedule": "karras", "energy.feature_layers": [], "encoder.feature_layers": [2]},
}
IMAGE = {"data.image_size": 8, "network.family": "ncsnpp", "energy.channels": 4, "energy.multipliers": [1], "energy.blocks": 0,
           "generator.channels": 4, "generator.multipliers": [1], "generator.blocks": 0, "encoder.channels": 1, "network.latent_embedding": 1,
           "network.mapping_layers": 0, "training.steps": 1}


def run(*arguments):
    subprocess.run([TOOL, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def parse(data):
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


def compose(header, data, align=8):
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % align)
    return struct.pack("<Q", len(text)) + text + data


def of_version_1(data):
    """Without a checksum, a changed file is still read to its end. Of the configuration, what differs from its preset `toy` is enough."""
    header, tensors = parse(data)
    metadata = header["__metadata__"]
    metadata.pop("checksum", None)
    metadata["version"] = "1"
    metadata["config"] = json.dumps({k: v for k, v in json.loads(metadata["config"]).items() if v != TOY[k]}, separators=(",", ":"))
    return compose(header, tensors)


def train(folder, kind, more):
    settings = folder / (kind + ".json")
    rows = folder / "rows.csv"
    rows.write_text("0.5,-0.5\n0.25,1\n-1,0.125\n0,0.75\n")
    settings.write_text(json.dumps({**TINY, **more}))
    model, checkpoint = folder / (kind + ".safetensors"), folder / (kind + ".checkpoint")
    run("train", "--data", rows, "--preset", "toy", "--config", settings, "--steps", 1, "--out", model, "--checkpoint", checkpoint)
    run("convert", "--half", "--model", model, "--out", folder / (kind + ".half"))
    return model.read_bytes(), checkpoint.read_bytes(), (folder / (kind + ".half")).read_bytes()


def image_model(folder):
    settings = folder / "image.json"
    images = folder / "images.npy"
    settings.write_text(json.dumps({**TINY, **IMAGE}))
    images.write_bytes(npy("|u1", (4, 8, 8), bytes(range(256))))
    run("train", "--data", images, "--preset", "toy", "--config", settings, "--steps", 1, "--out", folder / "image")
    run("convert", "--half", "--model", folder / "image", "--out", folder / "image.half")
    return (folder / "image.half").read_bytes()


def broken(target, data):
    """One thing changed at a time, in the framing and in what stands in the metadata."""
    header, tensors = parse(data)
    name = "energy.net.layers.0.weight"

    def changed(kind, change):
        copy = json.loads(json.dumps(header))
        change(copy)
        put(target, kind, compose(copy, tensors))

    def config(**values):
        def change(copy):
            copy["__metadata__"]["config"] = json.dumps({k.replace("__", "."): v for k, v in values.items()})
        return change

    def besides(**values):
        """What the file's tensors fit all the same."""
        def change(copy):
            known = json.loads(copy["__metadata__"]["config"])
            copy["__metadata__"]["config"] = json.dumps({**known, **{k.replace("__", "."): v for k, v in values.items()}})
        return change

    def metadata(key, value):
        return lambda copy: copy["__metadata__"].pop(key) if value is None else copy["__metadata__"].update({key: value})

    for key in ("format", "version", "temperature", "config"):
        changed("no-" + key, metadata(key, None))
    changed("format", metadata("format", "other\n\x1b[31m"))
    changed("version-99", metadata("version", "99"))
    changed("version-word", metadata("version", "one\x07"))
    changed("temperature", metadata("temperature", "-1"))
    changed("config-list", metadata("config", "[]"))
    changed("config-key", config(form__future=1))
    changed("config-wide", config(data__width=1048576))
    changed("config-terabytes", config(**{n + "__hidden_layers": [65536] * 16 for n in ("energy", "generator", "encoder")}))
    changed("config-levels", config(network__time_width=65536, diffusion__timesteps=1000))
    changed("config-images", config(network__family="ncsnpp", data__image_size=128, energy__channels=4096, energy__multipliers=[64] * 8,
                                      energy__blocks=16, generator__channels=4096, generator__multipliers=[64] * 8, generator__blocks=16))
    changed("levels", besides(diffusion__timesteps=1000, diffusion__schedule="cosine"))
    changed("batch", besides(training__batch=65536, objective__energy_score=1, objective__fake_gamma=1, objective__noise_contrast=1))
    changed("averaging", besides(optimizer__ema_decay=0.9))
    changed("stranger", lambda h: h.update({"stranger\n": {**h[name]}}) or h.pop("trainer.state", None))
    changed("missing", lambda h: h.pop(name))
    changed("renamed", lambda h: h.update({"energy.net\n": h.pop(name)}))
    changed("dtype", lambda h: h[name].update(dtype="I32"))
    changed("dtype-unknown", lambda h: h[name].update(dtype="F8"))
    changed("shape", lambda h: h[name].update(shape=[1] + h[name]["shape"]))
    changed("shape-huge", lambda h: h[name].update(shape=[2147483647] * 8))
    changed("shape-deep", lambda h: h[name].update(shape=[1] * 9))
    changed("shape-zero", lambda h: h[name].update(shape=[0]))
    changed("offsets", lambda h: h[name].update(data_offsets=[0, 4]))
    changed("offsets-turned", lambda h: h[name].update(data_offsets=h[name]["data_offsets"][::-1]))
    changed("offsets-three", lambda h: h[name]["data_offsets"].append(1))
    changed("extra", lambda h: h[name].update(extra=1))
    changed("empty-name", lambda h: h.update({"": h.pop(name)}))
    changed("long-name", lambda h: h.update({"n" * 256: h.pop(name)}))
    put(target, "nan", data[:-4] + struct.pack("<f", float("nan")))
    put(target, "cut", data[:-1])
    put(target, "long", data + b"x")
    put(target, "header-cut", data[:100])
    put(target, "short", data[:7])
    put(target, "claims", struct.pack("<Q", 1 << 62) + data[8:64])
    put(target, "no-json", struct.pack("<Q", 8) + b"{\"a\": 1 ")
    put(target, "list", struct.pack("<Q", 2) + b"[]")
    put(target, "deep", struct.pack("<Q", 40) + b"[" * 40)
    put(target, "nothing", b"")
    put(target, "unaligned", compose(header, tensors, 1))
    put(target, "no-tensors", compose({"__metadata__": header["__metadata__"]}, b""))


def with_typicality(data):
    header, tensors = parse(data)
    n = 3 * 2
    at = len(tensors)
    header["typicality.mean"] = {"dtype": "F32", "shape": [n], "data_offsets": [at, at + 4 * n]}
    header["typicality.precision"] = {"dtype": "F32", "shape": [n, n], "data_offsets": [at + 4 * n, at + 4 * n * (n + 1)]}
    return compose(header, tensors + struct.pack(f"<{n * (n + 1)}f", *([0.5] * n * (n + 1))))


def without(data, beginning):
    """Tensors of these names left out, and their bytes with them."""
    header, tensors = parse(data)
    kept, left = {"__metadata__": header["__metadata__"]}, b""
    for name, entry in sorted(((k, v) for k, v in header.items() if k != "__metadata__"), key=lambda item: item[1]["data_offsets"]):
        if name.startswith(beginning):
            continue
        piece = tensors[slice(*entry["data_offsets"])]
        kept[name] = {**entry, "data_offsets": [len(left), len(left) + len(piece)]}
        left += piece
    return compose(kept, left)


def poke(data, name, number):
    """The first eight bytes of a tensor."""
    header, tensors = parse(data)
    at = header[name]["data_offsets"][0]
    return compose(header, tensors[:at] + number + tensors[at + 8:])


def write_models(folder):
    files = {kind: [of_version_1(data) for data in train(folder, kind, more)] for kind, more in KINDS.items()}
    for kind, (model, checkpoint, half) in files.items():
        put("model", kind, model)
        put("model", kind + "-half", half)
        put("checkpoint", kind, checkpoint)
    model, checkpoint, _ = files["least"]
    put("model", "checkpoint", checkpoint)
    put("model", "typical", with_typicality(without(model, "typicality")))
    put("model", "image-half", of_version_1(image_model(folder)))
    put("checkpoint", "model", model)
    put("checkpoint", "no-raw", without(files["points"][1], "trainer.energy.net"))
    for name in ("trainer.state", "trainer.adam.updates", "trainer.adam.m.encoder", "trainer.rate_factors"):
        put("checkpoint", "no-" + name.split(".", 1)[1], without(checkpoint, name))
    for kind, name, number in [("late", "trainer.state", struct.pack("<q", (1 << 63) - 1)), ("step", "trainer.state", struct.pack("<q", -1)),
                               ("updates", "trainer.adam.updates", struct.pack("<q", -1)),
                               ("most-updates", "trainer.adam.updates", struct.pack("<q", (1 << 63) - 1)),
                               ("factor", "trainer.rate_factors", struct.pack("<d", -1)),
                               ("frozen", "trainer.rate_factors", struct.pack("<d", 0)),
                               ("moments", "trainer.adam.v.energy", struct.pack("<ff", -1, -1)),
                               ("weights", "energy.net.layers.0.weight", struct.pack("<ff", 3e38, -3e38))]:
        put("checkpoint", kind, poke(checkpoint, name, number))
    broken("model", model)
    broken("checkpoint", checkpoint)


def config_texts(folder):
    """Each preset's whole text, as a model's file has it."""
    texts = {}
    rows = folder / "rows.csv"
    rows.write_text("0.5,-0.5\n0.25,1\n-1,0.125\n0,0.75\n")
    for preset in ("toy", "points"):
        run("train", "--data", rows, "--preset", preset, "--steps", 1, "--batch", 2, "--out", folder / preset)
        texts[preset] = parse((folder / preset).read_bytes())[0]["__metadata__"]["config"]
    return texts


with tempfile.TemporaryDirectory() as name:
    texts = config_texts(pathlib.Path(name))
    TOY = {**json.loads(texts["toy"]), "training.batch": 200}
    write_config(texts)
    write_models(pathlib.Path(name))
write_idx()
write_npy()
write_csv()
write_png()
write_jpeg()
write_wav()
write_content()
