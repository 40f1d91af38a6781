// Package server is everything that is served over HTTP: the API for programs, the page for people, the endpoints of
// health and readiness, the listeners with their certificates and limits, and the graceful stop.
//
// The API answers from the controller's last snapshot: no request makes the service look at Services or backends, but
// for POST /api/v1/discover. The OpenAPI document is made from the Go types that are sent, by huma. What huma leaves
// open is decided here: who may ask (route.go), what an error looks like (problem.go), and what every answer carries
// (front.go).
package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
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
	// Others are the Services of which only the name is kept, in order. The list is never changed, only replaced.
	Others() []backend.Ref
	// Lookup is one Service as it is now, with its Endpoints where they are known. All nil: there is none.
	Lookup(ctx context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error)
	// IsBare reports whether little more than the name is kept of a Service that is something.
	IsBare(ref backend.Ref) bool
}

// Requests counts what was answered. endpoint is the route's pattern, "" where there is none; took is negative for a
// stream, which lasts as long as somebody reads it.
type Requests interface {
	Request(endpoint string, code int, took time.Duration)
}

// Options of an API. State, Services, Catalog and Detector must be there.
type Options struct {
	State     State
	Services  Services
	SourceErr func() error  // why what is known of the Services may be old; nil: as the snapshot says
	Overrides func() string // the admin's overrides.yaml as it is now, "" for none; nil: not known
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	History   *controller.Changes // may be nil
	// Primary and TrustedNamespaces are the configuration's, for advice.
	Primary           map[string]backend.Ref
	TrustedNamespaces []string
	Namespace         string // that HolmesGPT runs in

	Authorizer Authorizer // nil: everybody may
	Metrics    Requests   // may be nil
	Log        *slog.Logger

	Version    string
	Target     string // what is written: namespace/name of the ConfigMap, or a directory
	Standalone bool   // without a cluster: Services and documents are files
	Directory  bool   // documents are files
	Stopping   <-chan struct{}

	Agent *agent.Agent // who asks HolmesGPT; nil: nobody
}

// API is what answers.
type API struct {
	o       Options
	limits  limits
	mux     *http.ServeMux
	zipped  http.Handler // mux, compressing where that is asked for
	openapi []byte
	known   cached
	origin  *http.CrossOriginProtection
	streams streams
}

// limits of time and number; tests have smaller ones.
type limits struct {
	write     time.Duration // of an answer, and of one event of a stream
	discover  time.Duration // until a discovery is answered with what is known by then
	lookup    time.Duration // of a Service that is read live
	keepAlive time.Duration // between comments in a stream
	look      time.Duration // between looks at what no snapshot tells
	gather    time.Duration // between two events "status" of a stream
	authorize time.Duration // between reviews of who reads a stream
	streams   int           // in all; one reader may have half
}

// New makes an API. The error is a mistake in this package's own routes.
func New(o Options) (*API, error) {
	if o.Authorizer == nil {
		o.Authorizer = Anyone{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{o: o, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(), limits: limits{
		write: writeWithin, discover: 10 * time.Second, lookup: 5 * time.Second,
		keepAlive: 15 * time.Second, look: time.Second, gather: 250 * time.Millisecond, authorize: time.Minute, streams: 64,
	}}
	a.zipped = zipped(a.mux)
	described := a.register()
	text, err := json.Marshal(described)
	if err != nil {
		return nil, fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	a.openapi = text
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
	c.Info.Description = "What the service found in the cluster, what it wrote for HolmesGPT, and why. " +
		"Answers come from the last discovery. Errors are problem documents (RFC 9457)."
	// Served here, and without the page that loads scripts from elsewhere.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil // which put $schema into bodies
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{a.asProblem}
	c.AllowAdditionalPropertiesByDefault = true // fields may be added later
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[backend.Code](), reflect.TypeFor[reasonCode]())
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[view.WarningCode](), reflect.TypeFor[warningCode]())
	if _, open := a.o.Authorizer.(Anyone); !open {
		c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
			"bearer": {Type: "http", Scheme: "bearer", Description: "A token of the cluster, such as a ServiceAccount's."},
		}
		c.Security = []map[string][]string{{"bearer": {}}}
	}
	return c
}
