package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Condition of readiness.
type Condition struct {
	Name    string `json:"name"`
	Met     bool   `json:"met"`
	Message string `json:"message,omitempty"` // what it waits for; "" when met
	// Why adds what keeps it from being met now, as long as it is not; may be nil.
	Why func() error `json:"-"`
}

// Probes knows whether the process is alive and ready. Its methods may be called side by side.
type Probes struct {
	started time.Time
	bound   time.Duration
	stop    chan struct{} // closed when the process stops

	mu         sync.Mutex
	beat       time.Time
	conditions []Condition
}

// NewProbes makes the Probes of a process that starts now. Its loop counts as stuck when it has not turned for bound,
// which is a few times what its slowest turn may take; its first turn has as long. All conditions, each with what it
// waits for, must be met for the process to be ready.
func NewProbes(bound time.Duration, conditions ...Condition) *Probes {
	now := time.Now()
	return &Probes{
		started: now, beat: now, bound: bound,
		stop:       make(chan struct{}),
		conditions: slices.Clone(conditions),
	}
}

// Beat says that the loop turns.
func (p *Probes) Beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beat = time.Now()
}

// Met says that a condition is met.
func (p *Probes) Met(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.conditions {
		if p.conditions[i].Name == name {
			p.conditions[i] = Condition{Name: name, Met: true}
		}
	}
}

// Stop says that the process stops: it is not ready from now on, and alive until it ends.
func (p *Probes) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !stopped(p.stop) {
		close(p.stop)
	}
}

// Stopping is closed when the process starts to stop. Responses that never end, such as streams of events, end then;
// otherwise the stop waits for them.
func (p *Probes) Stopping() <-chan struct{} { return p.stop }

// Alive is nil while the loop turns, else an error that says since when it does not. A process that stops is alive:
// being killed would cut off what it still finishes.
func (p *Probes) Alive() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := time.Since(p.beat)
	if age <= p.bound || stopped(p.stop) {
		return nil
	}
	return fmt.Errorf("the loop has not turned for %s, where at most %s is expected", age.Round(time.Second), p.bound)
}

// Ready says whether all conditions are met and the process does not stop, and which are not.
func (p *Probes) Ready() (ready bool, missing []Condition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conditions {
		if !c.Met {
			if c.Why != nil {
				if err := c.Why(); err != nil {
					c.Message += ": " + err.Error()
				}
			}
			c.Why = nil
			missing = append(missing, c)
		}
	}
	if stopped(p.stop) {
		missing = append(missing, Condition{Name: "running", Message: "the process is stopping"})
	}
	return len(missing) == 0, missing
}

// health is the body of /healthz and /readyz.
type health struct {
	Status  string      `json:"status"` // ok, stuck; ready, not-ready, stopping
	Message string      `json:"message,omitempty"`
	Missing []Condition `json:"missing,omitempty"`
	Uptime  string      `json:"uptime"`
}

// Register adds /healthz, /readyz and their aliases /health and /ready to mux.
func (p *Probes) Register(mux *http.ServeMux) {
	for _, path := range []string{"/healthz", "/health"} {
		mux.Handle(path, healthEndpoint(p.healthz))
	}
	for _, path := range []string{"/readyz", "/ready"} {
		mux.Handle(path, healthEndpoint(p.readyz))
	}
}

// isHealth reports whether a path is one of those that Register adds.
func isHealth(path string) bool {
	return slices.Contains([]string{"/healthz", "/health", "/readyz", "/ready"}, path)
}

func (p *Probes) healthz() (int, health) {
	h := health{Status: "ok", Uptime: p.uptime()}
	if err := p.Alive(); err != nil {
		h.Status, h.Message = "stuck", err.Error()
		return http.StatusServiceUnavailable, h
	}
	return http.StatusOK, h
}

func (p *Probes) readyz() (int, health) {
	h := health{Status: "ready", Uptime: p.uptime()}
	ready, missing := p.Ready()
	if ready {
		return http.StatusOK, h
	}
	h.Status, h.Missing = "not-ready", missing
	if stopped(p.stop) {
		h.Status = "stopping"
	}
	return http.StatusServiceUnavailable, h
}

func (p *Probes) uptime() string { return time.Since(p.started).Round(time.Second).String() }

// healthEndpoint answers GET and HEAD with a status and its body. An answer is about this moment and must not be kept.
func healthEndpoint(check func() (int, health)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			reply(w, "application/problem+json", http.StatusMethodNotAllowed, map[string]any{
				"type": "about:blank", "title": "Method Not Allowed", "status": http.StatusMethodNotAllowed,
				"detail": "expected GET or HEAD",
			})
			return
		}
		code, body := check()
		reply(w, "application/json", code, body)
	}
}

// reply writes a body; for HEAD the server leaves it out.
func reply(w http.ResponseWriter, contentType string, code int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n')) // whoever asked is gone
}
