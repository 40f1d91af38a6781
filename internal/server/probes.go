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
	return &Probes{
		started: now, beat: now, bound: bound,
		stop:       make(chan struct{}),
		conditions: slices.Clone(conditions),
	}
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
func (p *Probes) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !stopped(p.stop) {
		close(p.stop)
	}
}

// Stopping returns a channel that is closed when the process starts to stop. Event streams must end then, because the
// stop would wait for them.
func (p *Probes) Stopping() <-chan struct{} { return p.stop }

// Alive returns nil while the loop is running, else an error that says how long it has been stuck. A stopping process
// is alive, because a kill would cut off its last requests.
func (p *Probes) Alive() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := time.Since(p.beat)
	if age <= p.bound || stopped(p.stop) {
		return nil
	}
	return fmt.Errorf("the last cycle of the loop was %s ago; expected at most %s", age.Round(time.Second), p.bound)
}

// Ready reports whether all conditions are met and the process does not stop, and returns the conditions that are not
// met.
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

// isHealth reports whether Register adds the path.
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
