#!/usr/bin/env python3
"""tools/convert_state_dict.py: the fixtures' weights, written as PyTorch writes state dicts, become models whose energies are those that the fixtures
have from PyTorch. test_convert.py DDAEBM ROOT"""
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"SKIPPED: the converter of state dicts, for {missing}")
    sys.exit(0)

DDAEBM, ROOT = map(os.path.abspath, sys.argv[1:])
CONVERT = os.path.join(ROOT, "tools", "convert_state_dict.py")
TYPES = {"F32": "<f4", "I64": "<i8", "F64": "<f8"}
IMAGES = ["data.image_size=32", "data.channels=1", "network.latent_width=3", "network.latent_embedding=5", "network.mapping_layers=1",
            "network.time_width=6", "energy.channels=4", "energy.multipliers=[1, 2]", "energy.blocks=1", "generator.channels=4",
            "generator.multipliers=[1, 2]", "generator.blocks=1", "encoder.channels=1", "training.batch=2"]


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    length, = struct.unpack("<Q", content[:8])
    header, data, arrays = json.loads(content[8:8 + length]), content[8 + length:], {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            arrays[name] = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def run(*command):
    return subprocess.run([sys.executable, CONVERT, "--ddaebm", DDAEBM, *command], capture_output=True, text=True)


def converted(fixture, folder, options):
    """Writes the three state dicts in the three ways that they come in, and converts them."""
    dicts = {}
    for network in ("energy", "generator", "encoder"):
        mark = network + "."
        dicts[network] = {name[len(mark):]: torch.tensor(value) for name, value in fixture.items() if name.startswith(mark)}
    torch.save(dicts["energy"], "energy.pth")
    torch.save({"module." + name: value for name, value in dicts["generator"].items()}, "generator.pth")
    torch.save({"epoch": 3, "netE_dict": dicts["encoder"]}, "content.pth")
    answer = run("--energy", "energy.pth", "--generator", "generator.pth", "--encoder", "content.pth:netE_dict", *options, "--out", folder)
    assert answer.returncode == 0, answer.stderr
    back = read_safetensors(folder)
    for network, tensors in dicts.items():
        for name, tensor in tensors.items():
            assert np.array_equal(back[f"{network}.{name}"], tensor.numpy()), f"{network}.{name} has changed"
    return back


def energies(model, rows, levels):
    """f(x, t) of each row at its own level, by the command."""
    out = np.empty(len(rows))
    np.save("rows.npy", rows.astype("<f4"))
    answer = subprocess.run([DDAEBM, "info", "--model", model, "--json"], capture_output=True, text=True, check=True)
    temperature = json.loads(answer.stdout)["temperature"]
    for level in np.unique(levels):
        subprocess.run([DDAEBM, "score", "--model", model, "--data", "rows.npy", "--timestep", str(level), "--out", "scores.npy"], check=True)
        out[levels == level] = temperature * np.load("scores.npy")[levels == level]
    return out


def check(name, options, image):
    fixture = read_safetensors(os.path.join(ROOT, "tests", "data", name + ".safetensors"))
    converted(fixture, "model.safetensors", options)
    rows = fixture["out.x_t"]
    if image: # the command has a pixel's channels together
        rows = rows.transpose(0, 2, 3, 1)
    got = energies("model.safetensors", rows.reshape(len(rows), -1), fixture["in.t"])
    error = np.abs(got - fixture["out.f_real"]).max() / np.abs(fixture["out.f_real"]).max()
    assert error < 1e-5, f"{name}: energies differ from PyTorch's by {error:.2g} of the largest"
    print(f"{name}: energies within {error:.1e} of PyTorch's")


def check_failures():
    for words, options in (("is no state dict", ["--encoder", "content.pth"]), ("has no 'nothing'", ["--encoder", "content.pth:nothing"]),
                           ("cannot be read", ["--encoder", "nowhere.pth"]), ("does not fit", ["--set", "network.latent_width=3"]),
                           ("no.such.key", ["--set", "no.such.key=1"])):
        whole = ["--energy", "energy.pth", "--generator", "generator.pth", "--encoder", "content.pth:netE_dict", "--out", "bad.safetensors"]
        answer = run(*whole, *options)
        assert answer.returncode != 0 and words in answer.stderr, f"{options}: {answer.stderr}"


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    check("ncsnpp_fir", ["--preset", "cifar10"] + [word for change in IMAGES for word in ("--set", change)], image=True)
    check("toy25", ["--set", "energy.hidden_layers=[96, 96]", "--set", "generator.hidden_layers=[96, 96]", "--set", "encoder.hidden_layers=[96, 96]"],
          image=False)
    check_failures()
    os.chdir("/")
