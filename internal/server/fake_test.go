package server

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
)

// fakeState is a controller that does what a test says.
type fakeState struct {
	mu       sync.Mutex
	snapshot *controller.Snapshot
	updated  chan struct{}
	discover func(ctx context.Context) (*controller.Snapshot, error)
}

func (f *fakeState) Snapshot() *controller.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshot
}

func (f *fakeState) Updated() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.updated
}

func (f *fakeState) set(s *controller.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.snapshot = s
	close(f.updated)
	f.updated = make(chan struct{})
}

func (f *fakeState) Discover(ctx context.Context) (*controller.Snapshot, error) {
	if f.discover != nil {
		return f.discover(ctx)
	}
	return f.Snapshot(), nil
}

// fakeServices are the Services of the findings, and others.
type fakeServices struct {
	others atomic.Pointer[[]backend.Ref]
	state  *fakeState
	err    error
	asked  atomic.Int64
	bare   backend.Ref // one of thousands more than are read
}

func (f *fakeServices) Others() []backend.Ref {
	if l := f.others.Load(); l != nil {
		return *l
	}
	return nil
}

func (f *fakeServices) IsBare(ref backend.Ref) bool { return ref == f.bare }

func (f *fakeServices) Lookup(_ context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error) {
	f.asked.Add(1)
	if f.err != nil {
		return nil, nil, f.err
	}
	for _, finding := range f.state.Snapshot().Findings {
		if finding.Ref == ref && finding.Service != nil {
			return finding.Service, nil, nil
		}
	}
	for _, other := range f.Others() {
		if other == ref {
			return &backend.Service{Ref: ref, ClusterIP: "10.0.0.9", Ports: []backend.Port{{Number: 8080, Protocol: "TCP"}}}, nil, nil
		}
	}
	return nil, nil, nil
}

type counted struct {
	endpoint string
	code     int
}

type fakeMetrics struct {
	mu   sync.Mutex
	seen map[counted]int
}

func (f *fakeMetrics) Request(endpoint string, code int, _ time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = map[counted]int{}
	}
	f.seen[counted{endpoint, code}]++
}

func (f *fakeMetrics) count(endpoint string, code int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[counted{endpoint, code}]
}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
