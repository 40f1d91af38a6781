// Command list is the limit of a cold start: it starts, LISTs Services and EndpointSlices in protobuf, and ends. No program
// that needs all of them can begin sooner.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"kubernaut.io/dynamic-toolset/test/bench/peers/connect"
)

func main() { os.Exit(connect.Main(run)) } //nolint:forbidigo // this is main

func run(ctx context.Context) error {
	kubeconfig := connect.Kubeconfig()
	parallel := flag.Bool("parallel", false, "both at once")
	flag.Parse()
	client, err := connect.Client(*kubeconfig)
	if err != nil {
		return err
	}
	if !*parallel {
		return listed(services(ctx, client), slices(ctx, client))
	}
	other := make(chan func() (int, error), 1)
	go func() { n, err := slices(ctx, client)(); other <- func() (int, error) { return n, err } }()
	return listed(services(ctx, client), func() (int, error) { return (<-other)() })
}

func listed(first, second func() (int, error)) error {
	n, err := first()
	if err != nil {
		return fmt.Errorf("listing Services: %w", err)
	}
	m, err := second()
	if err != nil {
		return fmt.Errorf("listing EndpointSlices: %w", err)
	}
	connect.Say("listed %d %d", n, m)
	return nil
}

func services(ctx context.Context, client *kubernetes.Clientset) func() (int, error) {
	return func() (int, error) {
		l, err := client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return 0, err
		}
		return len(l.Items), nil
	}
}

func slices(ctx context.Context, client *kubernetes.Clientset) func() (int, error) {
	return func() (int, error) {
		l, err := client.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return 0, err
		}
		return len(l.Items), nil
	}
}
