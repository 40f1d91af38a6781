package cli

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/cert"
)

// An authority is renewed while the service runs: the file is read again when it has changed, and what is broken
// leaves the last ones.
func TestAuthoritiesRenewed(t *testing.T) {
	t.Attr("req", "DTS-PRB-11 DTS-QA-5")
	file := filepath.Join(t.TempDir(), "ca.crt")
	write := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	authority := func() []byte {
		t.Helper()
		pem, _, err := cert.GenerateSelfSignedCertKey("localhost", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return pem
	}
	synctest.Test(t, func(t *testing.T) {
		write(authority())
		current, err := authorities(file)
		if err != nil {
			t.Fatal(err)
		}
		first := current()
		pass := func() { time.Sleep(lookAgain) } //nolint:forbidigo // on the clock of synctest
		if pass(); !current().Equal(first) {
			t.Error("another pool, and the file is the same")
		}
		write(authority())
		pass()
		second := current()
		if second.Equal(first) {
			t.Error("the new authority is not trusted")
		}
		write([]byte("half a file"))
		if pass(); !current().Equal(second) {
			t.Error("a broken file takes the last authorities away")
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if pass(); !current().Equal(second) {
			t.Error("a missing file takes the last authorities away")
		}
	})
}
