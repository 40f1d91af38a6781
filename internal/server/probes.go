package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Condition is a condition of readiness.
type Condition struct {
	Name    string `json:"name"`
	Met     bool   `json:"met"`
	Message string `json:"message,omitempty"` // what it waits for; "" when met
	// Why returns the current reason why the condition is not met; may be nil.
	Why func() error `json:"-"`
}

// Probes reports whether the process is alive and ready. Its methods may be called concurrently.
type Probes struct {
	started time.Time
	bound   time.Duration
	stop    chan struct{} // closed when the process stops

	mu         sync.Mutex
	beat       time.Time
	conditions []Condition
}

// NewProbes creates the Probes of a process that starts now. Its loop counts as stuck if there was no Beat for bound,
// which should be a few times the duration of the slowest cycle. The process is ready when all conditions are met.
func NewProbes(bound time.Duration, conditions ...Condition) *Probes {
	now := time.Now()
	return &Probes{started: now, beat: now, bound: bound, stop: make(chan struct{}), conditions: conditions}
}

// Beat records that the loop is running.
func (p *Probes) Beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beat = time.Now()
}

// Met records that a condition is met.
func (p *Probes) Met(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.conditions {
		if p.conditions[i].Name == name {
			p.conditions[i] = Condition{Name: name, Met: true}
		}
	}
}

// Stop records that the process stops: it is not ready from now on, and alive until it ends.
func (p *Probes) Stop() { close(p.stop) }

// Stopping returns a channel that is closed when the process starts to stop. Event streams must end then, because the
// stop would wait for them.
func (p *Probes) Stopping() <-chan struct{} { return p.stop }

// health is the body of /healthz and /readyz.
type health struct {
	Status  string      `json:"status"` // ok, stuck; ready, not-ready, stopping
	Message string      `json:"message,omitempty"`
	Missing []Condition `json:"missing,omitempty"`
	Uptime  string      `json:"uptime"`
}

// Register adds /healthz, /readyz and their aliases /health and /ready to mux.
func (p *Probes) Register(mux *http.ServeMux) {
	mux.Handle("/healthz", healthEndpoint(p.alive))
	mux.Handle("/health", healthEndpoint(p.alive))
	mux.Handle("/readyz", healthEndpoint(p.ready))
	mux.Handle("/ready", healthEndpoint(p.ready))
}

// isHealth reports whether Register adds the path.
func isHealth(path string) bool {
	return slices.Contains([]string{"/healthz", "/health", "/readyz", "/ready"}, path)
}

// alive answers whether the loop is running. A stopping process is alive, because a kill would cut off its last
// requests.
func (p *Probes) alive() (int, health) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := health{Status: "ok", Uptime: p.uptime()}
	if age := time.Since(p.beat); age > p.bound && !stopped(p.stop) {
		h.Status = "stuck"
		h.Message = fmt.Sprintf("the last cycle of the loop was %s ago; expected at most %s",
			age.Round(time.Second), p.bound)
		return http.StatusServiceUnavailable, h
	}
	return http.StatusOK, h
}

// ready answers whether all conditions are met and the process does not stop, and what is missing.
func (p *Probes) ready() (int, health) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := health{Status: "ready", Uptime: p.uptime()}
	for _, c := range p.conditions {
		if c.Met {
			continue
		}
		if c.Why != nil {
			if err := c.Why(); err != nil {
				c.Message += ": " + err.Error()
			}
		}
		h.Status, h.Missing = "not-ready", append(h.Missing, c)
	}
	if stopped(p.stop) {
		h.Status = "stopping"
		h.Missing = append(h.Missing, Condition{Name: "running", Message: "the process is stopping"})
	}
	if len(h.Missing) > 0 {
		return http.StatusServiceUnavailable, h
	}
	return http.StatusOK, h
}

func (p *Probes) uptime() string { return time.Since(p.started).Round(time.Second).String() }

// healthEndpoint answers GET and HEAD with a status and its body. A response must not be cached.
func healthEndpoint(check func() (int, health)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			p := problem(http.StatusMethodNotAllowed, "expected GET or HEAD")
			send(w, r, p.with("Allow", "GET, HEAD"))
			return
		}
		code, body := check()
		w.Header().Set("Content-Type", mediaJSON)
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body) // an error means that the client is gone; for HEAD, net/http omits the body
	}
}
