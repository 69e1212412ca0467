"""A model of a few lines that follows the protocol, and leaves it where it is told to.

F_i = 0.5 x_i + 0.25 x_(i+1) + 0.1 sum_j (j + 1) c_j + 0.01 level, i over a picture's values, the last before the
first. Plain Python: the tests need no packages.
"""

import array
import json
import os
import sys
import time

options = dict(word.split("=", 1) if "=" in word else (word, "") for word in sys.argv[1:])
shape = [int(n) for n in options.get("shape", "3,8,8").split(",")]
count = shape[0] * shape[1] * shape[2]
conditioner = json.loads(options.get("conditioner", '{"grid": 2}'))
entries = conditioner.get("vector", conditioner.get("grid", 0) ** 2 or len(conditioner.get("set", [])))
source, target = sys.stdin.buffer, sys.stdout.buffer


def once(name):
    """Whether the file of this name was not there yet."""
    if name not in options:
        return False
    try:
        os.close(os.open(options[name], os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def floats(shape):
    size = 4
    for n in shape:
        size *= n
    values = array.array("f")
    values.frombytes(source.read(size))
    return values


def answer(request, arrays, **members):
    header = {"locus": 1, "id": request["id"], **members}
    header["arrays"] = [{"name": name, "shape": shape} for name, shape, _ in arrays]
    target.write(json.dumps(header).encode() + b"\n")
    for _, _, values in arrays:
        target.write(values.tobytes())
    target.flush()


def forward(x, level, labels):
    told = 0.1 * sum((j + 1) * c for j, c in enumerate(labels)) + 0.01 * level
    return [0.5 * x[i] + 0.25 * x[(i + 1) % count] + told for i in range(count)]


def denoise(given):
    result = array.array("f")
    for n, level in enumerate(given.get("sigma", given.get("time"))):
        result.extend(
            forward(given["x"][n * count:(n + 1) * count], level, given["labels"][n * entries:(n + 1) * entries]))
    return result


alphas = [0.9999 * (1 - i / 12) for i in range(12)]
hello = {
    "name": "plain", "identity": options.get("identity", "plain 1"), "device": "cpu", "shape": shape,
    "conditioner": conditioner, "batch": int(options.get("batch", 64)),
    "noise": {"convention": "schedule", "alphas": alphas, "predicts": options["predicts"]}
    if "predicts" in options else {"convention": "sigma", "low": 0.002, "high": 80},
    "can": options.get("can", "vjp,features,encode,decode").split(","),
    "features": [{"name": "mean", "shape": [1]}, {"name": "rows", "shape": shape[:2]}],
    "picture": [shape[0], shape[1], shape[2]], "gives": options.get("gives", "mean"),
}
if os.path.exists(options.get("second", "")):
    hello["identity"] = "another one"

while True:
    line = source.readline()
    if not line:
        break
    request = json.loads(line)
    given = {a["name"]: floats(a["shape"]) for a in request["arrays"]}
    if "stderr" in options:
        sys.stderr.write(("w" * 99 + "\n") * int(options["stderr"]))
        sys.stderr.flush()
    if request["ask"] == "hello":
        answer(request, [], **hello)
        continue
    if once("crash") or "always" in options:
        sys.stderr.write("the last words\n")
        sys.stderr.flush()
        target.write(b'{"locus": 1, "id"')
        target.flush()
        os._exit(3)
    if "silent" in options:
        time.sleep(1000)
    if "slow" in options and request["ask"] != "hello":
        time.sleep(float(options["slow"]))
    batch = request["arrays"][0]["shape"][0]
    if request["ask"] == "denoise":
        result = denoise(given)
        if "noise" in options:
            result[0] += 0.001 * (time.time() % 1)
        if "nan" in options and batch > 1:
            result[count + 1] = float("nan")
        if "long" in options:
            answer(request, [("denoised", [batch] + shape, result)])
            target.write(b"more")
            target.flush()
            continue
        if "refuse" in options:
            answer(request, [], error="no memory\nleft")
            continue
        answer(request, [("denoised", [batch] + shape, result)])
    elif request["ask"] == "vjp":
        dx, dlabels = array.array("f"), array.array("f")
        for n in range(batch):
            v = given["cotangent"][n * count:(n + 1) * count]
            dx.extend(0.5 * v[i] + 0.25 * v[i - 1] for i in range(count))
            dlabels.extend(0.1 * (j + 1) * sum(v) for j in range(entries))
        answer(request, [("x", [batch] + shape, dx), ("labels", [batch, entries], dlabels)])
    elif request["ask"] == "features":
        found = {"mean": array.array("f"), "rows": array.array("f")}
        for n in range(batch):
            x = given["x"][n * count:(n + 1) * count]
            found["mean"].append(sum(x) / count)
            for row in range(shape[0] * shape[1]):
                found["rows"].append(sum(x[row * shape[2]:(row + 1) * shape[2]]))
            if "told" in options:
                # Each word has a value of its own.
                for j in range(entries):
                    for channel in range(shape[0]):
                        place = len(found["rows"]) - shape[0] * shape[1] + channel * shape[1] + j
                        found["rows"][place] += 2 * given["labels"][n * entries + j]
        answer(
            request,
            [(name, [batch] + ([1] if name == "mean" else shape[:2]), found[name]) for name in request["features"]])
    else:
        values = array.array("f", (v * (2 if request["ask"] == "decode" else 0.5) for v in given["x"]))
        answer(request, [(request["ask"] + "d", [batch] + shape, values)])
