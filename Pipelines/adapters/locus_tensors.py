"""Between the arrays of the protocol and tensors of PyTorch: on a CPU neither way copies."""

import torch


def tensors(device, *arrays):
    return [torch.from_numpy(a).to(device) for a in arrays]


def array(tensor):
    return tensor.detach().float().cpu().numpy()
