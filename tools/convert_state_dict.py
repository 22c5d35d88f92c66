#!/usr/bin/env python3
"""Converts state dicts of the published PyTorch code to a model file of libddaebm.

    convert_state_dict.py --energy netD.pth --generator netG.pth --encoder netE.pth --preset cifar10 --out model.safetensors

A file is a state dict, or a dictionary that holds several: then FILE:KEY, for instance content.pth:netG_dict. Names may begin with
"module.", as DistributedDataParallel leaves them. The configuration is that of --preset, --config and --set, as the command `ddaebm`
completes it; what the weights' shapes do not show (schedule, losses) has to be said there. Needs torch, numpy and the command.
"""
import argparse
import json
import struct
import subprocess
import sys

import numpy as np
import torch

NETWORKS = ("energy", "generator", "encoder")


def fail(text):
    sys.exit(f"convert_state_dict: {text}")


def read_state_dict(place, trusted):
    """The state dict at FILE or FILE:KEY. A pickle is a program: unless the file is trusted, tensors and plain containers alone are read."""
    path, _, key = place.partition(":")
    try:
        content = torch.load(path, map_location="cpu", weights_only=not trusted)
    except Exception as error:
        fail(f"{path} cannot be read: {error}; if it holds more than tensors and you trust where it came from, say --trusted")
    if key:
        if key not in content:
            fail(f"{path} has no {key!r}, but {', '.join(map(str, content))}")
        content = content[key]
    if not content or not all(isinstance(value, torch.Tensor) for value in content.values()):
        fail(f"{place} is no state dict; if it holds several, say which: {path}:KEY with KEY one of {', '.join(map(str, content))}")
    return {name[len("module."):] if name.startswith("module.") else name: value for name, value in content.items()}


def complete_config(arguments):
    """What the command makes of preset, file and changes: the whole configuration and the width of a row."""
    command = [arguments.ddaebm, "info", "--preset", arguments.preset, "--json"]
    if arguments.config:
        command += ["--config", arguments.config]
    for change in arguments.set:
        command += ["--set", change]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        fail(answer.stderr.strip())
    info = json.loads(answer.stdout)
    return info["config"], info["width"], info["temperature"]


def as_array(name, tensor):
    array = tensor.detach().contiguous().numpy()
    if name.endswith("num_batches_tracked"):
        return array.astype("<i8")
    if not np.isfinite(array).all():
        fail(f"{name} has numbers that are not finite")
    return array.astype("<f4")


def write_safetensors(path, arrays, metadata):
    header, at = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        kind = {"<f4": "F32", "<i8": "I64"}[array.dtype.str]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(array.tobytes())


def main():
    parser = argparse.ArgumentParser(description="Converts state dicts of the published PyTorch code to a model file of libddaebm.")
    for network in NETWORKS:
        parser.add_argument(f"--{network}", required=True, metavar="FILE[:KEY]", help=f"state dict of the {network} network")
    parser.add_argument("--preset", default="toy", help="the configuration that it was trained with; left out: toy")
    parser.add_argument("--config", metavar="FILE.json", help="changes to it")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one more change")
    parser.add_argument("--temperature", type=float, help="left out: as a new model of that configuration has it")
    parser.add_argument("--trusted", action="store_true", help="run what the files' pickles say; for whole checkpoints from a place that you trust")
    parser.add_argument("--ddaebm", default="ddaebm", help="the command; left out: ddaebm")
    parser.add_argument("--out", required=True, metavar="MODEL.safetensors", help="the model")
    arguments = parser.parse_args()

    config, width, temperature = complete_config(arguments)
    if arguments.temperature is not None:
        temperature = arguments.temperature
    arrays = {"data.mean": np.zeros(width, "<f4"), "data.scale": np.ones(width, "<f4")}
    for network in NETWORKS:
        for name, tensor in read_state_dict(getattr(arguments, network), arguments.trusted).items():
            full = f"{network}.{name}"
            arrays[full] = as_array(full, tensor)
    write_safetensors(arguments.out, arrays, {"format": "libddaebm-model", "version": "1", "config": json.dumps(config),
                                              "temperature": repr(temperature)})
    answer = subprocess.run([arguments.ddaebm, "info", "--model", arguments.out], capture_output=True, text=True)
    if answer.returncode != 0:
        fail(f"the configuration does not fit the weights: {answer.stderr.strip()}")


if __name__ == "__main__":
    main()
