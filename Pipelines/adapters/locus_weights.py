"""A network of Locus in PyTorch, from what `locus export weights` wrote: for torch_denoiser.py.

Beside it lie locus_torch.py of Tests/Reference, which has the networks, and the weights, which `--argument` names.
"""

import json
import struct

import numpy as np
import torch

import locus_torch

hello = {}


def load(path, device):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    about = header.pop("__metadata__")
    weights = {
        name: torch.from_numpy(
            np.frombuffer(data[slice(*tensor["data_offsets"])], dtype="<f4").reshape(tensor["shape"]).copy())
        for name, tensor in header.items()}
    cells, size = int(about["cells"]), int(about["size"])
    if about["network"] == "unet":
        network = locus_torch.UNet(
            int(about["width"]), cells, about["conditioning"], about["normalization"], about["attention"] == "true")
    elif about["network"] == "local":
        network = locus_torch.LocalNet(int(about["width"]), [int(d) for d in about["dilations"].split(",")])
    else:
        raise SystemExit(f"networks of type {about['network']} are not among the reference ones")
    network.load_state_dict(weights, strict=True)
    hello.update(
        name=f"{about['network']} of {about['width']} channels", shape=[3, size, size], conditioner={"grid": cells},
        noise={"convention": "sigma", "low": 0.001, "high": 1000})
    if about["network"] == "local":
        hello["pixel_reach"] = hello["label_reach"] = 1 + sum(int(d) for d in about["dilations"].split(","))
    return Denoiser(network).to(device)


class Denoiser(torch.nn.Module):
    """D(x, sigma, c) with EDM's preconditioning."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x, sigma, labels):
        side = round(labels.shape[1] ** 0.5)
        return locus_torch.denoise(self.network, x, sigma, labels.reshape(-1, side, side))
