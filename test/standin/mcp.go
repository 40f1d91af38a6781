package standin

import (
	"encoding/json"
	"io"
	"net/http"
)

// mcp is a Model Context Protocol server over streamable HTTP, revision 2025-06-18: JSON-RPC by POST, answered in JSON. It
// opens no stream of its own, so GET is 405, as the protocol allows.
func (b *Backend) mcp() product {
	return product{
		routes: map[string]http.HandlerFunc{
			"/mcp":     b.whenReady(b.mcpEndpoint, plain(http.StatusServiceUnavailable, "starting\n")),
			"/healthz": b.ready("ok\n", "starting\n"),
		},
		open:   []string{"/healthz"},
		refuse: challenge(jsonStatus(http.StatusUnauthorized, obj{"error": "invalid_token"}), "Bearer"),
	}
}

type mcpCall struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		ProtocolVersion string `json:"protocolVersion"`
		Name            string `json:"name"`
	} `json:"params"`
}

func (b *Backend) mcpEndpoint(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodDelete: // the end of the session
		w.WriteHeader(http.StatusOK)
		return
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "POST, DELETE")
		plain(http.StatusMethodNotAllowed, "Method Not Allowed\n")(w, r)
		return
	}
	var call mcpCall
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, &call)
	}
	if err != nil {
		jsonStatus(http.StatusBadRequest, obj{"jsonrpc": "2.0", "id": nil, "error": obj{"code": -32700, "message": "Parse error"}})(w, r)
		return
	}
	if call.ID == nil { // a notification
		w.WriteHeader(http.StatusAccepted)
		return
	}
	reply := obj{"jsonrpc": "2.0", "id": call.ID}
	switch call.Method {
	case "initialize":
		w.Header().Set("Mcp-Session-Id", "5f0c1f6e-6f0a-4f52-9a53-0c4f4b8f7e11")
		reply["result"] = obj{
			"protocolVersion": call.Params.ProtocolVersion,
			"capabilities":    obj{"tools": obj{"listChanged": false}},
			"serverInfo":      obj{"name": "runbooks", "version": b.version("1.4.0")},
		}
	case "ping":
		reply["result"] = obj{}
	case "tools/list":
		reply["result"] = obj{"tools": arr{obj{
			"name": "find_runbook", "description": "Finds the runbook for an alert.",
			"inputSchema": obj{
				"type": "object", "required": arr{"alert"},
				"properties": obj{"alert": obj{"type": "string", "description": "name of the alert"}},
			},
		}}}
	case "tools/call":
		reply["result"] = obj{"content": arr{obj{"type": "text", "text": "restart it"}}, "isError": false}
	default:
		reply["error"] = obj{"code": -32601, "message": "Method not found"}
	}
	jsonOK(reply)(w, r)
}
