// Package server serves everything over HTTP: the API for programs, the page for people, the health and readiness
// endpoints. It also has the listeners with their certificates and limits, and the graceful stop.
//
// The API answers from the controller's last snapshot. Only POST /api/v1/discover starts a discovery. huma generates
// the OpenAPI document from the Go types of the responses. This package adds authorization (route.go), the format of
// errors (problem.go), and the headers, log and metrics of every response (front.go).
package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// State is the controller.
type State interface {
	Snapshot() *controller.Snapshot // nil before the first cycle; never changed
	// Updated is closed when there is a newer snapshot than the current one.
	Updated() <-chan struct{}
	// Discover runs a discovery, or waits for the one that runs; the error is a *controller.TooSoonError, or ctx's.
	Discover(ctx context.Context) (*controller.Snapshot, error)
}

// Services are where Services come from.
type Services interface {
	// Others returns the Services of which only the name is kept, in order. The list is never changed, only replaced.
	Others() []backend.Ref
	// Lookup returns the current Service, with its Endpoints if they are known. All results are nil if it does not
	// exist.
	Lookup(ctx context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error)
	// IsBare reports whether the store keeps little more than the name of a Service that matches a type.
	IsBare(ref backend.Ref) bool
}

// Requests counts requests. endpoint is the route's pattern, "" if no route matched. took is negative for a stream,
// because a stream lasts as long as its client reads it.
type Requests interface {
	Request(endpoint string, code int, took time.Duration)
}

// Options configure an API. State, Services, Catalog and Detector are required.
type Options struct {
	State     State
	Services  Services
	SourceErr func() error  // why the known Services may be stale; nil: use the snapshot's error
	Overrides func() string // the current overrides.yaml, "" if there is none; nil: unknown
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	History   *controller.Changes
	// Primary and TrustedNamespaces are from the configuration; they are used for advice.
	Primary           map[string]backend.Ref
	TrustedNamespaces []string
	Namespace         string // of HolmesGPT

	Authorizer Authorizer // nil: every caller has every right
	Metrics    Requests   // may be nil
	Log        *slog.Logger

	Version    string
	Target     string // namespace/name of the ConfigMap, or a directory
	Standalone bool   // without a cluster: Services and documents are files
	Directory  bool   // documents are files
	Stopping   <-chan struct{}

	Agent *agent.Agent // observes HolmesGPT; nil: HolmesGPT is not observed
}

// API answers the requests to the API.
type API struct {
	o       Options
	limits  limits
	mux     *http.ServeMux
	zip     zipper
	openapi struct{ plain, gzip []byte } // anyone may read it, so it is compressed once
	origin  *http.CrossOriginProtection
	streams streams

	indexing sync.Mutex
	last     *index
}

// limits of time and number; tests have smaller ones.
type limits struct {
	write     time.Duration // to write a response, or one event of a stream
	discover  time.Duration // until POST discover answers with the results so far
	lookup    time.Duration // to read a Service from the API server
	keepAlive time.Duration // between comments in a stream
	look      time.Duration // between checks for changes that come without a new snapshot
	gather    time.Duration // between two events "status" of a stream
	authorize time.Duration // between reviews of a stream's reader
	doubt     time.Duration // without a review, after which a stream ends
	streams   int           // of all readers; one reader may have half
}

// New creates an API. It returns an error only for a defect in this package's routes.
func New(o Options) (*API, error) {
	if o.Authorizer == nil {
		o.Authorizer = Anyone{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{o: o, mux: http.NewServeMux(), zip: newZipper(), origin: http.NewCrossOriginProtection(), limits: limits{
		write: writeWithin, discover: 10 * time.Second, lookup: 5 * time.Second,
		keepAlive: 15 * time.Second, look: time.Second, gather: 250 * time.Millisecond, authorize: time.Minute,
		doubt:   90 * time.Second,
		streams: 64,
	}}
	described := a.register()
	text, err := json.Marshal(described)
	if err != nil {
		return nil, fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	a.openapi.plain, a.openapi.gzip = text, a.zip.compress(text)
	return a, nil
}

// reasonCode describes a backend.Code.
type reasonCode string

// Schema implements huma.SchemaProvider.
func (reasonCode) Schema(huma.Registry) *huma.Schema { return closedSet(view.Codes()) }

// warningCode describes a view.WarningCode.
type warningCode string

// Schema implements huma.SchemaProvider.
func (warningCode) Schema(huma.Registry) *huma.Schema { return closedSet(view.WarningCodes()) }

func closedSet[T ~string](codes []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, code := range codes {
		s.Enum = append(s.Enum, string(code))
	}
	return s
}

// config describes the API as a whole.
func (a *API) config() huma.Config {
	c := huma.DefaultConfig("Dynamic toolset service", cmp.Or(a.o.Version, "0.0.0"))
	c.Info.Description = "The Services that were found, the document for HolmesGPT, and the reasons. " +
		"Responses show the last discovery. Errors are problem documents (RFC 9457)."
	// This package serves the document itself. huma's page is off, because it loads scripts from other hosts.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil // they would add $schema to bodies
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{a.asProblem}
	c.AllowAdditionalPropertiesByDefault = true // fields may be added later
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[backend.Code](), reflect.TypeFor[reasonCode]())
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[view.WarningCode](), reflect.TypeFor[warningCode]())
	if _, open := a.o.Authorizer.(Anyone); !open {
		c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
			"bearer": {Type: "http", Scheme: "bearer",
				Description: "A token that the cluster accepts, such as the token of a ServiceAccount."},
		}
		c.Security = []map[string][]string{{"bearer": {}}}
	}
	return c
}
