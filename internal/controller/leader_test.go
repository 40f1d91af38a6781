package controller

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/metrics"
)

// Which replica writes is a metric, that of a dry run says that it does not.
func TestLeaderIsMeasured(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	t.Attr("req", "DTS-RUN-6")
	meter := metrics.New("test", nil)
	r := &Report{Metrics: meter, Events: &recorded{}, Log: slog.New(slog.DiscardHandler)}
	for _, step := range []struct {
		s    Snapshot
		want string
	}{
		{Snapshot{}, "0"}, {Snapshot{Leading: true}, "1"}, {Snapshot{}, "0"}, {Snapshot{Leading: true, DryRun: true}, "0"},
	} {
		r.Cycle(&step.s)
		w := httptest.NewRecorder()
		meter.Handler(r.Log).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		if line := "\ndynamictoolset_leader " + step.want + "\n"; !strings.Contains(w.Body.String(), line) {
			t.Errorf("leading %t, dry run %t: no line %q", step.s.Leading, step.s.DryRun, strings.TrimSpace(line))
		}
	}
}
