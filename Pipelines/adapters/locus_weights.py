"""A network of Locus in PyTorch, from what `locus export weights` wrote: for torch_denoiser.py.

Beside it lie locus_torch.py of Tests/Reference, which has the networks, and the weights, which `--argument` names.
"""

import json
import struct

import numpy as np
import torch

import locus_torch

hello, submodules = {}, {}


def load(path, device):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    about = header.pop("__metadata__")
    weights = {
        name: torch.from_numpy(
            np.frombuffer(data[slice(*tensor["data_offsets"])], dtype="<f4").reshape(tensor["shape"]).copy())
        for name, tensor in header.items()}
    network, size = locus_torch.network_of(about), int(about["size"])
    network.load_state_dict(weights, strict=True)
    told = {"set": json.loads(about["words"])} if "words" in about else {"grid": int(about["cells"])}
    hello.update(
        name=f"{about['network']} of {about['width']} channels", shape=[3, size, size], conditioner=told,
        noise={"convention": "sigma", "low": 0.001, "high": 1000})
    submodules.update({level: "network." + name for level, name in getattr(network, "levels", {}).items()})
    if about["network"] == "local":
        hello["pixel_reach"] = hello["label_reach"] = 1 + sum(int(d) for d in about["dilations"].split(","))
    return Denoiser(network, "cells" in about).to(device)


class Denoiser(torch.nn.Module):
    """D(x, sigma, c) with EDM's preconditioning."""

    def __init__(self, network, is_grid):
        super().__init__()
        self.network, self.is_grid = network, is_grid

    def forward(self, x, sigma, labels):
        if self.is_grid:
            side = round(labels.shape[1] ** 0.5)
            labels = labels.reshape(-1, side, side)
        return locus_torch.denoise(self.network, x, sigma, labels)
