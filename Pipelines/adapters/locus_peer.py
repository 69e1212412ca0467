"""The peer's side of Locus' protocol to models that live elsewhere (Sources/External/README.md), for NumPy arrays.

    from locus_peer import identity, serve
    serve(dict(name="mine", identity=identity(__file__, "weights.pt"), device="cpu", shape=[3, 32, 32],
               conditioner={"grid": 16}, noise={"convention": "sigma", "low": 0.002, "high": 80}),
          denoise=lambda x, level, labels: ...)
"""

import hashlib
import json
import os
import platform
import sys

import numpy as np

VERSION = 1


def identity(*files, **libraries):
    """A text that changes with the content of files and the versions of libraries.

    files: paths of files or folders; a folder stands for all that lies in it and below.
    """
    digest = hashlib.sha256()
    for path in files:
        below = sorted(os.path.join(at, name) for at, _, names in os.walk(path) for name in names) or [path]
        for name in below:
            with open(name, "rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest() if hasattr(hashlib, "file_digest")
                              else hashlib.sha256(file.read()).digest())
    versions = dict(python=platform.python_version(), numpy=np.__version__, **libraries)
    return digest.hexdigest()[:32] + " " + " ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def noise_of(arguments):
    """The member `noise` of a hello, from the arguments that `add_arguments` declares."""
    if arguments.alphas:
        alphas = [float(a) for a in np.load(arguments.alphas)]
        return {"convention": "schedule", "alphas": alphas, "predicts": arguments.predicts}
    return {"convention": "sigma", "low": arguments.low, "high": arguments.high}


def conditioner_of(arguments):
    if arguments.words:
        return {"set": arguments.words.split(",")}
    return {"vector": arguments.vector} if arguments.vector is not None else {"grid": arguments.cells}


def trial(hello):
    """Inputs of one picture, told nothing: to see what comes."""
    told = hello["conditioner"]
    entries = told.get("vector", told.get("grid", 0) ** 2 or len(told.get("set", [])))
    return np.zeros([1] + hello["shape"], "f4"), np.ones(1, "f4"), np.zeros([1, entries], "f4")


def add_arguments(parser):
    """What every adapter has to be told of a model, whose file does not say it."""
    parser.add_argument("--shape", default="3,32,32", help="channels, height, width (default %(default)s)")
    parser.add_argument("--cells", type=int, default=16, help="conditioners are counts in CELLS x CELLS cells")
    parser.add_argument("--words", help="... or entries of these words, with commas between")
    parser.add_argument("--vector", type=int, help="... or so many numbers")
    parser.add_argument("--low", type=float, default=0.002, help="the lowest noise level (default %(default)s)")
    parser.add_argument("--high", type=float, default=80, help="the highest noise level (default %(default)s)")
    parser.add_argument("--alphas", help=".npy of the products alpha-bar of a schedule: the model takes a time")
    parser.add_argument("--predicts", choices=["epsilon", "v", "sample"], default="epsilon",
                        help="... and gives this (default %(default)s)")
    parser.add_argument("--endpoint", action="store_true",
                        help="what comes is like a sample and no mean, as of a consistency model of one step")
    parser.add_argument("--batch", type=int, default=64, help="pictures at a time (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads to compute on (default %(default)s)")


def serve(hello, denoise, vjp=None, features=None, encode=None, decode=None):
    """Answers requests until there are no more.

    denoise(x, level, labels): x (N, C, H, W), level (N) sigma or time, labels (N, entries) -> like x.
    vjp(x, level, labels, cotangent) -> the gradients (like x, like labels).
    features(x, level, labels, names) -> a dict of arrays by name, N first.
    """
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    # What libraries print would stand among the answers.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    offered = dict(vjp=vjp, features=features, encode=encode, decode=decode)
    hello = dict(hello, can=[name for name, function in offered.items() if function])

    def answer(request, arrays, **members):
        arrays = [(name, np.ascontiguousarray(values, dtype="<f4")) for name, values in arrays]
        header = dict(members, locus=VERSION, id=request["id"],
                      arrays=[dict(name=name, shape=list(values.shape)) for name, values in arrays])
        target.write(json.dumps(header).encode() + b"\n")
        for _, values in arrays:
            target.write(values.data)
        target.flush()

    while True:
        line = source.readline()
        if not line:
            # Past whatever an exit might still want to do.
            os._exit(0)
        request = json.loads(line)
        given = {}
        for array in request["arrays"]:
            count = int(np.prod(array["shape"], dtype=np.int64))
            values = np.empty(count, dtype="<f4")
            if source.readinto(values) < 4 * count:
                os._exit(1)
            given[array["name"]] = values.reshape(array["shape"])
        inputs = [given.get("x"), given.get("sigma", given.get("time")), given.get("labels")]
        try:
            if request["ask"] == "hello":
                answer(request, [], **hello)
            elif request["ask"] == "denoise":
                answer(request, [("denoised", denoise(*inputs))])
            elif request["ask"] == "vjp" and vjp:
                dx, dlabels = vjp(*inputs, given["cotangent"])
                answer(request, [("x", dx), ("labels", dlabels)])
            elif request["ask"] == "features" and features:
                found = features(*inputs, request["features"])
                answer(request, [(name, found[name]) for name in request["features"]])
            elif request["ask"] == "encode" and encode:
                answer(request, [("encoded", encode(given["x"]))])
            elif request["ask"] == "decode" and decode:
                answer(request, [("decoded", decode(given["x"]))])
            else:
                answer(request, [], error=f"there is no `{request['ask']}` here")
        except (MemoryError, RuntimeError) as error:
            # Such as a device without memory; the traceback goes where people look.
            import traceback
            traceback.print_exc()
            answer(request, [], error=f"{type(error).__name__}: {error}"[:2000])
