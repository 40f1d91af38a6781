package agent

import (
	"context"
	"fmt"
	"net/http"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// maxToolsets is the largest number of toolsets in an answer. HolmesGPT has about eighty, and those of the document.
const maxToolsets = 10_000

// info is HolmesGPT's description of itself.
type info struct {
	Version    string
	Generation string             // the marker of its document, "" if it has none
	Toolsets   map[string]Toolset // those of the document; the later of two with the same name counts, as in HolmesGPT
}

// info asks for the state of a document's toolsets. Other toolsets are not kept.
func (c *client) info(ctx context.Context, base string, document *Document) (info, error) {
	ctx, cancel := context.WithTimeout(ctx, infoTimeout)
	defer cancel()
	var out info
	instances := instancesOf(document)
	read := 0
	one := func(a *answer, key string) error {
		if read++; read > maxToolsets {
			return fmt.Errorf("over %d toolsets", maxToolsets)
		}
		var t Toolset
		if err := a.part(&t); err != nil {
			return err
		}
		t.Name = shown(t.Name, key)
		if toolset.IsMarker(t.Name) {
			out.Generation = t.Name
		}
		if known, has := instances[t.Name]; has {
			t.Instances = failing(&t, known, key)
			t.Status, t.Error = shown(t.Status, key), shown(t.Error, key)
			out.Toolsets[t.Name] = t
		}
		return nil
	}
	err := c.ask(ctx, http.MethodGet, base+"/api/info?detail=full", func(a *answer, key string) error {
		return a.object(func(field string) error {
			switch field {
			case "version":
				err := a.part(&out.Version)
				out.Version = shown(out.Version, key)
				return err
			case "toolsets":
				out.Toolsets = map[string]Toolset{}
				return a.values('[', func() error { return one(a, key) })
			}
			return a.part(&ignored{})
		})
	})
	if err == nil && (out.Version == "" || out.Toolsets == nil) {
		err = errUnreadable
	}
	if err != nil {
		return info{}, err
	}
	return out, nil
}

// instancesOf returns the names of the instances of each toolset.
func instancesOf(document *Document) map[string]map[string]bool {
	out := make(map[string]map[string]bool, len(document.Toolsets))
	for name, list := range document.Toolsets {
		out[name] = make(map[string]bool, len(list))
		for _, instance := range list {
			out[name][instance] = true
		}
	}
	return out
}
