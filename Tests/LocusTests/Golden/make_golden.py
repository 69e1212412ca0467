#!/usr/bin/env python3
"""Makes the checkpoint and the arrays that ImportTests.swift reads: a network that PyTorch wrote.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch safetensors numpy
    /tmp/torch/bin/python Tests/LocusTests/Golden/make_golden.py path/to/locus_torch.py

`local.safetensors` has no metadata, as `safetensors.torch.save_file` leaves it; `x.npy`, `sigma.npy`,
`c.npy` are inputs and `D.npy` what the reference makes of them.
"""
import importlib.util, pathlib, sys
import numpy as np, torch
from safetensors.torch import save_file

spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
torch.manual_seed(7)
here = pathlib.Path(__file__).parent
net = reference.LocalNet(4, (1, 2))
# The head starts at zero, with which D would hardly depend on the rest.
torch.nn.init.normal_(net.head.weight, std=0.3)
save_file(net.state_dict(), here / "local.safetensors")
x, sigma = torch.randn(2, 3, 8, 8), torch.tensor([0.5, 2.0])
c = (torch.rand(2, 4, 4) < 0.2).float()
with torch.inference_mode():
    d = reference.denoise(net.eval(), x, sigma, c)
for name, array in dict(x=x, sigma=sigma, c=c, D=d).items():
    np.save(here / f"{name}.npy", array.numpy())
