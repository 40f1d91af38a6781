package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// follow prints what HolmesGPT made of the document, as the API says it, whenever that changes.
func (d *demo) follow(ctx context.Context) {
	client := &http.Client{Timeout: time.Second}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := d.agent(ctx, client); now != "" && now != last {
			d.say("\n%s  %s", time.Now().Format(time.TimeOnly), now)
			last = now
		}
	}
}

// agent is what the API says of HolmesGPT, "" for nothing.
func (d *demo) agent(ctx context.Context, client *http.Client) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.page+"/api/v1/agent", nil)
	if err != nil {
		return ""
	}
	response, err := client.Do(request)
	if err != nil {
		return "" // not yet, or no longer
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Message  string     `json:"message"`
		Replicas []struct{} `json:"replicas"`
	}
	if json.NewDecoder(response.Body).Decode(&answer) != nil || len(answer.Replicas) == 0 {
		return ""
	}
	return answer.Message
}
