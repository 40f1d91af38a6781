package config_test

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// Types of the user's own catalog are known and suggested; where a file of it cannot be read a name may be one of its types.
func TestTypesOfTheOwnCatalog(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	const good, bad = "catalog.dir=../catalog/testdata/good", "catalog.dir=../catalog/testdata/one-bad"
	for _, tt := range []struct{ dir, set, want string }{
		{good, "primary.acme=a/b", ""},
		{good, "primary.acmee=a/b", `primary.acmee: unknown type; did you mean "acme"?`},
		{good, "primary.acme-eu=a/b", ""},
		{good, "primary.promethues=a/b", `did you mean "prometheus"?`},
		{bad, "primary.promethues=a/b", ""},
		{"catalog.dir=", "primary.acmee=a/b", ""},
		{"catalog.dir=", "primary.custom=a/b", ""},
		{"catalog.dir=", "primary.customers=a/b", ""},
		{"catalog.dir=", "primary.mcp=a/b", ""},
	} {
		_, err := config.Load("", []string{tt.dir, tt.set})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s, %s: %v", tt.dir, tt.set, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s, %s: got %v, want %q", tt.dir, tt.set, err, tt.want)
		}
	}
}
