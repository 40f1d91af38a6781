package standin

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"
)

// Holmes stands for a running HolmesGPT: it loads a document when it is told to, and says what it made of each toolset. Like
// HolmesGPT it fails a toolset that refers to a variable which is not set; unlike it, it reaches no backend.
type Holmes struct {
	path      string   // of the document
	variables []string // those of its environment

	mu     sync.Mutex
	frozen []byte // what its mount keeps; nil: what is written
	loaded map[string]any
}

// NewHolmes makes one that reads the document at path, and has the variables in its environment.
func NewHolmes(path string, variables ...string) *Holmes {
	return &Holmes{path: path, variables: variables}
}

// Freeze keeps the file as it is, as a mount by subPath does; with false it is what is written.
func (h *Holmes) Freeze(frozen bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.frozen = nil; frozen {
		h.frozen, _ = os.ReadFile(h.path)
	}
}

// Set gives it a variable.
func (h *Holmes) Set(variable string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.variables = append(h.variables, variable)
}

// ServeHTTP implements http.Handler: HolmesGPT's two routes.
func (h *Holmes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch r.Method + " " + r.URL.Path {
	case "POST /api/admin/reload/toolsets":
		if err := h.load(); err != nil {
			writeJSON(w, http.StatusInternalServerError, map[string]any{"detail": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "component": "toolsets"})
	case "GET /api/info":
		writeJSON(w, http.StatusOK, map[string]any{"version": "0.45.0", "toolsets": h.toolsets()})
	default:
		writeJSON(w, http.StatusNotFound, map[string]any{"detail": "Not Found"})
	}
}

func (h *Holmes) load() (err error) {
	text := h.frozen
	if text == nil {
		if text, err = os.ReadFile(h.path); err != nil {
			return err
		}
	}
	var document struct {
		Toolsets map[string]any `json:"toolsets"`
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		return err
	}
	h.loaded = document.Toolsets
	return nil
}

var variable = regexp.MustCompile(`{{\s*env\.([^}\s]*)\s*}}`)

func (h *Holmes) toolsets() []map[string]any {
	list := []map[string]any{}
	for name, entry := range h.loaded {
		fields, _ := entry.(map[string]any)
		enabled, _ := fields["enabled"].(bool)
		t := map[string]any{"name": name, "enabled": enabled, "status": "enabled", "tool_count": 3}
		if !enabled {
			t["status"], t["tool_count"] = "disabled", 0
		}
		text, _ := json.Marshal(entry)
		for _, m := range variable.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(h.variables, m[1]) {
				t["status"], t["error"], t["tool_count"] = "failed", "ENV var replacement "+m[1]+" does not exist", 0
			}
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b map[string]any) int { return strings.Compare(a["name"].(string), b["name"].(string)) })
	return list
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
