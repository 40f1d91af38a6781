"""Loads a document with the real HolmesGPT and calls its tools, without a model.

Usage: tools.py DIR, with these files in DIR:
  custom_toolset.yaml  the document; without it, the one that CUSTOM_TOOLSET_LOCATION names
  hosts.yaml           DNS name to the loopback address where it is
  calls.json           a list of {tool, params}; the tool "request" is that of the HTTP toolset that may ask params.url, in which
                       variables of the environment are filled in
Prints {"toolsets": {name: {status, error}}, "calls": [{status, error, data}]} as JSON.
"""

import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from unittest.mock import MagicMock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "holmes"))
import case  # noqa: E402


def context(tool: str) -> MagicMock:
    """What HolmesGPT hands to a tool beside its parameters. Tools ask the model how much fits into it."""
    c = MagicMock()
    c.tool_name, c.tool_call_id, c.user_approved, c.max_token_count = tool, "1", True, 100_000
    c.llm.get_context_window_size.return_value = 1_000_000
    c.llm.get_maximum_output_token.return_value = 10_000
    c.llm.count_tokens.return_value.total_tokens = 10
    return c


def load() -> list:
    from holmes.core.tools import SERVER_TOOLSET_TAGS, PrerequisiteCacheMode
    from holmes.core.toolset_manager import ToolsetManager

    return ToolsetManager().prepare_toolsets(
        dal=None, toolset_tag_filter=SERVER_TOOLSET_TAGS, enable_all_toolsets_possible=False,
        prerequisite_cache=PrerequisiteCacheMode.DISABLED,
    )


def of_url(toolsets: list, url: str) -> str:
    """The tool of the HTTP toolset that has the URL among its endpoints."""
    for t in toolsets:
        if t.status.value == "enabled" and hasattr(t, "match_endpoint") and t.match_endpoint(url)[0] is not None:
            return t.tools[0].name
    return "request"


def call(executor, toolsets: list, tool: str, params: dict) -> dict:
    if tool == "request":
        params["url"] = os.path.expandvars(params["url"])
        tool = of_url(toolsets, params["url"])
    found = executor.get_tool_by_name(tool)
    if found is None:
        return {"status": "missing", "error": "HolmesGPT has no such tool", "data": ""}
    try:
        result = found.invoke(params, context(tool))
    except Exception as e:  # the tool's own code, whatever it raises
        return {"status": "raised", "error": f"{type(e).__name__}: {e}", "data": ""}
    return {"status": result.status.value, "error": str(result.error or ""), "data": result.get_stringified_data()}


def main(directory: Path) -> None:
    home = tempfile.mkdtemp(dir=directory)
    os.environ.update(HOME=home, KUBECONFIG="/dev/null", HOLMES_CONFIGPATH_DIR=home, LITELLM_LOCAL_MODEL_COST_MAP="True")
    if (document := directory / "custom_toolset.yaml").exists():
        os.environ["CUSTOM_TOOLSET_LOCATION"] = str(document)
    answer = os.dup(1)  # HolmesGPT prints on standard output
    os.dup2(2, 1)
    case.reach_only(case.read(directory / "hosts.yaml"))
    logging.disable(logging.CRITICAL)
    toolsets = load()
    from holmes.core.tools_utils.tool_executor import ToolExecutor

    executor = ToolExecutor(toolsets)
    result = {
        "toolsets": {t.name: {"status": t.status.value, "error": str(t.error or "")} for t in toolsets},
        "calls": [call(executor, toolsets, c["tool"], c["params"]) for c in json.loads((directory / "calls.json").read_text())],
    }
    with os.fdopen(answer, "w") as out:
        json.dump(result, out)
    os._exit(0)  # threads of its checks may still wait for something


if __name__ == "__main__":
    main(Path(sys.argv[1]))
