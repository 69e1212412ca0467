"""A denoiser of PyTorch as a peer of Locus.

    torch_denoiser.py model.pt                      a TorchScript file: forward(x, sigma, labels) -> D
    torch_denoiser.py model.py --argument WEIGHTS   a Python file with load(argument, device) -> a module, or any
                                                    function of tensors; a dict `hello` in it says what the flags say,
                                                    one `submodules` what names of --features stand for

x (N, C, H, W), sigma (N), labels (N, entries). With --alphas the second one is a time, and what comes is what
--predicts says.
"""

import argparse
import importlib.util
import os

import torch

from locus_peer import add_arguments, conditioner_of, identity, noise_of, serve, trial
from locus_tensors import array, deterministic, tensors

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model", help="a TorchScript file, or a Python file with `load`")
parser.add_argument("--argument", default="", help="what `load` gets: a file of weights")
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
parser.add_argument("--features", default="", help="names of submodules, with commas between")
add_arguments(parser)
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
deterministic()
device = torch.device(arguments.device)
said, submodules = {}, {}
if arguments.model.endswith(".py"):
    specification = importlib.util.spec_from_file_location("model", arguments.model)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    model = module.load(arguments.argument, device)
    said, submodules = getattr(module, "hello", {}), getattr(module, "submodules", {})
else:
    model = torch.jit.load(arguments.model, map_location=device)
if isinstance(model, torch.nn.Module):
    model.eval().requires_grad_(False)


def denoise(x, level, labels):
    with torch.inference_mode():
        return array(model(*tensors(device, x, level, labels)))


def vjp(x, level, labels, cotangent):
    x, level, labels, cotangent = tensors(device, x, level, labels, cotangent)
    x.requires_grad_(True)
    labels.requires_grad_(True)
    with torch.enable_grad():
        out = model(x, level, labels)
        dx, dlabels = torch.autograd.grad(out, [x, labels], cotangent.to(out.dtype), allow_unused=True)
    return array(dx), array(torch.zeros_like(labels) if dlabels is None else dlabels)


def activations(x, level, labels, names):
    """What submodules give, caught on the way."""
    found, hooks = {}, []
    for name in names:
        def keep(_, __, output, name=name):
            found[name] = array(output)
        hooks.append(model.get_submodule(submodules.get(name, name)).register_forward_hook(keep))
    try:
        denoise(x, level, labels)
    finally:
        for hook in hooks:
            hook.remove()
    return found


hello = dict(
    name=os.path.basename(arguments.model), device=str(device), batch=arguments.batch,
    shape=[int(n) for n in arguments.shape.split(",")], conditioner=conditioner_of(arguments), noise=noise_of(arguments),
    gives="endpoint" if arguments.endpoint else "mean")
hello.update(said)
names = [name for name in arguments.features.split(",") if name]
if names:
    there = dict(model.named_modules()) if isinstance(model, torch.nn.Module) else {}
    for name in names:
        if submodules.get(name, name) not in there:
            accepted = ", ".join(list(submodules) or [found for found in there if found]) or "none"
            raise SystemExit(f"the model has no submodule '{name}'; accepted: {accepted}")
    tried = activations(*trial(hello), names)
    hello["features"] = [dict(name=name, shape=list(tried[name].shape[1:])) for name in names]
files = [name for name in [__file__, arguments.model, arguments.argument] if os.path.exists(name)]
hello["identity"] = identity(*files, torch=torch.__version__, device=str(device), threads=arguments.threads)
serve(hello, denoise, vjp=vjp, features=activations if names else None)
