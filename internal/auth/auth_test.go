package auth

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestBearerToken(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"none", nil, ""},
		{"usual", []string{"Bearer abc.def"}, "abc.def"},
		{"any case", []string{"bEARER abc"}, "abc"},
		{"more spaces", []string{"  Bearer   abc  "}, "abc"},
		{"another scheme", []string{"Basic abc"}, ""},
		{"scheme alone", []string{"Bearer"}, ""},
		{"scheme and space", []string{"Bearer "}, ""},
		{"no scheme", []string{"abc"}, ""},
		{"longer scheme", []string{"BearerX abc"}, ""},
		{"two headers", []string{"Bearer abc", "Bearer abc"}, ""},
		{"two tokens stay together, and are refused later", []string{"Bearer abc def"}, "abc def"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{Header: http.Header{"Authorization": tt.headers}}
			if got := BearerToken(r); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	for err, retry := range map[error]bool{ErrUnauthenticated: false, ErrForbidden: false, ErrUnavailable: true, ErrBusy: true, errors.New("x"): false} {
		got := RetryAfter(fmt.Errorf("wrapped: %w", err))
		if (got > 0) != retry || got%time.Second != 0 {
			t.Errorf("%v: %s", err, got)
		}
	}
}
