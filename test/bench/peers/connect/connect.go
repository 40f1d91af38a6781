// Package connect holds what the programs in peers share: the main function, the kubeconfig and the client.
package connect

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// Main runs a program until it ends by itself or is told to, and returns the exit code. Programs say on standard output, one
// line each, what the benchmark waits for.
func Main(run func(ctx context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Say tells the benchmark something.
func Say(format string, a ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", a...) } // nobody would be left to tell

// Kubeconfig defines the flag that names the kubeconfig.
func Kubeconfig() *string { return flag.String("kubeconfig", "", "path of the kubeconfig") }

// Client talks protobuf, and asks as often as it likes.
func Client(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
	}
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}
