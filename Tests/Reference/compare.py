#!/usr/bin/env python3
"""Speed of Locus beside PyTorch at its best on the same networks, alternating, in one run: the table in README.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch safetensors numpy
    swift build -c release
    Tests/Reference/compare.py --python /tmp/torch/bin/python --locus .build/release/locus [--alternations 3]

For each network and alternation: `locus bench`, then PyTorch eager with channels last, compiled, and compiled with channels last.
Speeds are medians over the alternations, PyTorch's those of its fastest configuration; a share is of the
1024^3 sgemm that the same process measured. A ratio compares the medians; beside it the least and the largest
ratio of one alternation.
"""
import argparse, json, pathlib, statistics, subprocess

ROWS = [
    ("unet", 32, "group"),
    ("unet", 16, "pixel"),
    ("local", 32, "group"),
]
CONFIGURATIONS = {
    "channels last": ["--channels-last"], "compile": ["--compile"],
    "compile, channels last": ["--compile", "--channels-last"],
}
HERE = pathlib.Path(__file__).parent


def run(words):
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return json.loads(text.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="python3")
    parser.add_argument("--locus", default=".build/release/locus")
    parser.add_argument("--alternations", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    print("| network | pass | Locus, pictures/s (share of sgemm) | PyTorch's best (share, configuration) | ratio [least, largest] |")
    print("| --- | --- | --- | --- | --- |")
    for network, width, normalization in ROWS:
        words = ["--network", network, "--width", str(width), "--normalization", normalization,
                 "--threads", str(a.threads)]
        ours, theirs = [], {name: [] for name in CONFIGURATIONS}
        for _ in range(a.alternations):
            ours.append(run([a.locus, "bench", "--json"] + words))
            for name, options in CONFIGURATIONS.items():
                theirs[name].append(run([a.python, str(HERE / "locus_torch.py"), "bench"] + words + options))
        gflop = ours[0]["forward_gflop"]
        for key, passes in (("train_images_per_second", 3), ("denoise_images_per_second", 1)):
            def median(runs): return statistics.median(r[key] for r in runs)
            def share(runs): return 100 * statistics.median(r[key] * gflop * passes / r["sgemm_gflops"] for r in runs)
            best = max(theirs, key=lambda name: median(theirs[name]))
            ratios = [mine[key] / max(theirs[name][i][key] for name in theirs) for i, mine in enumerate(ours)]
            label = f"`{network}` w{width}" + (f", {normalization} norm" if network == "unet" else "")
            print(f"| {label} | {'train' if passes == 3 else 'denoise'} | {median(ours):.0f} ({share(ours):.0f} %) "
                  f"| {median(theirs[best]):.0f} ({share(theirs[best]):.0f} %, {best}) "
                  f"| {median(ours) / median(theirs[best]):.2f} [{min(ratios):.2f}, {max(ratios):.2f}] |", flush=True)
        memory = [r["peak_rss_mib"] for r in ours]
        peer = min(r["peak_rss_mib"] for runs in theirs.values() for r in runs)
        sgemm = [r["sgemm_gflops"] for r in ours]
        print(f"| | peak memory | {max(memory)} MiB | {peer} MiB at the least | {max(memory) / peer:.2f} |", flush=True)
        print(f"| | sgemm 1024³ | {statistics.median(sgemm):.0f} GFLOPS "
              f"({min(sgemm):.0f} to {max(sgemm):.0f}) | | |", flush=True)


if __name__ == "__main__":
    main()
