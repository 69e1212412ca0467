"""A denoiser in an ONNX file as a peer of Locus, computed by onnxruntime.

    onnx_denoiser.py model.onnx --x noisy --sigma sigma --labels difficulty --shape 1,128,128 --vector 1

The names are those of the graph's inputs; its first output, or --output, is D(x, sigma, labels). An ONNX graph has no
gradients: Locus takes differences. --features tells tensors that the graph has on its way; they are computed by a
session of their own, so that D is the same with and without.
"""

import argparse
import difflib
import os

import numpy as np
import onnxruntime

import onnx_graph
from locus_peer import add_arguments, conditioner_of, identity, noise_of, serve, trial

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model", help="an ONNX file")
parser.add_argument("--x", default="x", help="the input that takes noised pictures (default %(default)s)")
parser.add_argument("--sigma", default="sigma", help="... the noise level or the time (default %(default)s)")
parser.add_argument("--labels", default="labels", help="... the conditioners; none where it is empty (default %(default)s)")
parser.add_argument("--output", help="the output that is taken; the first one when it is missing")
parser.add_argument("--features", default="", help="names of what nodes of the graph give, with commas between")
add_arguments(parser)
arguments = parser.parse_args()

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = arguments.threads
options.inter_op_num_threads = 1
# Not whatever else there is: some send pictures to another machine.
providers = [name for name in ("CUDAExecutionProvider", "ROCMExecutionProvider", "CPUExecutionProvider")
             if name in onnxruntime.get_available_providers()]
session = onnxruntime.InferenceSession(arguments.model, options, providers=providers)
kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
declared = {i.name: i for i in session.get_inputs()}
given = [name for name in (arguments.x, arguments.sigma, arguments.labels) if name]
if sorted(given) != sorted(declared):
    raise SystemExit(f"the graph has the inputs {', '.join(sorted(declared))}; given are {', '.join(sorted(given))}")


def shaped(name, values):
    """In the type and the number of dimensions that the graph declares: sigma (N) or (N, 1, 1, 1)."""
    values = values.astype(kinds[declared[name].type])
    missing = len(declared[name].shape) - values.ndim
    if missing < 0 and all(n == 1 for n in values.shape[missing:]):
        return values.reshape(values.shape[:missing])
    return values.reshape(values.shape + (1,) * missing)


# A graph that was exported for one picture takes one at a time.
batch = declared[arguments.x].shape[0]
batch = min(arguments.batch, batch) if isinstance(batch, int) else arguments.batch


def run(session, outputs, x, level, labels):
    inputs = {arguments.x: shaped(arguments.x, x), arguments.sigma: shaped(arguments.sigma, level)}
    if arguments.labels:
        inputs[arguments.labels] = shaped(arguments.labels, labels)
    return session.run(outputs, inputs)


def denoise(*given):
    return run(session, [arguments.output or session.get_outputs()[0].name], *given)[0]


def telling(names):
    """A session that gives tensors of the graph."""
    with open(arguments.model, "rb") as file:
        model = file.read()
    there = onnx_graph.tensors(model)
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, 5, 0) or there[:5]
            raise SystemExit(f"no node of the graph gives '{name}'; accepted: {', '.join(near)} and others, {len(there)} in all")
    return onnxruntime.InferenceSession(onnx_graph.telling(model, names), options, providers=providers)


def activations(x, level, labels, names):
    return dict(zip(names, run(looked, names, x, level, labels)))


hello = dict(
    name=os.path.basename(arguments.model), device=session.get_providers()[0],
    identity=identity(__file__, arguments.model, onnxruntime=onnxruntime.__version__, threads=arguments.threads),
    shape=[int(n) for n in arguments.shape.split(",")], conditioner=conditioner_of(arguments),
    noise=noise_of(arguments), batch=batch, gives="endpoint" if arguments.endpoint else "mean")
names = [name for name in arguments.features.split(",") if name]
if names:
    looked = telling(names)
    tried = activations(*trial(hello), names)
    hello["features"] = [dict(name=name, shape=list(tried[name].shape[1:])) for name in names]
serve(hello, denoise, features=activations if names else None)
