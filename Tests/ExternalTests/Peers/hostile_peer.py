"""A peer that breaks the protocol in a way of its own for every number it is given, deterministically."""

import json
import os
import random
import signal
import sys
import time

number = int(sys.argv[1])
luck = random.Random(number)
ways = [
    "bytes", "lines", "half-exit", "half-silent", "shape", "huge", "endless-line", "not-finite", "silence", "flood",
    "flood-answer", "cut", "signal", "fork-exit", "fork-hold", "daemon", "close-in", "close-out", "surplus", "deaf",
    "early", "odd-json", "other-id", "trickle", "endless-payload", "fork-storm",
]
way = ways[number % len(ways)]
at_hello = luck.random() < 0.4
shape = [3, 8, 8]
count = 192


def out(data):
    """All of it, past every buffer."""
    while data:
        data = data[os.write(1, data):]


def rest(seconds=1000):
    time.sleep(seconds)
    os._exit(0)


def whole(header, payload=b""):
    return json.dumps(header).encode() + b"\n" + payload


def hello(request):
    return whole({
        "locus": 1, "id": request["id"], "name": "hostile", "identity": "none", "device": "cpu", "shape": shape,
        "conditioner": {"grid": 2}, "noise": {"convention": "sigma"}, "batch": 64, "can": [], "arrays": []})


def good(request):
    if request["ask"] == "hello":
        return hello(request)
    batch = request["arrays"][0]["shape"][0]
    return whole(
        {"locus": 1, "id": request["id"], "arrays": [{"name": "denoised", "shape": [batch] + shape}]},
        b"\0" * (4 * count * batch))


def misbehave(request):
    right = good(request)
    cut = luck.randrange(len(right))
    if way == "bytes":
        out(luck.randbytes(luck.randrange(1, 100000)))
        if luck.random() < 0.5:
            rest()
        os._exit(luck.randrange(256))
    if way == "lines":
        out(b"".join(luck.randbytes(luck.randrange(1, 80)) + b"\n" for _ in range(100)))
        rest()
    if way in ("half-exit", "cut"):
        out(right[:cut])
        os._exit(luck.randrange(256))
    if way == "half-silent":
        out(right[:cut])
        rest()
    if way in ("shape", "huge"):
        n = luck.choice([0, -1, 1, 3, 2**31, 2**62, 2**63 - 1, 1e300, "3", None, [3]])
        if way == "shape":
            n = luck.randrange(1, 100)
        dimensions = luck.choice([[n], [n, 8, 8], [n] * 3, [n] * 8, [[n]], n, []])
        header = json.loads(right.split(b"\n", 1)[0])
        if request["ask"] == "hello":
            header[luck.choice(["shape", "picture", "batch", "conditioner", "pixel_reach"])] = dimensions
            header["features"] = [{"name": "f", "shape": dimensions}]
        else:
            header["arrays"] = [{"name": "denoised", "shape": dimensions}] * luck.choice([1, 1, 2, 1000])
        out(whole(header, b"\0" * 1000))
        rest()
    if way == "endless-line":
        while True:
            out(b"{" * 65536)
    if way == "endless-payload":
        out(right)
        while True:
            out(b"\0" * 65536)
    if way == "not-finite":
        bad = luck.choice([b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff", b"\xff" * 4])
        if request["ask"] == "hello":
            out(right.replace(b'"sigma"', b'"sigma", "low": NaN, "high": Infinity'))
        else:
            place = 4 * luck.randrange(count)
            begin = len(right) - 4 * count + place
            out(right[:begin] + bad + right[begin + 4:])
        return
    if way == "silence":
        rest()
    if way == "flood":
        while True:
            os.write(2, luck.randbytes(4096))
    if way == "flood-answer":
        os.write(2, b"w" * luck.randrange(1, 2000000))
        out(right)
        return
    if way == "signal":
        out(right[:cut])
        os.kill(os.getpid(), luck.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM]))
        rest()
    if way == "fork-exit":
        if os.fork():
            os._exit(0)
        rest()
    if way == "fork-hold":
        if os.fork():
            out(right)
            os._exit(0)
        rest()
    if way == "daemon":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for end in (0, 1, 2):
                    os.close(end)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                rest()
            os._exit(0)
        out(right[:cut])
        os._exit(1)
    if way == "fork-storm":
        for _ in range(4):
            if os.fork() == 0 and luck.random() < 0.5:
                os.setsid()
        out(right[:cut])
        rest()
    if way == "close-in":
        os.close(0)
        rest()
    if way == "close-out":
        os.close(1)
        rest()
    if way == "surplus":
        out(right + luck.randbytes(luck.randrange(1, 300000)))
        rest()
    if way == "deaf":
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        rest()
    if way == "odd-json":
        header = luck.choice([
            b"[" * 100000, b'{"a":' * 5000, b"\xff\xfe\0\0", b"null", b"1e999999", b'"' + b"\\u0000" * 5000 + b'"',
            b"{}", b"[]", b'{"locus": 1}', b'{"locus": "1", "id": 0}', b'{"locus": 2, "id": 0, "arrays": []}',
            b'{"locus": 1, "id": 1e400, "arrays": 3}', b'{"locus": 1, "id": 0, "error": 7}', b"",
            b'{"locus": 1, "id": 0, "error": "' + b"x" * 60000 + b'"}', b'{"locus": 1, "locus": 1, "id": 0}',
        ])
        out(header + b"\n")
        rest()
    if way == "other-id":
        header, payload = right.split(b"\n", 1)
        header = json.loads(header)
        header["id"] = luck.choice([request["id"] + 1, -1, 2**63 - 1, "1", None, 0.5])
        out(whole(header, payload))
        rest()
    if way == "trickle":
        for i in range(len(right)):
            out(right[i:i + 1])
            time.sleep(0.05)
        return
    out(right)


if way == "early" and at_hello:
    out(good({"ask": "hello", "id": 0}))
while True:
    line = sys.stdin.buffer.readline()
    if not line:
        os._exit(0)
    request = json.loads(line)
    if request["ask"] != "hello" and way in ("early", "deaf"):
        # Without a look at what follows.
        misbehave(request)
        rest()
    for array in request["arrays"]:
        size = 4
        for n in array["shape"]:
            size *= n
        sys.stdin.buffer.read(size)
    if (request["ask"] == "hello") == at_hello:
        misbehave(request)
    else:
        out(good(request))
