"""Checks toolset documents with the real HolmesGPT loader and its real endpoint checks.

Usage: check.py DIR          every folder in DIR with a custom_toolset.yaml is a case
       check.py --self-test  proves that broken documents are caught

A case holds
  custom_toolset.yaml  the document, loaded as it is, byte for byte
  expect.yaml          all optional:
                         env:       {NAME: value} for HolmesGPT's environment
                         toolsets:  {name: enabled|failed|disabled}, default: what the document says
                         instances: {toolset: {instance: healthy|failed}}, default: healthy
                         rejected:  a text in the error with which the whole file is refused
                         calls:     {toolset: {url: text in the error of a GET by its tool, "" for none}}, HTTP toolsets only
                         reads:     {text: how often it stands in the agent's system prompt}
                         price:     true to write tokens.json, what each toolset costs: {toolset: tokens}
  hosts.yaml           DNS name, or name:port, to the loopback address, or address:port, that stands in for it
One line per case; exit status 1 if any fails.
"""

import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import tempfile
import time
from pathlib import Path

import yaml

import case

SECONDS_PER_CASE = 180
FORK = multiprocessing.get_context("fork")


def environment(directory: Path, home: str) -> dict[str, str]:
    """All that HolmesGPT sees of the environment."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": home,
        "KUBECONFIG": "/dev/null",
        "HOLMES_CONFIGPATH_DIR": home,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "TIKTOKEN_CACHE_DIR": os.environ.get("TIKTOKEN_CACHE_DIR", ""),  # litellm's own, so that nothing is fetched
        "CUSTOM_TOOLSET_LOCATION": str(directory / "custom_toolset.yaml"),
        **{k: str(v) for k, v in (case.read(directory / "expect.yaml").get("env") or {}).items()},
    }


def run_case(directory: Path, home: str) -> None:
    """The body of a case's process: leaves result.json, and what HolmesGPT printed, in home."""
    output = os.open(os.path.join(home, "output"), os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    env = environment(directory, home)
    os.environ.clear()
    os.environ.update(env)
    Path(home, "result.json").write_text(json.dumps(case.verify(directory)))
    os._exit(0)  # a check that still hangs on its connection must not keep the process


def collect(process: multiprocessing.Process, home: str, started: float) -> dict:
    seconds = {"seconds": time.monotonic() - started}
    result = Path(home, "result.json")
    if process.is_alive():
        process.kill()
        process.join()
        return {"problems": [f"not done after {SECONDS_PER_CASE} s"], **seconds}
    if process.exitcode != 0 or not result.exists():
        tail = Path(home, "output").read_text(errors="replace").strip().splitlines()[-3:]
        return {"problems": ["the check itself failed: " + "; ".join(tail)], **seconds}
    return {**json.loads(result.read_text()), **seconds}


def run_all(cases: list[Path]) -> list[dict]:
    """The outcome of each case, each run in a process of its own, as many at a time as there are processors."""
    case.preload()
    results: dict[Path, dict] = {}
    running: dict[Path, tuple] = {}
    waiting = list(cases)
    with tempfile.TemporaryDirectory() as scratch:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 2):
                directory = waiting.pop(0)
                home = tempfile.mkdtemp(dir=scratch)
                process = FORK.Process(target=run_case, args=(directory, home))
                process.start()
                running[directory] = (process, home, time.monotonic())
            multiprocessing.connection.wait([p.sentinel for p, _, _ in running.values()], timeout=1)
            for directory, (process, home, started) in list(running.items()):
                process.join(0)
                if not process.is_alive() or time.monotonic() - started > SECONDS_PER_CASE:
                    results[directory] = collect(process, home, started)
                    del running[directory]
    return [results[c] for c in cases]


def report(case: Path, result: dict) -> bool:
    if result["problems"]:
        print(f"FAIL {case.name} ({result['seconds']:.1f} s): " + "; ".join(result["problems"]).replace("\n", " "))
        return False
    print(f"ok   {case.name} ({result['toolsets']} toolsets, {result['instances']} instances, {result['seconds']:.1f} s)")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        import selftest

        return selftest.main(run_all)
    if args.directory is None:
        parser.error("a directory of cases is wanted, or --self-test")
    cases = sorted(p.parent for p in args.directory.resolve().glob("*/custom_toolset.yaml"))
    if not cases:
        print(f"no cases in {args.directory}: no folder there has a custom_toolset.yaml", file=sys.stderr)
        return 1
    passed = [report(case, result) for case, result in zip(cases, run_all(cases))]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
