// Package agent makes each replica of a running HolmesGPT reload a changed document, and reads the state of its
// toolsets. It sends HolmesGPT these two requests only. A request that fails is a state to show, never an error of this
// service.
package agent

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Outcome is the state of one replica of HolmesGPT.
type Outcome string

// Outcomes.
const (
	Loaded     Outcome = "loaded"      // it has the last published document
	Waiting    Outcome = "waiting"     // it has an older document
	NoDocument Outcome = "no-document" // it works, and has no document of this service
	TooOld     Outcome = "too-old"     // its version does not support these requests
	WantsKey   Outcome = "wants-key"   // it requires another key, or the file with the key cannot be read
	Failed     Outcome = "failed"      // it answers with an error, for example if it cannot load the file
	Away       Outcome = "away"        // it does not answer
	Unreadable Outcome = "unreadable"  // the answer is not HolmesGPT's
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Loaded, Waiting, NoDocument, TooOld, WantsKey, Failed, Away, Unreadable}
}

// Toolset is a toolset of the document in HolmesGPT's own words.
type Toolset struct {
	Name   string `json:"name"`
	Status string `json:"status"` // StatusEnabled, StatusFailed, or disabled
	Error  string `json:"error"`  // HolmesGPT's own reason, "" for none
	Tools  int    `json:"tool_count"`
	// Instances holds the instances that HolmesGPT cannot use with its reasons, as far as it names them.
	Instances map[string]string `json:"-"`
}

// HolmesGPT's words for the status of a toolset.
const (
	StatusEnabled  = "enabled"
	StatusFailed   = "failed"
	StatusDisabled = "disabled"
)

// Document is the published document.
type Document struct {
	Generation string              // the name of its generation marker, "" if it has none
	Toolsets   map[string][]string // its other toolsets, each with the names of its instances
	Changed    time.Time           // when the change in the cluster that it shows was noticed; zero if not known
}

// Replica is one replica of HolmesGPT.
type Replica struct {
	URL        string // scheme://host:port
	Outcome    Outcome
	Detail     string    // the error of the last request; "" if there was none
	KeyUnread  bool      // there was no request, because the file with the key cannot be read: Outcome is WantsKey
	Version    string    // "" if not known
	Generation string    // the marker of its document; "" if not known
	Published  time.Time // when that document was published; zero if not known
	Changed    time.Time // the time of the change that it shows; zero if not known
	Since      time.Time // since when it has that document
	Checked    time.Time
	Toolsets   []Toolset // the toolsets of the document that it knows; nil if not known
}

// Address returns host:port of the URL.
func (r *Replica) Address() string { return r.URL[strings.LastIndexByte(r.URL, '/')+1:] }

// Count returns the number of toolsets with a status.
func (r *Replica) Count(status string) (n int) {
	for i := range r.Toolsets {
		if r.Toolsets[i].Status == status {
			n++
		}
	}
	return n
}

// State is the state of all replicas of HolmesGPT.
type State struct {
	Leading   bool // this replica of the service leads: only the leader asks HolmesGPT
	Document  Document
	Published time.Time // when the document was published; zero if not known
	Replicas  []Replica // by URL
}

// Late reports whether a replica has had more time to load the document than a mount takes.
func (s *State) Late(r *Replica) bool {
	return r.Outcome != Loaded && !s.Published.IsZero() && r.Checked.Sub(s.Published) >= patience
}

// Options of an Agent.
type Options struct {
	URL       string        // HolmesGPT's URL as scheme://host:port; "" to find it among the Services
	Service   backend.Ref   // HolmesGPT's Service; zero for all Services in Namespace that look like it
	Port      int32         // the Service's port; 0 for the port with HolmesGPT's own port as target
	Namespace string        // of the ConfigMap and of HolmesGPT
	KeyFile   string        // holds HolmesGPT's API key; "" if HolmesGPT needs no key
	Interval  time.Duration // between requests while nothing changes

	Forbids func(netip.Addr) bool // reports whether connections to an address are denied
	// Proxy, if set, carries the requests. It reaches Services by name, not by endpoint, so one replica of each Service
	// answers.
	Proxy http.RoundTripper
	// Report, if set, is called when the state of a replica changes. before is nil for a new replica, after for one
	// that is gone.
	Report func(before, after *Replica)
}

// publication is a published document.
type publication struct {
	generation string
	at         time.Time
}

// maxHistory is the number of publications to keep.
const maxHistory = 64

// maxReplicas bounds the replicas that are asked. No real HolmesGPT runs more.
const maxReplicas = 20

// Agent watches the replicas of HolmesGPT. Its methods may be called by any goroutine.
type Agent struct {
	opts   Options
	client *client

	mu         sync.Mutex
	services   map[backend.Ref][]string // the URLs of each Service of HolmesGPT
	leading    bool
	document   Document
	since      time.Time     // when document was published
	history    []publication // the last ones
	changed    chan struct{} // closed when one of the fields above changes
	replicas   map[string]Replica
	nextReload map[string]time.Time // when the next reload request to each URL is allowed, also to URLs that are gone
	late       map[string]bool      // URLs that got a reload request for document after patience
}

// New makes an Agent; Run starts it.
func New(opts Options) *Agent {
	if opts.Report == nil {
		opts.Report = func(_, _ *Replica) {}
	}
	return &Agent{
		opts: opts, client: newClient(&opts), changed: make(chan struct{}),
		services: map[backend.Ref][]string{}, replicas: map[string]Replica{},
		nextReload: map[string]time.Time{}, late: map[string]bool{},
	}
}

// Published sets the published document, and whether this replica of the service leads.
func (a *Agent) Published(document Document, leading bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.document.Generation == document.Generation && a.leading == leading {
		return
	}
	if a.document.Generation != document.Generation {
		a.since = time.Now()
		a.history = append(a.history, publication{document.Generation, a.since})
		a.history = a.history[max(0, len(a.history)-maxHistory):]
		clear(a.late)
	}
	a.document, a.leading = document, leading
	a.wake()
}

// Service sets the current state of a Service; s is nil if the Service does not exist any more.
func (a *Agent) Service(ref backend.Ref, s *backend.Service, e *backend.Endpoints) {
	if a.opts.URL != "" {
		return
	}
	var urls []string
	if s != nil && a.Looks(s) {
		urls = a.urls(s, e)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Equal(a.services[ref], urls) {
		return
	}
	if a.services[ref] = urls; urls == nil {
		delete(a.services, ref)
	}
	a.wake()
}

// wake makes all waiting goroutines read the state again. The caller holds the lock.
func (a *Agent) wake() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// Run asks until ctx ends.
func (a *Agent) Run(ctx context.Context) {
	var wait sync.WaitGroup
	defer wait.Wait()
	running := map[string]func(){} // each function stops a goroutine and waits for its end
	for {
		a.mu.Lock()
		wanted, changed := a.wanted(), a.changed
		a.mu.Unlock()
		for url, stop := range running {
			if !slices.Contains(wanted, url) {
				stop()
				delete(running, url)
			}
		}
		for _, url := range wanted {
			if running[url] == nil {
				following, cancel := context.WithCancel(ctx)
				ended := make(chan struct{})
				running[url] = func() { cancel(); <-ended }
				wait.Go(func() { a.follow(following, url); close(ended) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// wanted returns the URLs to ask now, in order. The caller holds the lock.
func (a *Agent) wanted() []string {
	if !a.leading || a.document.Generation == "" {
		return nil
	}
	return a.known()
}

// known returns the URLs of all replicas, in order. The caller holds the lock.
func (a *Agent) known() (urls []string) {
	if a.opts.URL != "" {
		return []string{strings.TrimRight(a.opts.URL, "/")}
	}
	for _, list := range a.services {
		urls = append(urls, list...)
	}
	slices.Sort(urls)
	urls = slices.Compact(urls)
	return urls[:min(len(urls), maxReplicas)]
}

// State returns the current state.
func (a *Agent) State() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := State{Leading: a.leading, Document: a.document, Published: a.since}
	for _, url := range slices.Sorted(maps.Keys(a.replicas)) {
		s.Replicas = append(s.Replicas, a.replicas[url])
	}
	return s
}

// Ask reads the state of each replica once, for a given document. It needs no Run and sends no reload request.
func (a *Agent) Ask(ctx context.Context, document Document) State {
	a.mu.Lock()
	urls := a.known()
	a.mu.Unlock()
	s := State{Leading: true, Document: document, Replicas: make([]Replica, len(urls))}
	var wait sync.WaitGroup
	for i, url := range urls {
		s.Replicas[i].URL = url
		wait.Go(func() { _ = a.look(ctx, &s.Replicas[i], &document) }) // the state has the error
	}
	wait.Wait()
	return s
}
