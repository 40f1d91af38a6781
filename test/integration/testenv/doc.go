//go:build integration

// Package testenv runs a real etcd and kube-apiserver for tests, with the unmodified binary beside them.
//
// There is no kube-proxy and there are no pods. Instead every Service gets a ClusterIP in 127.64.0.0/12, and a
// stand-in that listens on that address and port answers for it. EndpointSlices may not have loopback addresses, so their
// addresses are never dialled and only carry readiness. A test that must dial an endpoint has its own network: see
// OwnNetwork. This works only on Linux, where all of 127.0.0.0/8 belongs to the machine.
//
// The programs come from test/controlplane (or KUBEBUILDER_ASSETS); make controlplane builds them beforehand, because
// that takes longer than a test may. With go test -race the binary under test is built with the race detector too.
package testenv
