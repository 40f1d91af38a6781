//go:build real

package real

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// eventually asks until the answer is what is wanted.
func (l *lab) eventually(url, want string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	var a answer
	var err error
	for {
		if a, err = l.ask(ctx, http.MethodGet, url, ""); err == nil && bytes.Contains(a.body, []byte(want)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("GET %s: %d %.300s: want %q in it", url, a.status, a.body, want), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// send sends what is to be in the product.
func (l *lab) send(method, url, kind, body string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	a, err := l.ask(ctx, method, url, body, "Content-Type", kind)
	if err != nil {
		return err
	}
	if a.status/100 != 2 {
		return fmt.Errorf("%s %s: %d %.300s", method, url, a.status, a.body)
	}
	return nil
}

// hasSeries waits until there is a sample, for what scrapes itself.
func hasSeries(path string) func(*lab, *process) error {
	return func(l *lab, p *process) error { return l.eventually(p.base()+path, `"value":[`) }
}

func alert(l *lab, p *process) error {
	return l.send(http.MethodPost, p.base()+"/api/v2/alerts", "application/json", fmt.Sprintf(
		`[{"labels": {"alertname": "LabAlert", "severity": "page"}, "endsAt": %q}]`, time.Now().Add(time.Hour).Format(time.RFC3339),
	))
}

func lokiLines(l *lab, p *process) error {
	now := time.Now().UnixNano()
	err := l.send(http.MethodPost, p.base()+"/loki/api/v1/push", "application/json", fmt.Sprintf(
		`{"streams": [{"stream": {"job": "lab"}, "values": [["%d", "all is well"], ["%d", "an error in the lab"]]}]}`, now, now+1,
	))
	if err != nil {
		return err
	}
	return l.eventually(p.base()+"/loki/api/v1/query_range?query=%7Bjob%3D%22lab%22%7D", "an error in the lab")
}

func logsLines(l *lab, p *process) error {
	line := fmt.Sprintf(`{"_msg": "an error in the lab", "_time": %q, "job": "lab"}`, time.Now().UTC().Format(time.RFC3339)) + "\n"
	if err := l.send(http.MethodPost, p.base()+"/insert/jsonline?_stream_fields=job", "application/stream+json", line); err != nil {
		return err
	}
	return l.eventually(p.base()+"/select/logsql/query?query=lab", "an error in the lab")
}

// spans sends a span as OTLP, to another port of the process.
func spans(port int, path string) func(*lab, *process) error {
	return func(l *lab, p *process) error {
		now := time.Now().UnixNano()
		return l.send(http.MethodPost, fmt.Sprintf("http://%s:%d%s", p.ip, port, path), "application/json", fmt.Sprintf(`{"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]},
  "scopeSpans": [{"spans": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /cart", "kind": 2,
    "startTimeUnixNano": "%d", "endTimeUnixNano": "%d"}]}]}]}`, now-int64(time.Second), now))
	}
}

func zipkinSpan() string {
	return fmt.Sprintf(`[{"traceId": "5b8efff798038103", "id": "eee19b7ec3c1b174", "name": "get /cart", "timestamp": %d, "duration": 1000,
  "localEndpoint": {"serviceName": "checkout"}}]`, time.Now().UnixMicro())
}

func zipkinSpans(l *lab, p *process) error {
	if err := l.send(http.MethodPost, p.base()+"/api/v2/spans", "application/json", zipkinSpan()); err != nil {
		return err
	}
	return l.eventually(p.base()+"/api/v2/services", "checkout")
}

// tempoSpans sends a span to Tempo's receiver of Zipkin's spans, and waits until a search finds it.
func tempoSpans(l *lab, p *process) error {
	err := l.send(http.MethodPost, fmt.Sprintf("http://%s:9411/api/v2/spans", p.ip), "application/json", zipkinSpan())
	if err != nil {
		return err
	}
	return l.eventually(p.base()+"/api/search?limit=5", "checkout")
}

func documents(l *lab, p *process) error {
	return l.send(http.MethodPost, p.base()+"/lab/_doc?refresh=true", "application/json", `{"message": "an error in the lab"}`)
}

// redIndex adds one index whose only shard has no node that may hold it.
func redIndex(l *lab, p *process) error {
	if err := documents(l, p); err != nil {
		return err
	}
	err := l.send(http.MethodPut, p.base()+"/broken?wait_for_active_shards=0", "application/json",
		`{"settings": {"number_of_replicas": 0, "index.routing.allocation.require._name": "nowhere"}}`)
	if err != nil {
		return err
	}
	return l.eventually(p.base()+"/_cluster/health", `"red"`)
}
