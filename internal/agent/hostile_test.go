package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const mib = 1 << 20

// answers is a HolmesGPT that reloads, and whose toolset prometheus/metrics has a status and an error.
func answers(t *testing.T, status, text string) *holmes {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	info := `{"version": "0.45.0", "toolsets": [{"name": "prometheus/metrics", "status": "` + status + `", "error": ` + string(quoted) + `},
		{"name": "grafana/dashboards", "status": "enabled", "tool_count": 3}, {"name": "generation/1", "status": "disabled"}]}`
	return reloading(info)
}

// reloading is a HolmesGPT that reloads, and whose state is a text.
func reloading(info string) *holmes {
	return &holmes{answer: func(r *http.Request) *http.Response {
		if r.Method == http.MethodPost {
			return respond(http.StatusOK, `{"status": "ok"}`)
		}
		return respond(http.StatusOK, info)
	}}
}

// askOne asks one replica once, and returns what that allocated.
func askOne(t *testing.T, h *holmes) (r Replica, allocated uint64) {
	t.Helper()
	a := New(Options{Namespace: "holmes", Forbids: allow, Proxy: h})
	a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := a.Ask(t.Context(), document("generation/1"))
	runtime.ReadMemStats(&after)
	if len(s.Replicas) != 1 {
		t.Fatalf("%d replicas", len(s.Replicas))
	}
	return s.Replicas[0], after.TotalAlloc - before.TotalAlloc
}

// processorTime is how long this process has run, and not waited for others of the machine.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// A backend's answer with hundreds of thousands of instances, which HolmesGPT quotes, is read in one pass.
func TestManyInstancesTakeLittle(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	t.Attr("req", "DTS-RUN-4") // the loop ends before the lease is released
	var distinct strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&distinct, "\n[%d] ", i)
	}
	const many = 600_000
	for name, tt := range map[string]struct{ status, text string }{
		"failed":      {StatusFailed, "[a] x" + strings.Repeat("\n[a] ", many)},
		"enabled":     {StatusEnabled, "[a] ok; failed: [b] x" + strings.Repeat(" | [b] ", many/2)},
		"of document": {StatusFailed, "[a/prom] x" + strings.Repeat("\n[a/prom] ", many/4)},
		"distinct":    {StatusFailed, "[a] x" + distinct.String()},
		"brackets":    {StatusFailed, "[a] x" + strings.Repeat("[", many*4)},
		"at signs":    {StatusFailed, "[a] //" + strings.Repeat("@//", many)},
	} {
		t.Run(name, func(t *testing.T) {
			h := answers(t, tt.status, tt.text)
			begun := processorTime(t)
			r, allocated := askOne(t, h)
			if took := processorTime(t) - begun; took > time.Second {
				t.Errorf("it took %s", took)
			}
			if r.Outcome != Loaded || allocated > 8*mib {
				t.Errorf("it is %s (%s), with %d KiB allocated", r.Outcome, r.Detail, allocated>>10)
			}
		})
	}
}

// A backend's answer of megabytes, which HolmesGPT quotes, hides neither the other toolsets nor the document.
func TestLongErrorHidesNothingElse(t *testing.T) {
	t.Attr("req", "DTS-RUN-7 DTS-SEC-3")
	h := answers(t, StatusFailed, "[a/prom] <html>"+strings.Repeat("\"\\é\n", mib))
	r, allocated := askOne(t, h)
	if r.Outcome != Loaded || r.Generation != "generation/1" || len(r.Toolsets) != 2 || allocated > 8*mib {
		t.Fatalf("it is %s (%s), with %d toolsets, %d KiB allocated", r.Outcome, r.Detail, len(r.Toolsets), allocated>>10)
	}
	want := Toolset{Name: "grafana/dashboards", Status: StatusEnabled, Tools: 3}
	if diff := cmp.Diff(want, r.Toolsets[0]); diff != "" {
		t.Error(diff)
	}
	if got := r.Toolsets[1]; got.Status != StatusFailed || !strings.HasPrefix(got.Error, `[a/prom] <html>"\é "\é`) || len(got.Error) > 4*shownText {
		t.Errorf("the long one is %s, %.200q", got.Status, got.Error)
	}
	synctest.Test(t, func(t *testing.T) {
		a := start(t, h)
		a.Published(document("generation/2"), true)
		if r := only(t, a); r.Outcome != Waiting || h.count(http.MethodPost) != 1 {
			t.Errorf("it is %s after %d reloads", r.Outcome, h.count(http.MethodPost))
		}
	})
}

// A replica whose answer is too long to be read still reloads the document.
func TestTooLongAnswersReload(t *testing.T) {
	t.Attr("req", "DTS-RUN-7 DTS-SEC-3")
	h := reloading(`{"version": "0.45.0", "toolsets": [{"name": "x", "tags": [0` + strings.Repeat(",0", 3*mib) + `]}]}`)
	synctest.Test(t, func(t *testing.T) {
		a := start(t, h)
		a.Published(document("generation/1"), true)
		if r := only(t, a); r.Outcome != Unreadable || h.count(http.MethodPost) != 1 {
			t.Errorf("it is %s (%s) after %d reloads, want one", r.Outcome, r.Detail, h.count(http.MethodPost))
		}
		pass(time.Hour)
		if n := h.count(http.MethodPost); n < 10 || n > 19 {
			t.Errorf("%d reloads within an hour", n)
		}
	})
}

// allowance is what the reading of an answer may allocate.
var allowance uint64 = 8 * mib

// Answers of many megabytes take little memory: twenty replicas may answer at once. So do error responses,
// which are not shown if their detail is no text.
func TestLargeAnswersTakeLittleMemory(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const start = `{"version": "1", "toolsets": [`
	toolset := `{"name": "prometheus/metrics", "status": "failed", "error": "[a/prom] `
	for name, tt := range map[string]struct {
		status int
		text   string
		want   Outcome
	}{
		"one long error":             {200, start + toolset + strings.Repeat("x", 30*mib) + `"}]}`, NoDocument},
		"many long errors":           {200, start + toolset + strings.Repeat(strings.Repeat("y", mib)+`"},`+toolset, 20) + `"}]}`, NoDocument},
		"too long":                   {200, start + toolset + strings.Repeat("x", maxAnswer) + `"}]}`, Unreadable},
		"a long toolset":             {200, start + `{"name": ["` + strings.Repeat(`","`, mib) + `"]}]}`, Unreadable},
		"a long field":               {200, `{"x": [0` + strings.Repeat(`,0`, 4*mib) + `], ` + start[1:] + `]}`, Unreadable},
		"a field that fits":          {200, `{"x": [0` + strings.Repeat(`,0`, (maxPart-100)/2) + `], ` + start[1:] + `]}`, NoDocument},
		"many fields":                {200, `{"x": 0` + strings.Repeat(`, "x": "`+strings.Repeat("z", 1000)+`"`, 4000) + `, ` + start[1:] + `]}`, NoDocument},
		"many toolsets":              {200, start + `{}` + strings.Repeat(`, {"name": "prometheus/metrics"}`, 9_000) + `]}`, NoDocument},
		"no end":                     {200, start + `{"name": "` + strings.Repeat("x", 30*mib), Unreadable},
		"white space":                {200, start + strings.Repeat(" ", 30*mib) + `]}`, Unreadable},
		"nothing but depth":          {200, strings.Repeat(`{"toolsets":[`, mib), Unreadable},
		"refusal: a list of objects": {500, `{"detail":[{"":0}` + strings.Repeat(`,{"":0}`, 500_000) + `]}`, Failed},
		"refusal: a list of lists":   {500, `{"detail":[[]` + strings.Repeat(`,[]`, 1_000_000) + `]}`, Failed},
		"refusal: many details":      {500, `{"detail":[]` + strings.Repeat(`,"detail":{}`, 300_000) + `}`, Failed},
		"refusal: deep":              {500, `{"detail":` + strings.Repeat(`[`, 4_000_000), Failed},
		"refusal: a long text":       {500, `{"detail":"` + strings.Repeat(`\u0001`, 600_000) + `"}`, Failed},
		"refusal: short, a list":     {500, `{"detail":[{"loc":["query","detail"],"msg":"field required"}]}`, Failed},
	} {
		t.Run(name, func(t *testing.T) {
			r, allocated := askOne(t, &holmes{answer: func(*http.Request) *http.Response { return respond(tt.status, tt.text) }})
			most := allowance
			if tt.want == Failed {
				most = 2 * mib
			}
			if r.Outcome != tt.want || allocated > most || tt.want == Failed && r.Detail != "HTTP 500 Internal Server Error" {
				t.Errorf("it is %s (%s), with %d KiB allocated; want %s", r.Outcome, r.Detail, allocated>>10, tt.want)
			}
		})
	}
}

// An error that is cut names no instance: a backend could write another's name before the cut, and the true reason come
// after it. Nor does it end in a part of the key.
func TestCutErrorsNameNoInstance(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	forged := "[a/prom] x\n[b/prom] it is I " + strings.Repeat(" ", maxString) + "\n[b/prom] HTTP 403"
	r, _ := askOne(t, answers(t, StatusFailed, forged))
	if got := r.Toolsets[1]; len(got.Instances) != 0 || got.Error != "[a/prom] x [b/prom] it is I" {
		t.Errorf("instances %v, error %q", got.Instances, got.Error)
	}
	if got := shown("refuses s3c"+cutMark, "s3cret"); strings.Contains(got, "s3c") {
		t.Errorf("a part of the key is shown: %q", got)
	}
}
