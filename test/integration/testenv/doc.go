//go:build integration

// Package testenv runs a real etcd and kube-apiserver for tests, with the unmodified binary beside them.
//
// There is no kube-proxy and there are no pods. Instead every Service gets a ClusterIP out of 127.64.0.0/12, and a stand-in
// that listens on that address and port is that Service. EndpointSlices may not hold loopback addresses, so they hold ones
// that nobody dials and only tell readiness. Where an endpoint must be dialled, a test has a network of its own: see
// OwnNetwork. It works on Linux only, where all of 127.0.0.0/8 is the machine's own.
//
// The programs come from test/controlplane (or KUBEBUILDER_ASSETS); make controlplane builds them beforehand, which takes
// longer than a test may. With go test -race the binary under test is built with the race detector too.
package testenv
