#!/usr/bin/env python3
"""Makes the golden arrays that GoldenTests.swift compares with: the reference networks in PyTorch.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    /tmp/torch/bin/python Tests/DiffusionTests/Golden/make_golden.py Tests/Reference/locus_torch.py

Weights and inputs are sines of their index, so that both sides make them; a file NAME.f32 holds, as
little-endian float32, computed in float64: D (N,3,S,S); the gradients of sum(v * D) with respect to x and to the labels;
and for every parameter, in the order of its name, sum(sine * gradient).
"""
import importlib.util, pathlib, sys
import numpy as np, torch

spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
torch.set_default_dtype(torch.float64)
N, S, G, W = 2, 16, 8, 8


def sine(count, phase):
    return torch.from_numpy(np.sin(0.7 * np.arange(count) + phase))


def phase(name):
    return float(sum(name.encode()) % 97)


CASES = {
    "unet-group-grid-attention": reference.UNet(W, G, "grid", "group", True),
    "unet-group-vector": reference.UNet(W, G, "vector", "group", False),
    "unet-pixel-grid": reference.UNet(W, G, "grid", "pixel", False),
    "unet-pixel-vector-attention": reference.UNet(W, G, "vector", "pixel", True),
    "local-dilated": reference.LocalNet(W, (1, 2, 1)),
}
for name, net in CASES.items():
    for key, p in net.named_parameters():
        fan = p[0].numel() if p.dim() > 1 else 4
        offset = 1.0 if "norm" in key and key.endswith("weight") else 0.0
        p.data = offset + (sine(p.numel(), phase(key)) / fan ** 0.5).reshape(p.shape)
    x = (2 * sine(N * 3 * S * S, 1.0)).reshape(N, 3, S, S).requires_grad_()
    labels = (sine(N * G * G, 2.0) > 0.9).double().reshape(N, G, G).requires_grad_()
    sigma = torch.tensor([0.4, 3.0])
    v = sine(N * 3 * S * S, 3.0).reshape(N, 3, S, S)
    d = reference.denoise(net, x, sigma, labels)
    (v * d).sum().backward()
    parts = [d.detach().flatten(), x.grad.flatten(), labels.grad.flatten()]
    for key, p in sorted(net.named_parameters()):
        parts.append((sine(p.numel(), 4.0) * p.grad.flatten()).sum()[None])
    path = pathlib.Path(__file__).parent / f"{name}.f32"
    path.write_bytes(torch.cat(parts).numpy().astype("<f4").tobytes())
    print(path.name, sum(p.numel() for p in parts))
