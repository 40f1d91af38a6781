package probe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Hundreds of backends at once show certificates for tens of thousands of names, a new one with each connection.
func TestManyLargeCertificatesTakeLittleMemory(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	const unknown = "its certificate is signed by an unknown authority; give its CA in tls.caFile, or list the Service in tls.insecureSkipVerify"
	for names, want := range map[int]string{
		6_000: unknown, 45_000: "its certificates take more than 32 KiB; name fewer hosts in them",
	} {
		t.Run(fmt.Sprint(names), func(t *testing.T) { largeCertificates(t, names, want) })
	}
}

// largeCertificates starts 256 backends that each show a certificate for that number of names.
func largeCertificates(t *testing.T, names int, want string) {
	a := newAuthority(t)
	small := a.issue(t, testHost, time.Hour)
	template, err := x509.ParseCertificate(small.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for range names {
		template.URIs = append(template.URIs, &url.URL{Scheme: "a", Opaque: "b"})
	}
	der, err := x509.CreateCertificate(nil, template, a.cert, template.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d KiB", len(der)>>10)
	var n atomic.Uint32
	server := &http.Server{
		Handler: http.NotFoundHandler(), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute,
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			other := slices.Clone(der)
			binary.BigEndian.PutUint32(other[len(other)-4:], n.Add(1))
			return &tls.Certificate{Certificate: [][]byte{other}, PrivateKey: small.PrivateKey}, nil
		}},
	}
	t.Cleanup(func() { _ = server.Close() })
	typ := lookupType(t, "prometheus")
	var targets []Target
	for i := range 256 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.77.0.%d:0", i))
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = server.ServeTLS(l, "", "") }()
		one := targetAt(l.Addr(), typ)
		one.Candidate.Scheme = "https"
		one.Candidate.Service.Namespace, one.Candidate.Service.Name = "evil", fmt.Sprint("s", i)
		targets = append(targets, one)
	}
	before := collected()
	stop, most := make(chan struct{}), uint64(0)
	measured := make(chan struct{})
	go func() {
		defer close(measured)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				most = max(most, collected())
			}
		}
	}()
	p := newProber(t, Options{RootCAs: a.roots, Concurrency: 256, Timeout: time.Minute, Tries: 1})
	begun := time.Now()
	outcomes := map[string]int{}
	for _, o := range p.ProbeAll(t.Context(), targets, func(int, backend.Observation) {}) {
		outcomes[said(o)]++
	}
	close(stop)
	<-measured
	more := (int64(most) - int64(before)) >> 20
	t.Logf("%s, %d MiB more, %v", time.Since(begun), more, outcomes)
	if more > 256 { // of which the backends hold half
		t.Errorf("%d MiB are held", more)
	}
	if outcomes[want] != len(targets) {
		t.Errorf("want all to be %q: %v", want, outcomes)
	}
}

// collected collects the garbage and returns the size of what it left. What is allocated until somebody measures is no
// part of it.
func collected() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
