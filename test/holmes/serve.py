"""Serves the real HolmesGPT's own admin routes, and /api/info as its server has it, on a loopback address.

Usage: serve.py HOST:PORT

CUSTOM_TOOLSET_LOCATION says which document it loads. The names of a cluster's Services lead to loopback: where HOSTS_FILE, a file
with lines NAME ADDRESS that is read at each look-up, says, else to 127.0.0.1. /api/info is not in the package, so that it is a
stand-in here: it answers from the toolsets that the package itself holds, in the fields of HolmesGPT's server.
"""

import os
import socket
import sys

import uvicorn
from fastapi import FastAPI, Header, HTTPException

from holmes import get_version
from holmes.admin.admin_api import init_admin_app
from holmes.config import Config
from holmes.core.tools import ToolsetStatusEnum

resolve = socket.getaddrinfo


def getaddrinfo(host, *args, **kwargs):
    if str(host).endswith(".svc.cluster.local"):
        known = {}
        if "HOSTS_FILE" in os.environ:
            with open(os.environ["HOSTS_FILE"], encoding="utf-8") as file:
                known = dict(line.split() for line in file)
        host = known.get(host, "127.0.0.1")
    return resolve(host, *args, **kwargs)


socket.getaddrinfo = getaddrinfo

app = FastAPI()
config = Config.load_from_env()
dal = config.dal
config.create_server_tool_executor(dal)
init_admin_app(app, config, dal)


executor = None


@app.get("/api/info")
def info(detail: str | None = None):
    global executor
    executor = config._cached_tool_executor or executor  # there is none while it reloads
    toolsets = executor.toolsets
    count = lambda status: sum(t.status == status for t in toolsets)
    answer = {
        "version": get_version(), "uptime_seconds": 1.0, "auth_enabled": False, "models": [], "runbooks_count": 0,
        "toolsets_summary": {
            "total": len(toolsets), "enabled": count(ToolsetStatusEnum.ENABLED), "failed": count(ToolsetStatusEnum.FAILED),
            "disabled": count(ToolsetStatusEnum.DISABLED),
        },
    }
    if detail == "full":
        answer["toolsets"] = [
            {k: v for k, v in {
                "name": t.name, "enabled": t.enabled, "status": t.status.value, "type": t.type.value if t.type else None,
                "error": t.error, "tool_count": len(t.tools),
            }.items() if v is not None}
            for t in toolsets
        ]
    return answer


if __name__ == "__main__":
    host, port = sys.argv[1].rsplit(":", 1)
    uvicorn.run(app, host=host, port=int(port), log_level="warning")
