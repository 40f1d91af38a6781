"""Loads one document with HolmesGPT's own code and says what is wrong with the outcome.

HolmesGPT reads CUSTOM_TOOLSET_LOCATION when it is imported, so each case has a process of its own, with the environment
set before verify imports it. See check.py.
"""

import errno
import importlib
import json
import logging
import os
import re
import socket
import warnings
from pathlib import Path
from typing import Any, get_args

import yaml

TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")  # what the models' APIs accept

# A call of the agent's own tools for each kind of toolset. The checks HolmesGPT makes at load are lenient (Grafana's
# passes with the server down, Prometheus's with any page that answers 200), so being usable is asked for too.
CALLS = {
    "prometheus/metrics": ("get_all_labels", {}),
    "grafana/dashboards": ("grafana_get_dashboard_tags", {}),
    "grafana/loki": ("grafana_loki_query", {"query": '{job="check"}'}),
    "grafana/tempo": ("tempo_search_tag_names", {}),
    "elasticsearch/data": ("elasticsearch_list_indices", {}),
    "elasticsearch/cluster": ("elasticsearch_cluster_health", {}),
    "victorialogs": ("victorialogs_field_names", {"query": "*"}),
}


def preload() -> None:
    """Imports the slow part of what HolmesGPT needs, and nothing of HolmesGPT itself, to be shared by all cases."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched from the internet
    warnings.simplefilter("ignore")
    for name in ("benedict", "boto3", "kubernetes", "litellm", "mcp", "sqlalchemy", "supabase"):
        importlib.import_module(name)


def read(path: Path) -> dict:
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def reach_only(hosts: dict[str, str]) -> None:
    """The names of hosts, and loopback, are all this process may reach.

    hosts maps a name, or name:port, to a loopback address, or address:port. A name resolves to an address of its own,
    which is translated when it is connected to: some libraries keep the port of the URL whatever a name resolves to.
    """
    names = {f"127.77.{i // 250}.{i % 250 + 1}": name for i, name in enumerate(sorted({h.partition(":")[0] for h in hosts}))}
    addresses = {name: address for address, name in names.items()}
    resolve, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex

    def local(host: Any) -> bool:
        return host in (None, "localhost", "::1") or str(host).startswith("127.")

    def getaddrinfo(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if not local(name) and name not in addresses:
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is not in hosts.yaml")
        return resolve(addresses.get(name, host), *args, **kwargs)

    def translate(sock: socket.socket, address: Any) -> Any:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return address
        name, port = names.get(address[0]), address[1]
        if name is None:
            if not local(address[0]):
                raise OSError(errno.ENETUNREACH, f"{address[0]} is not on loopback")
            return address
        target = hosts.get(f"{name}:{port}", hosts.get(name))
        if target is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{name}:{port} is not in hosts.yaml")
        host, _, other = target.partition(":")
        return host, int(other) if other else port

    socket.getaddrinfo = getaddrinfo
    socket.socket.connect = lambda sock, address: connect(sock, translate(sock, address))
    socket.socket.connect_ex = lambda sock, address: connect_ex(sock, translate(sock, address))


def fields_of(models: list) -> dict[str, Any]:
    """Field name -> models nested in it, for all that any of the models knows."""
    fields: dict[str, Any] = {}
    for model in models:
        for name, field in model.model_fields.items():
            fields.setdefault(name, []).extend(nested(field.annotation))
        for old, new in getattr(model, "_deprecated_mappings", {}).items():
            if new is not None:  # None: still accepted, without effect
                fields.setdefault(old, [])
    return fields


def nested(annotation: Any) -> list:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in get_args(annotation) for model in nested(arg)]


def unknown_keys(config: Any, models: list, where: str) -> list[str]:
    """Keys that HolmesGPT would ignore without a word."""
    if isinstance(config, list):
        return [p for i, item in enumerate(config) for p in unknown_keys(item, models, f"{where}[{i}]")]
    if not isinstance(config, dict) or not models:
        return []
    fields = fields_of(models)
    problems = []
    for key, value in config.items():
        if key not in fields:
            problems.append(f"{where}.{key}: HolmesGPT knows no such field and ignores it")
        else:
            problems += unknown_keys(value, fields[key], f"{where}.{key}")
    return problems


def check_config(name: str, config: Any, toolset: Any) -> list[str]:
    if not isinstance(config, dict):
        return []
    models = list(type(toolset).config_classes)
    if not models and "ENV var" in str(toolset.error):
        return []  # it was not made at all
    if not models:
        return [f"{name}: has a config, but HolmesGPT knows no fields for it"]
    if "instances" not in config:
        return unknown_keys(config, models, f"{name}: config")
    problems = unknown_keys({k: v for k, v in config.items() if k != "instances"}, models, f"{name}: config")
    for entry in config["instances"]:
        fields = {k: v for k, v in entry.items() if k != "name"}
        problems += unknown_keys(fields, models, f"{name}: instance {entry.get('name')}")
    return problems


def check_instances(name: str, config: Any, toolset: Any, expected: dict[str, str]) -> list[str]:
    """Every instance is there, and healthy unless said otherwise."""
    if not isinstance(config, dict) or "instances" not in config:
        return []
    wanted = [entry["name"] for entry in config["instances"]]
    if len(wanted) > 1:
        health = {i["name"]: (i["healthy"], i["reason"]) for i in (toolset.meta or {}).get("instances", [])}
    else:  # HolmesGPT publishes meta.instances for several only: the toolset's status speaks for a single one
        health = {n: (toolset.status.value == "enabled", toolset.error) for n in wanted}
    problems = [f"{name}: instance {n} is not in the document" for n in health if n not in wanted]
    for n in wanted:
        healthy, reason = health.get(n, (False, "missing from meta.instances"))
        want = expected.get(n, "healthy")
        if healthy != (want == "healthy"):
            problems.append(f"{name}: instance {n} is {'healthy' if healthy else 'failed'}, want {want}: {reason}")
    return problems


def call(tool: Any, params: dict) -> str:
    """Calls a tool as the agent would; returns what went wrong, or ''."""
    from holmes.core.tools import StructuredToolResultStatus, ToolInvokeContext

    context = ToolInvokeContext.model_construct(
        tool_number=1, user_approved=True, llm=None, max_token_count=100_000, tool_call_id="1", tool_name=tool.name,
        session_approved_prefixes=[], request_context=None,
    )
    try:
        result = tool.invoke(params, context)
    except Exception as e:  # the tool's own code, whatever it raises
        return f"{type(e).__name__}: {e}"
    return str(result.error or "failed") if result.status == StructuredToolResultStatus.ERROR else ""


def check_calls(name: str, config: Any, toolset: Any, expected: dict[str, str]) -> list[str]:
    """The agent's tools work against every healthy instance."""
    tools = {t.name: t for t in toolset.tools}
    calls = []
    if name in CALLS:
        tool, params = CALLS[name]
        names = [e["name"] for e in (config or {}).get("instances", [])] or [""]
        for instance in names:
            if expected.get(instance, "healthy") == "healthy":
                calls.append((instance, tool, params | ({"instance": instance} if len(names) > 1 else {})))
    elif hasattr(toolset, "match_endpoint"):
        for endpoint in (config or {}).get("endpoints", []):
            url = endpoint.get("health_check_url")
            if url and toolset.match_endpoint(url)[0] is not None:
                calls.append((url, toolset._derive_tool_name(), {"url": url, "method": "GET"}))
    problems = []
    for what, tool, params in calls:
        error = call(tools[tool], params) if tool in tools else "no such tool"
        if error:
            problems.append(f"{name}: {tool} fails on {what or 'the only instance'}: {error[:300]}")
    return problems


def check_urls(name: str, toolset: Any, expected: dict[str, str]) -> list[str]:
    """What comes of a GET of each URL by the tool of an HTTP toolset: "", or a text in the error."""
    problems = []
    for url, want in expected.items():
        error = call(toolset.tools[0], {"url": url, "method": "GET"}) if toolset.tools else "no tool"
        if want not in error or (error and not want):
            problems.append(f"{name}: {url}: {error[:300]!r}, want {want!r}")
    return problems


def check_tools(entries: dict[str, dict], loaded: dict[str, Any], executor: Any) -> list[str]:
    """No tool is lost to another of the same name, and a model would accept each name."""
    problems = []
    for name in entries:
        toolset = loaded.get(name)
        if toolset is None or toolset.status.value != "enabled":
            continue
        for tool in toolset.tools:
            owner = executor._tool_to_toolset.get(tool.name)
            if not getattr(tool, "mcp_tool_name", "") and owner is not toolset:
                problems.append(f"{name}: its tool {tool.name} is replaced by that of {owner.name if owner else 'nothing'}")
    for tool, toolset in executor._tool_to_toolset.items():
        if toolset.name in entries and not TOOL_NAME.match(tool):
            problems.append(f"{toolset.name}: no model accepts the tool name {tool!r} ({len(tool)} characters)")
    return problems


def price(toolset: Any) -> int:
    """Tokens that a toolset adds to each request: its tools as HolmesGPT sends them, and its part of the system prompt.

    Counted by the encoding that HolmesGPT's counter, litellm's, uses for HolmesGPT's default model; litellm brings it along.
    """
    import litellm
    from holmes.common.env_vars import DEFAULT_MODEL

    text = "".join(json.dumps(tool.get_openai_format()) for tool in toolset.tools)
    if toolset.llm_instructions:
        text += f"\n\n## {toolset.name}\n{toolset.llm_instructions}"
    return litellm.token_counter(model=DEFAULT_MODEL, text=text)


def verify(directory: Path) -> dict:
    document = read(Path(os.environ["CUSTOM_TOOLSET_LOCATION"]))
    expect = read(directory / "expect.yaml")
    reach_only(read(directory / "hosts.yaml"))
    logging.disable(logging.CRITICAL)

    from holmes.core.prompt import build_system_prompt
    from holmes.core.tools import SERVER_TOOLSET_TAGS, PrerequisiteCacheMode
    from holmes.core.tools_utils.tool_executor import ToolExecutor
    from holmes.core.toolset_manager import ToolsetManager
    from holmes.plugins.toolsets import load_builtin_toolsets

    builtin = {t.name for t in load_builtin_toolsets()}
    try:
        toolsets = ToolsetManager().prepare_toolsets(
            dal=None, toolset_tag_filter=SERVER_TOOLSET_TAGS, enable_all_toolsets_possible=False,
            prerequisite_cache=PrerequisiteCacheMode.DISABLED,
        )
    except Exception as e:  # the loader's own code, whatever it raises
        message = f"{type(e).__name__}: {e}"
        if expect.get("rejected") and expect["rejected"] in message:
            return {"problems": [], "toolsets": 0, "instances": 0}
        return {"problems": [f"HolmesGPT rejects the whole file: {message}"]}
    if expect.get("rejected"):
        return {"problems": [f"HolmesGPT loads it, want it rejected with {expect['rejected']!r}"]}

    loaded = {t.name: t for t in toolsets}
    entries = {**(document.get("toolsets") or {}), **(document.get("mcp_servers") or {})}
    problems, instances = [], 0
    wanted = expect.get("toolsets") or {}
    problems += [f"{name}: is not in the document, want {state}" for name, state in wanted.items() if name not in entries]
    for name, entry in entries.items():
        enabled = entry.get("enabled", name not in builtin)  # only the built-in ones are off unless said
        state = wanted.get(name, "enabled" if enabled else "disabled")
        toolset = loaded.get(name)
        if toolset is None:
            problems.append(f"{name}: HolmesGPT did not load it")
            continue
        if name.startswith("kubernetes/"):  # its status is about kubectl, which this machine may not have
            if toolset.enabled != enabled:
                problems.append(f"{name}: enabled is {toolset.enabled}, want {enabled}")
            continue
        if toolset.status.value != state:
            problems.append(f"{name}: is {toolset.status.value}, want {state}: {toolset.error}")
        if state == "disabled" or toolset.status.value == "disabled":
            continue
        config, expected = entry.get("config"), (expect.get("instances") or {}).get(name, {})
        problems += check_config(name, config, toolset)
        if toolset.status.value == "enabled":
            problems += check_instances(name, config, toolset, expected)
            problems += check_calls(name, config, toolset, expected)
            problems += check_urls(name, toolset, (expect.get("calls") or {}).get(name, {}))
        instances += len((config or {}).get("instances", [])) or 1
    problems += check_tools(entries, loaded, ToolExecutor(toolsets))
    if expect.get("reads"):
        prompt = build_system_prompt(toolsets, None, None, None, False, {}) or ""
        found = {text: prompt.count(text) for text in expect["reads"]}
        problems += [f"the agent reads {t!r} {found[t]} times, want {n}" for t, n in expect["reads"].items() if found[t] != n]
    if expect.get("price"):
        (directory / "tokens.json").write_text(json.dumps({name: price(loaded[name]) for name in entries if name in loaded}))
    return {"problems": problems, "toolsets": len(entries), "instances": instances}
