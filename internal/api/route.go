package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"kubernaut.io/dynamic-toolset/internal/auth"
)

// maxBody is far more than any request needs.
const maxBody = 64 << 10

// writeWithin is how long the caller may take to read an answer.
const writeWithin = 30 * time.Second

// starting is when it is worth to ask again before the first discovery has ended, which takes 5 s at most.
const starting = 2 * time.Second

// register makes the routes, and what describes them.
func (a *API) register() *huma.OpenAPI {
	h := huma.NewAPI(a.config(), &adapter{a})
	registry := h.OpenAPI().Components.Schemas
	registry.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())

	a.registerStatus(h)
	a.registerToolsets(h)
	a.registerServices(h)
	a.registerExplanation(h)
	a.registerDiscovery(h)
	a.registerDocument(h)
	a.registerChanges(h)
	a.registerStream(h)

	for _, schema := range registry.Map() {
		if allowed, ok := schema.AdditionalProperties.(bool); ok && allowed { // as without it; generators make a field of it
			schema.AdditionalProperties = nil
		}
		for _, property := range schema.Properties { // no list is ever null
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
	a.mux.HandleFunc("/openapi.json", methods(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		traceOf(r.Context()).endpoint = "/openapi.json"
		w.Header().Set("Content-Type", mediaJSON)
		a.respond(w, r, http.StatusOK, a.openapi)
	}))
	a.mux.HandleFunc("/api/", notFound)
	a.mux.HandleFunc("/api", notFound)
	return h.OpenAPI()
}

// right is what a caller must be allowed to do.
type right struct{ verb, resource string }

const metadataRight = "right"

// operation describes a route. The summary is one sentence; codes are the errors that it may have beside those that every
// route may have.
func operation(method, path, id, summary string, r right, codes ...int) huma.Operation {
	o := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{r.resource},
		Metadata: map[string]any{metadataRight: r}, Responses: map[string]*huma.Response{},
	}
	codes = append(codes, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotAcceptable,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable)
	for _, code := range codes {
		o.Responses[strconv.Itoa(code)] = &huma.Response{
			Description: http.StatusText(code),
			Content:     map[string]*huma.MediaType{mediaProblem: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}},
		}
	}
	return o
}

// adapter gives huma the routes of a ServeMux, and does first what is the same for all of them.
type adapter struct{ api *API }

func (ad *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { ad.api.mux.ServeHTTP(w, r) }

// Handle implements huma.Adapter.
func (ad *adapter) Handle(op *huma.Operation, handle func(huma.Context)) {
	pattern, wants := op.Path, op.Metadata[metadataRight].(right)
	if op.OperationID == "get-toolset" { // names hold slashes
		ad.api.mux.HandleFunc(strings.Replace(pattern, "{name}", "{$}", 1), notFound)
		pattern = strings.Replace(pattern, "{name}", "{name...}", 1)
	}
	produces := mediaJSON
	if op.Responses["200"] != nil && op.Responses["200"].Content[mediaEvents] != nil {
		produces = mediaEvents
	}
	ad.api.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		traceOf(r.Context()).endpoint = op.Path
		methods(op.Method, func(w http.ResponseWriter, r *http.Request) {
			if p := ad.api.check(w, r, wants, produces); p != nil {
				send(w, r, p)
				return
			}
			x := &exchange{humaContext: humago.NewContext(op, r, w), writer: w, request: r, body: ad.api.buffers.get()}
			defer ad.api.buffers.put(x.body)
			handle(x)
			if !x.direct {
				ad.api.respond(w, r, x.code, x.body.Bytes())
			}
		})(w, r)
	})
}

// methods lets one method through, and HEAD where GET is.
func methods(method string, next http.HandlerFunc) http.HandlerFunc {
	allow := method
	if method == http.MethodGet {
		allow = "GET, HEAD"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			send(w, r, problem(http.StatusMethodNotAllowed, "expected %s", strings.ReplaceAll(allow, ", ", " or ")).with("Allow", allow))
			return
		}
		next(w, r)
	}
}

// check is what must hold before a request is looked at. Who may not ask learns nothing else.
func (a *API) check(w http.ResponseWriter, r *http.Request, wants right, produces string) *Problem {
	if err := a.origin.Check(r); err != nil { // another site's page, in the browser of somebody who may
		return problem(http.StatusForbidden, "this was sent by a page of another site")
	}
	user, err := a.o.Authorizer.Authorize(r.Context(), auth.BearerToken(r), auth.Attributes{Verb: wants.verb, Resource: wants.resource})
	traceOf(r.Context()).user = user.Name
	if err != nil {
		return refusal(err)
	}
	if !accepts(r.Header.Values("Accept"), produces) {
		return problem(http.StatusNotAcceptable, "the answer is %s, which the header Accept excludes", produces)
	}
	if p := readBody(w, r); p != nil {
		return p
	}
	if s := a.o.State.Snapshot(); s == nil || !s.Discovered {
		return problem(http.StatusServiceUnavailable, "the first discovery has not ended; ask again in some seconds").retry(starting)
	}
	return nil
}

// refusal is the answer to an error of an Authorizer.
func refusal(err error) *Problem {
	p := problem(http.StatusServiceUnavailable, "%s", err)
	switch {
	case errors.Is(err, auth.ErrUnauthenticated):
		p = problem(http.StatusUnauthorized, "%s", err).with("WWW-Authenticate", auth.Challenge)
	case errors.Is(err, auth.ErrForbidden):
		p = problem(http.StatusForbidden, "%s", err)
	case errors.Is(err, auth.ErrBusy):
		p = problem(http.StatusTooManyRequests, "%s", err)
	}
	if after := auth.RetryAfter(err); after > 0 {
		return p.retry(after)
	}
	return p
}

// ByPath lets those pass to next who may get its path, as Prometheus setups grant it: by nonResourceURLs.
func ByPath(who Authorizer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := who.Authorize(r.Context(), auth.BearerToken(r), auth.Attributes{Verb: "get", NonResourcePath: r.URL.Path})
		// Those who read nothing are given up. A writer that knows no deadlines has nobody who could wait.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin))
		if err == nil {
			next.ServeHTTP(w, r)
			return
		}
		refuse(w, r, refusal(err))
	})
}

// Busy answers a request that the server has no room for.
func Busy(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, problem(http.StatusServiceUnavailable, "too many requests are answered at the moment; try again in some seconds").retry(starting))
}

// ByHost lets those pass to next who ask for a host that is ours; others are told, in one sentence, what to ask for.
func ByHost(ours func(host string) bool, instead string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ours(r.Host) {
			refuse(w, r, problem(http.StatusMisdirectedRequest, "%s", instead))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers a request that does not get as far as the API.
func refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	t := &trace{id: requestID(r.Header.Get(headerRequestID))}
	w.Header().Set(headerRequestID, t.id)
	send(w, r.WithContext(context.WithValue(r.Context(), traceKey{}, t)), p)
}

// readBody reads the whole body, so that the connection can be used again, and puts it back. Only JSON is taken; none is fine.
func readBody(w http.ResponseWriter, r *http.Request) *Problem {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	if r.ContentLength > maxBody {
		return tooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooMuch := (*http.MaxBytesError)(nil); errors.As(err, &tooMuch) {
		return tooLarge()
	}
	if err != nil {
		return problem(http.StatusBadRequest, "the body could not be read to its end")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 || r.Method != http.MethodPost {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaJSON {
		return problem(http.StatusUnsupportedMediaType, "expected a body of %s, or none", mediaJSON).with("Accept-Post", mediaJSON)
	}
	return nil
}

func tooLarge() *Problem {
	return problem(http.StatusRequestEntityTooLarge, "a body may have %d KiB; no request needs one", maxBody>>10)
}

type humaContext huma.Context

// exchange is huma's view of a request. What huma writes is kept until it is whole, so that an error in the middle is an
// error and not half an answer.
type exchange struct {
	humaContext
	writer  http.ResponseWriter
	request *http.Request
	code    int
	body    *bytes.Buffer
	direct  bool // a stream: what is written is sent
}

func (x *exchange) SetStatus(code int)    { x.code = status(code) }
func (x *exchange) Status() int           { return x.code }
func (x *exchange) BodyWriter() io.Writer { return x.body }

// stream sends the headers; what comes is the caller's to write.
func (x *exchange) stream() http.ResponseWriter {
	x.direct = true
	traceOf(x.request.Context()).stream = true
	x.writer.WriteHeader(http.StatusOK)
	return x.writer
}
