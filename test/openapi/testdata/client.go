// A program that uses the generated client for everything there is, and prints what it gets.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
)

func main() {
	ctx := context.Background()
	c, err := NewClientWithResponses(os.Args[1])
	check(err)
	got := map[string]any{}

	status, err := c.GetStatusWithResponse(ctx, nil...)
	check(err)
	got["status"] = status.JSON200.Version

	got["services"] = services(ctx, c, &ListServicesParams{})
	verdict := ListServicesParamsVerdict("accepted")
	got["accepted"] = services(ctx, c, &ListServicesParams{Verdict: &verdict})

	explained, err := c.ExplainServiceWithResponse(ctx, "monitoring", "prometheus")
	check(err)
	got["explain"] = explained.JSON200.Services[0].Type

	toolset, err := c.GetToolsetWithResponse(ctx, "prometheus/metrics")
	check(err)
	got["toolset"] = toolset.JSON200.Name
	missing, err := c.GetToolsetWithResponse(ctx, "nothing")
	check(err)
	got["missing"] = missing.ApplicationproblemJSON404.Detail

	discovery, err := c.DiscoverWithResponse(ctx)
	check(err)
	got["discover"] = discovery.JSON200.Status

	document, err := c.GetDocumentWithResponse(ctx)
	check(err)
	got["document"] = document.JSON200.Target

	changes, err := c.ListChangesWithResponse(ctx, &ListChangesParams{})
	check(err)
	got["change"] = changes.JSON200.Changes[0].Message

	check(json.NewEncoder(os.Stdout).Encode(got))
}

// services reads a list to its end, two at a time.
func services(ctx context.Context, c *ClientWithResponses, p *ListServicesParams) (names []string) {
	limit := int64(2)
	p.Limit = &limit
	for {
		page, err := c.ListServicesWithResponse(ctx, p)
		check(err)
		for _, s := range page.JSON200.Services {
			names = append(names, s.Namespace+"/"+s.Name)
		}
		if page.JSON200.Continue == nil {
			return names
		}
		p.Continue = page.JSON200.Continue
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
