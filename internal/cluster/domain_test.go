package cluster

import (
	"os"
	"path/filepath"
	"testing"
)

// The domain is what kubelet puts behind a pod's own namespace.
func TestDomain(t *testing.T) {
	t.Attr("req", "DTS-DET-7")
	tests := map[string]struct{ text, want string }{
		"a pod":                           {"search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n", "cluster.local"},
		"another domain":                  {"nameserver 10.96.0.10\nsearch shop.svc.k8s.example.com svc.k8s.example.com k8s.example.com example.com\n", "k8s.example.com"},
		"written in full and in capitals": {"search shop.svc.K8s.Example.com. svc.k8s.example.com.\n", "k8s.example.com"},
		"behind the host's own":           {"search corp.example.com shop.svc.one.example\n", "one.example"},
		"the last line counts":            {"search shop.svc.first\nsearch shop.svc.second\n", "second"},
		"a machine":                       {"search corp.example.com\nnameserver 192.0.2.1\n", "cluster.local"},
		"a comment":                       {"# search shop.svc.other\n", "cluster.local"},
		"no domain":                       {"search shop.svc. a.svc..b a.svc.b_c\n", "cluster.local"},
		"empty":                           {"", "cluster.local"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "resolv.conf")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := Domain(file); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := Domain(filepath.Join(t.TempDir(), "none")); got != "cluster.local" {
		t.Errorf("without a file: %q", got)
	}
}

// A pod of one cluster can have a kubeconfig of another, whose Services it cannot reach.
func TestSameServer(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	for _, tt := range []struct {
		own, chosen string
		want        bool
	}{
		{"https://10.96.0.1:443", "https://10.96.0.1:443", true},
		{"https://10.96.0.1:443", "https://10.96.0.1", true},
		{"https://10.96.0.1:443", "10.96.0.1/", true},
		{"https://10.96.0.1:443", "https://10.96.0.1:6443", false},
		{"https://10.96.0.1:443", "https://203.0.113.7:6443", false},
		{"https://10.96.0.1:443", "https://api.other.example.com", false},
		{"https://10.96.0.1:443", "https://kubernetes.default.svc", true},
		{"https://10.96.0.1:443", "https://Kubernetes.default.svc.cluster.local:443", true},
		{"https://10.96.0.1:443", "https://kubernetes.default", true},
		{"https://10.96.0.1:443", "https://kubernetes.default.example.com", false},
		{"https://10.96.0.1:443", "https://kubernetes.docker.internal:6443", false},
		{"https://[fd00::1]:443", "https://[fd00::1]", true},
		{"https://[fd00::1]:443", "https://[fd00::2]", false},
	} {
		if got := sameServer(tt.own, tt.chosen); got != tt.want {
			t.Errorf("in a cluster at %s, %s is its own: %t", tt.own, tt.chosen, got)
		}
	}
}
