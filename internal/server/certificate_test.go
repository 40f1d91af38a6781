package server

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/cert"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// pair is a new certificate and its key, as PEM.
func pair(t testing.TB) (certificate, key []byte, serial string) {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKeyWithOptions(cert.SelfSignedCertKeyOptions{Host: "localhost", MaxAge: lifetime})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key, c.Leaf.SerialNumber.String()
}

func write(t testing.TB, dir string, contents map[string][]byte) {
	t.Helper()
	for name, data := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func inDir(dir string) config.ServerTLS {
	return config.ServerTLS{Mode: config.TLSFiles, CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
}

func TestBadFiles(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	cert, key, _ := pair(t)
	_, other, _ := pair(t)
	block := func(kind string) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte("x")}) }
	tests := []struct {
		name string
		cert []byte
		key  []byte
		want string
	}{
		{"no certificate file", nil, key, "no such file"},
		{"no key file", cert, nil, "no such file"},
		{"empty", []byte{}, key, "failed to find any PEM data"},
		{"rubbish", cert, []byte("rubbish"), "failed to find any PEM data"},
		{"swapped", key, cert, "may have been switched"},
		{"key twice", key, key, "failed to find certificate"},
		{"certificate twice", cert, cert, "failed to find PEM block"},
		{"passphrase", cert, block("ENCRYPTED PRIVATE KEY"), "without a passphrase"},
		{"another's key", cert, other, "does not match"},
		{"rubbish within", block("CERTIFICATE"), key, "malformed certificate"},
		{"another file as key", cert, block("SOMETHING"), "failed to find PEM block"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range map[string][]byte{"tls.crt": tt.cert, "tls.key": tt.key} {
				if data != nil {
					write(t, dir, map[string][]byte{name: data})
				}
			}
			_, err := TLS(inDir(dir), unlogged)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range []string{tt.want, "server.tls", "tls.crt", "tls.key", "PEM"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

// mount puts the files where kubelet puts those of a Secret: the names link into ..data, which is a link that is swapped.
func mount(t testing.TB, dir, version string, contents map[string][]byte) {
	t.Helper()
	data := filepath.Join(dir, "..version-"+version)
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, data, contents)
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(filepath.Base(data), next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	for name := range contents {
		link := filepath.Join(dir, name)
		if _, err := os.Lstat(link); err != nil {
			if err := os.Symlink(filepath.Join("..data", name), link); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFilesChange(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		said := func(what string) int {
			n := strings.Count(log.String(), what)
			return n
		}
		dir := t.TempDir()
		cert1, key1, serial1 := pair(t)
		mount(t, dir, "1", map[string][]byte{"tls.crt": cert1, "tls.key": key1})
		c, err := TLS(inDir(dir), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		serves := func(step, serial string) {
			t.Helper()
			for range 3 { // connections
				<-time.After(time.Second)
				if got := current(t, c).SerialNumber.String(); got != serial {
					t.Errorf("%s: served %s, want %s", step, got, serial)
				}
			}
		}
		serves("at the start", serial1)

		cert2, key2, serial2 := pair(t)
		mount(t, dir, "2", map[string][]byte{"tls.crt": cert2, "tls.key": key2})
		serves("links swapped", serial2)
		if said("TLS certificate loaded") != 2 || said("TLS certificate rejected") != 0 {
			t.Errorf("log:\n%s", log.String())
		}

		mount(t, dir, "3", map[string][]byte{"tls.crt": []byte("rubbish"), "tls.key": key2})
		serves("rubbish", serial2)
		mount(t, dir, "4", map[string][]byte{"tls.crt": cert1, "tls.key": key2})
		serves("half of it", serial2)
		if err := os.Remove(filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
		serves("gone", serial2)
		if said("TLS certificate rejected") != 3 {
			t.Errorf("three bad pairs were logged %d times:\n%s", said("TLS certificate rejected"), log.String())
		}

		mount(t, dir, "5", map[string][]byte{"tls.crt": cert2, "tls.key": key2})
		serves("as it was", serial2)
		mount(t, dir, "6", map[string][]byte{"tls.crt": cert1, "tls.key": key1})
		serves("good again", serial1)
		mount(t, dir, "7", map[string][]byte{"tls.crt": []byte("rubbish"), "tls.key": key2})
		serves("rubbish again", serial1)
		if said("TLS certificate rejected") != 4 {
			t.Errorf("the same mistake made again was not logged:\n%s", log.String())
		}
	})
}

// A certificate that has ended is served, since that says more to a client than no connection, and it is logged.
func TestFilesEnded(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		dir := t.TempDir()
		cert, key, serial := pair(t)
		write(t, dir, map[string][]byte{"tls.crt": cert, "tls.key": key})
		<-time.After(lifetime + time.Second)
		c, err := TLS(inDir(dir), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if got := current(t, c).SerialNumber.String(); got != serial || !strings.Contains(log.String(), "not valid today") {
			t.Errorf("served %s, want %s; log:\n%s", got, serial, log.String())
		}
	})
}

// Many connections at once while the files change: for the race detector.
func TestFilesConcurrently(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		cert, key, _ := pair(t)
		write(t, dir, map[string][]byte{"tls.crt": cert, "tls.key": key})
		c, err := TLS(inDir(dir), unlogged)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			go func() {
				for range 20 {
					if got, err := c.GetCertificate(&tls.ClientHelloInfo{}); err != nil || got == nil {
						t.Errorf("no certificate: %v", err)
					}
					<-time.After(300 * time.Millisecond)
				}
			}()
		}
		for range 3 {
			<-time.After(2 * time.Second)
			cert, key, _ := pair(t)
			write(t, dir, map[string][]byte{"tls.crt": cert, "tls.key": key})
		}
		synctest.Wait()
	})
}
