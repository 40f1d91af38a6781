package server

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// writeWithin is the time that a caller has to read a response.
const writeWithin = 30 * time.Second

// starting is the time to wait before a retry while the first discovery runs, which takes at most 5 s.
const starting = 2 * time.Second

// register adds the routes and returns their OpenAPI document.
func (a *API) register() *huma.OpenAPI {
	h := humago.New(a.mux, a.config())
	h.UseMiddleware(a.check)
	registry := h.OpenAPI().Components.Schemas
	registry.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())

	a.registerStatus(h)
	a.registerAgent(h)
	a.registerToolsets(h)
	a.registerServices(h)
	a.registerExplanation(h)
	a.registerDiscovery(h)
	a.registerDocument(h)
	a.registerChanges(h)
	a.registerStream(h)

	for _, schema := range registry.Map() {
		// as without it; generators make a field of it
		if allowed, ok := schema.AdditionalProperties.(bool); ok && allowed {
			schema.AdditionalProperties = nil
		}
		for _, property := range schema.Properties { // no list is ever null
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
	// The name of a toolset may contain slashes. net/http needs "..." in the pattern for that; OpenAPI has no such
	// syntax.
	paths := h.OpenAPI().Paths
	paths["/api/v1/toolsets/{name}"] = paths["/api/v1/toolsets/{name...}"]
	delete(paths, "/api/v1/toolsets/{name...}")
	a.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		traceOf(r.Context()).endpoint = "/openapi.json"
		w.Header().Set("Content-Type", mediaJSON)
		text := a.openapi.plain
		if acceptsGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
			text = a.openapi.gzip
		}
		_, _ = w.Write(text)
	})
	a.mux.HandleFunc("GET /api/v1/toolsets/{$}", notFound)
	return h.OpenAPI()
}

const metadataRight = "right"

// operation describes a route. The summary is one sentence. codes are the error codes in addition to those of every
// route.
func operation(method, path, id, summary string, r Right, codes ...int) huma.Operation {
	o := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{r.Resource},
		Metadata: map[string]any{metadataRight: r}, Responses: map[string]*huma.Response{},
		Extensions: map[string]any{"x-right": r.Verb + " " + r.Resource},
	}
	codes = append(codes, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusNotAcceptable, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusServiceUnavailable)
	for _, code := range codes {
		o.Responses[strconv.Itoa(code)] = &huma.Response{
			Description: http.StatusText(code),
			Content: map[string]*huma.MediaType{
				mediaProblem: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
			},
		}
	}
	return o
}

// handle adds a route that answers with a JSON body.
func handle[In, Body any](h huma.API, o huma.Operation, answer func(context.Context, *In) (Body, error)) {
	huma.Register(h, o, func(ctx context.Context, in *In) (*struct{ Body Body }, error) {
		body, err := answer(ctx, in)
		if err != nil {
			return nil, err
		}
		return &struct{ Body Body }{body}, nil
	})
}

// check refuses a request before its parameters are read. Callers without the right learn nothing else.
func (a *API) check(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	t := traceOf(r.Context())
	t.endpoint = strings.Replace(ctx.Operation().Path, "...}", "}", 1)
	if p := a.refusal(r, t, ctx.Operation()); p != nil {
		send(w, r, p)
		return
	}
	next(&response{humaContext: ctx, api: a})
}

func (a *API) refusal(r *http.Request, t *trace, o *huma.Operation) *Problem {
	if err := a.origin.Check(r); err != nil { // another site's page, in the browser of a user with rights
		return problem(http.StatusForbidden, "a page of another site sent this request")
	}
	wants := o.Metadata[metadataRight].(Right)
	user, err := a.o.Authorizer.Authorize(r.Context(), bearerToken(r), wants)
	t.user = user
	if err != nil {
		return denied(err)
	}
	media := mediaJSON
	if o.Path == pathStream {
		media = mediaEvents
	}
	if !accepts(r, media) {
		return problem(http.StatusNotAcceptable, "the response is %s, which the header Accept excludes", media)
	}
	if r.Method == http.MethodPost && !strings.HasPrefix(r.Header.Get("Content-Type"), mediaJSON) && hasBody(r) {
		return problem(http.StatusUnsupportedMediaType, "expected a body of type %s, or no body", mediaJSON).
			with("Accept-Post", mediaJSON)
	}
	if s := a.o.State.Snapshot(); s == nil || !s.Discovered {
		return problem(http.StatusServiceUnavailable,
			"the first discovery has not ended; try again in a few seconds").retry(starting)
	}
	return badQuery(r.URL.RawQuery)
}

// badQuery refuses a query of which huma would leave out a part without a word: a filter that is not applied, in an
// answer that looks as if it were.
func badQuery(query string) *Problem {
	values, err := url.ParseQuery(query)
	if err != nil {
		return problem(http.StatusBadRequest, "the query is not valid: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if n := len(values[name]); n > 1 {
			return problem(http.StatusBadRequest, "the query parameter %q is given %d times", name, n)
		}
	}
	return nil
}

// hasBody reports whether a request has a body. It reads one byte of it, which no route needs.
func hasBody(r *http.Request) bool {
	n, _ := io.ReadFull(r.Body, make([]byte, 1))
	return n > 0
}

// accepts reports whether the header Accept, which may be missing, names a media type. Weights (q=) are not read.
func accepts(r *http.Request, media string) bool {
	kind, _, _ := strings.Cut(media, "/")
	header := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.TrimSpace(header) == "" || strings.Contains(header, media) ||
		strings.Contains(header, kind+"/*") || strings.Contains(header, "*/*")
}

type humaContext huma.Context // embedded under this name, because huma.Context has a method Context

// response sends a body of huma in one piece, and compresses it if the client accepts that.
type response struct {
	humaContext
	api  *API
	code int
}

// SetStatus keeps the status until the body is written. A bad filter is 400, not huma's 422.
func (x *response) SetStatus(code int) { x.code = status(code) }

// BodyWriter implements huma.Context.
func (x *response) BodyWriter() io.Writer { return x }

// Write sends the response with all of its body. It returns no error, because huma panics if the client is gone.
func (x *response) Write(body []byte) (int, error) {
	r, w := humago.Unwrap(x)
	sent := body
	if len(body) >= smallestZipped && acceptsGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		sent = x.api.zip.compress(body)
	}
	w.WriteHeader(x.code)
	_, _ = w.Write(sent)
	return len(body), nil
}

// Unwrap is for humago.
func (x *response) Unwrap() huma.Context { return x.humaContext }
