package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

const internalError = "the service could not create the response; see its log for this request_id"

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
	mediaEvents  = "text/event-stream"
)

// Problem is the body of every error response, as in RFC 9457.
type Problem struct {
	Type      string   `json:"type" doc:"Always about:blank; the status gives the kind of error"`
	Title     string   `json:"title"`
	Status    int      `json:"status"`
	Detail    string   `json:"detail" doc:"The error, and what to do about it"`
	RequestID string   `json:"request_id" doc:"The same id as in the header X-Request-ID and in the log"`
	Errors    []Detail `json:"errors,omitempty" doc:"All errors, if the parameters of the request are wrong"`

	headers http.Header
}

// Detail is one error in a request.
type Detail struct {
	Location string `json:"location" doc:"The parameter, such as query.limit"`
	Message  string `json:"message"`
}

// problem creates a Problem. huma sends it if a handler returns it.
func problem(status int, format string, args ...any) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...),
	}
}

// retry sets the header Retry-After.
func (p *Problem) retry(after time.Duration) *Problem {
	seconds := int64((after + time.Second - 1) / time.Second)
	return p.with("Retry-After", strconv.FormatInt(max(1, seconds), 10))
}

func (p *Problem) with(header, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(header, value)
	return p
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return mediaProblem }

// asProblem turns huma's errors into problems, and sets the request id of all problems.
func (a *API) asProblem(ctx huma.Context, _ string, v any) (any, error) {
	id := traceOf(ctx.Context()).id
	var p *Problem
	switch e := v.(type) {
	case *Problem:
		p = e
	case *huma.ErrorModel:
		p = a.ofHuma(e, id)
	default:
		return v, nil
	}
	p.RequestID = id
	return p, nil
}

// ofHuma returns the problem for an error of huma. An internal error is logged and has no details.
func (a *API) ofHuma(e *huma.ErrorModel, id string) *Problem {
	if e.Status >= http.StatusInternalServerError {
		a.o.Log.Error("request failed",
			"request_id", id, "err", e.Detail, "errors", fmt.Sprint(e.Errors))
		return problem(http.StatusInternalServerError, internalError)
	}
	p := problem(status(e.Status), "%s", e.Detail)
	for _, d := range e.Errors {
		p.Errors = append(p.Errors, Detail{Location: d.Location, Message: expected(d.Message)})
	}
	if len(p.Errors) > 0 {
		p.Detail = summary(p.Errors)
	}
	return p
}

// summary describes the errors in one line.
func summary(errors []Detail) string {
	first := errors[0].Message
	if name := errors[0].Location; name != "" {
		_, name, _ = strings.Cut(name, ".")
		first = name + ": " + first
	}
	if more := len(errors) - 1; more > 0 {
		return fmt.Sprintf("%s (and %d more)", first, more)
	}
	return first
}

// expected rewrites a message of huma so that it names the expected value.
func expected(message string) string {
	switch message {
	case "invalid boolean":
		return "expected true or false"
	case "invalid integer":
		return "expected a whole number"
	}
	return strings.Replace(message, "expected value to be one of", "expected one of", 1)
}

// status returns the status to send for a status of huma: a bad filter is 400, not 422.
func status(code int) int {
	if code == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return code
}

// send writes a problem outside of huma.
func send(w http.ResponseWriter, r *http.Request, p *Problem) {
	t := traceOf(r.Context())
	p.RequestID = t.id
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	text, err := json.Marshal(p)
	if err != nil { // never: texts and numbers can always be encoded
		text = []byte("{}")
	}
	text = append(text, '\n')
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", mediaProblem)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(text) // an error means that the client is gone
}

// format encodes JSON with encoding/json, which escapes < and >. So a stranger's text is never HTML, even if a client
// treats the body as HTML. The encoder writes all of a body at once, and nothing if it fails. huma would then write a
// text and panic; without that text, Handler can still answer with a problem.
var format = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		if err := json.NewEncoder(w).Encode(v); err != nil {
			panic(err) //nolint:forbidigo // as huma
		}
		return nil
	},
	Unmarshal: json.Unmarshal,
}
