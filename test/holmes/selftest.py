"""Broken documents that the check must catch, each with what it must say, and good ones that it must pass."""

import http.server
import json
import multiprocessing
import tempfile
from pathlib import Path

import yaml

HOST = "prometheus.demo.svc.cluster.local"


class Prometheus(http.server.BaseHTTPRequestHandler):
    """As much of Prometheus as HolmesGPT asks for; below /html, a page that answers anything with 200."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/html/"):
            self.answer(200, "<!doctype html><p>Welcome")
        elif path in ("/api/v1/query", "/api/v1/labels"):
            self.answer(200, json.dumps({"status": "success", "data": ["job"]}))
        elif path == "/-/healthy":
            self.answer(200, "healthy")
        else:
            self.answer(404, "404 page not found")

    do_POST = do_GET

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args) -> None:
        pass


def prometheus(*instances: dict, **entry) -> dict:
    return {"toolsets": {"prometheus/metrics": {"enabled": True, "config": {"instances": list(instances)}, **entry}}}


def http_toolset(url: str, **endpoint) -> dict:
    return {
        "type": "http", "enabled": True, "description": "d",
        "config": {"endpoints": [{"hosts": [url], "paths": ["/*"], "methods": ["GET"], **endpoint}]},
    }


def cases(port: int, dead: int) -> list[tuple]:
    """(name, document, expect.yaml, text the check must report or '' to pass)"""
    url, gone = f"http://{HOST}:{port}", f"http://127.0.0.1:{dead}"
    good = {"name": "demo/prometheus", "prometheus_url": url}
    down = {"name": "demo/down", "prometheus_url": gone}
    secret = {**good, "additional_headers": {"Authorization": "Bearer {{ env.PROMETHEUS_TOKEN }}"}}
    healthy = http_toolset(url, health_check_url=url + "/-/healthy")
    marker = {"generation/1": {"enabled": False, "description": "d", "tools": []}}
    return [
        ("good", {"toolsets": {**prometheus(good)["toolsets"], "custom/prom": healthy, **marker, "kubernetes/core": {"enabled": True}}}, {}, ""),
        ("variable-set", prometheus(secret), {"env": {"PROMETHEUS_TOKEN": "x"}}, ""),
        ("expected-to-fail", prometheus(good, down), {"instances": {"prometheus/metrics": {"demo/down": "failed"}}}, ""),
        ("expected-to-be-rejected", {"toolsets": {}}, {"rejected": "No 'toolsets' or 'mcp_servers'"}, ""),
        ("empty-file", None, {}, "rejects the whole file"),
        ("empty-toolsets", {"toolsets": {}}, {}, "rejects the whole file"),
        ("null-servers", {**prometheus(good), "mcp_servers": None}, {}, "rejects the whole file"),
        ("dotted-key", prometheus({**good, "additional_headers": {"a.b": "c"}}), {}, "keypath separator"),
        ("missing-variable", prometheus(secret), {}, "PROMETHEUS_TOKEN does not exist"),
        ("misspelt-field", prometheus({**good, "aditional_headers": {"A": "b"}}), {}, "aditional_headers: HolmesGPT knows no such field"),
        ("misspelt-nested-field", {"toolsets": {"custom/a": http_toolset(url, helth_check_url=url)}}, {}, "helth_check_url: HolmesGPT knows no such field"),
        ("unknown-entry-field", prometheus(good, summary="x"), {}, "Extra inputs are not permitted"),
        ("not-enabled", prometheus(good, enabled=False), {"toolsets": {"prometheus/metrics": "enabled"}}, "is disabled, want enabled"),
        ("dead-endpoint", prometheus(down), {}, "is failed, want enabled"),
        ("dead-instance", prometheus(good, down), {}, "instance demo/down is failed, want healthy"),
        ("dead-grafana", {"toolsets": {"grafana/dashboards": {"enabled": True, "config": {"instances": [{"name": "demo/grafana", "api_url": gone}]}}}}, {}, "grafana_get_dashboard_tags fails"),
        ("dead-server", {"mcp_servers": {"mcp/demo/a": {"description": "d", "config": {"url": gone + "/mcp", "mode": "streamable-http"}}}}, {}, "is failed, want enabled"),
        ("wrong-path", prometheus({**good, "prometheus_url": url + "/prometheus"}), {}, "HTTP 404"),
        ("wrong-identity", prometheus({**good, "prometheus_url": url + "/html"}), {}, "get_all_labels fails"),
        ("duplicate-instance", prometheus(good, good), {}, "Duplicate instance name"),
        ("unknown-host", prometheus({**good, "prometheus_url": "http://other.demo.svc.cluster.local:80"}), {}, "is failed, want enabled"),
        ("same-tool", {"toolsets": {"custom/a-b": healthy, "custom/a/b": healthy}}, {}, "is replaced by that of"),
        ("long-tool", {"toolsets": {"custom/" + "a" * 60: healthy}}, {}, "no model accepts the tool name"),
    ]


def main(run_all) -> int:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prometheus)
    with http.server.HTTPServer(("127.0.0.1", 0), Prometheus) as unused:
        dead = unused.server_port  # free again once closed
    # A process, not a thread: the cases are forked, and a fork of a process with threads may hang.
    serving = multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True)
    serving.start()
    table = cases(server.server_port, dead)
    with tempfile.TemporaryDirectory() as root:
        directories = []
        for name, document, expect, _ in table:
            directory = Path(root, name)
            directory.mkdir()
            (directory / "custom_toolset.yaml").write_text("" if document is None else yaml.safe_dump(document))
            (directory / "expect.yaml").write_text(yaml.safe_dump(expect))
            (directory / "hosts.yaml").write_text(yaml.safe_dump({HOST: "127.0.0.1"}))
            directories.append(directory)
        results = run_all(directories)
    serving.terminate()
    failed = 0
    for (name, _, _, want), result in zip(table, results):
        text = "; ".join(result["problems"])
        right = (want in text and text != "") if want else text == ""
        failed += not right
        said = f"caught: {want}" if right and want else text[:400].replace("\n", " ") or "passed"
        print(f"{'ok  ' if right else 'FAIL'} {name}: {said}")
    return 1 if failed else 0
