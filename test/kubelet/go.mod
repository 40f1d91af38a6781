// A stand-in for the part of a kubelet that forwards ports, of Kubernetes' own streaming package. It is a module of its own so
// that none of it is part of the service.
module kubernaut.io/dynamic-toolset/test/kubelet

go 1.26.8

require k8s.io/cri-streaming v0.37.0

require (
	github.com/go-logr/logr v1.4.3 // indirect
	github.com/moby/spdystream v0.5.1 // indirect
	golang.org/x/net v0.57.0 // indirect
	k8s.io/klog/v2 v2.140.0 // indirect
	k8s.io/streaming v0.37.0 // indirect
	k8s.io/utils v0.0.0-20260626114624-be93311217bd // indirect
)
