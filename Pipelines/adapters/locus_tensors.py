"""What adapters of PyTorch have in common: the same bytes again, and arrays of the protocol as tensors and back, which
on a CPU neither way copies."""

import torch


def deterministic():
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It fills what nobody reads before it is written: a tenth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False


def tensors(device, *arrays):
    return [torch.from_numpy(a).to(device) for a in arrays]


def array(tensor):
    return tensor.detach().float().cpu().numpy()
