package openapi

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	must(t, err)
	res, err := http.DefaultClient.Do(r)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d, %v", res.StatusCode, err)
	}
	return text
}

// checker reads the description as anybody would.
func checker(t *testing.T, url string) validator.Validator {
	t.Helper()
	document, err := libopenapi.NewDocument(fetch(t, url+"/openapi.json"))
	must(t, err)
	if v := document.GetVersion(); !strings.HasPrefix(v, "3.1") {
		t.Errorf("OpenAPI %s, want 3.1", v)
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v
}

func TestDescriptionIsValid(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	if ok, errs := checker(t, start(t)).ValidateDocument(); !ok {
		for _, e := range errs {
			t.Errorf("%s: %s", e.Message, e.Reason)
			for _, s := range e.SchemaValidationErrors {
				t.Errorf("  %s: %s", s.FieldPath, s.Reason)
			}
		}
	}
}

// Every answer is as described, errors too.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-API-2")
	url := start(t)
	check := checker(t, url)
	for _, c := range []struct {
		method, path string
		code         int
	}{
		{"GET", "/api/v1/status", 200},
		{"GET", "/api/v1/toolsets", 200},
		{"GET", "/api/v1/toolsets?limit=1&healthy=true", 200},
		{"GET", "/api/v1/toolsets/prometheus%2Fmetrics", 200},
		{"GET", "/api/v1/toolsets/nothing", 404},
		{"GET", "/api/v1/services", 200},
		{"GET", "/api/v1/services?limit=2&verdict=accepted", 200},
		{"GET", "/api/v1/services?limit=0&verdict=x", 400},
		{"GET", "/api/v1/services/monitoring/prometheus", 200},
		{"GET", "/api/v1/services/shop/catalogue", 200},
		{"GET", "/api/v1/services/shop/nothing", 404},
		{"POST", "/api/v1/discover", 200},
		{"GET", "/api/v1/document", 200},
		{"GET", "/api/v1/changes", 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, http.NoBody)
		must(t, err)
		res, err := http.DefaultClient.Do(r)
		must(t, err)
		if res.StatusCode != c.code {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, res.StatusCode, c.code)
		}
		if ok, errs := check.ValidateHttpResponse(r, res); !ok {
			for _, e := range errs {
				t.Errorf("%s %s: %s: %s %+v", c.method, c.path, e.Message, e.Reason, e.SchemaValidationErrors)
			}
		}
		if ok, errs := check.ValidateHttpRequest(r); !ok && c.code == http.StatusOK {
			t.Errorf("%s %s: the request itself: %v", c.method, c.path, errs)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The checker sees what is not as described.
func TestCheckerRefuses(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	url := start(t)
	check := checker(t, url)
	for body, valid := range map[string]bool{
		`{"changes":[],"count":0}`: true, `{"changes":null,"count":0}`: false, `{"changes":[{"seq":"1"}],"count":0}`: false, `{"count":0}`: false,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/changes", http.NoBody)
		must(t, err)
		res := &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}
		if ok, _ := check.ValidateHttpResponse(r, res); ok != valid {
			t.Errorf("%s: valid is %v", body, ok)
		}
	}
}
