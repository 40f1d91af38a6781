// Command react is the limit of a reaction: it watches Services, and at each event writes one key of one ConfigMap by
// server-side apply. No program that writes what it watches can be faster.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"kubernaut.io/dynamic-toolset/test/bench/peers/connect"
)

func main() { os.Exit(connect.Main(run)) } //nolint:forbidigo // this is main

func run(ctx context.Context) error {
	kubeconfig := connect.Kubeconfig()
	namespace := flag.String("namespace", "", "of the ConfigMap")
	name := flag.String("name", "", "of the ConfigMap")
	flag.Parse()
	client, err := connect.Client(*kubeconfig)
	if err != nil {
		return err
	}
	services := client.CoreV1().Services("")
	list, err := services.List(ctx, metav1.ListOptions{Limit: 1}) // its version is the same
	if err != nil {
		return fmt.Errorf("listing Services: %w", err)
	}
	w, err := services.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return fmt.Errorf("watching Services: %w", err)
	}
	defer w.Stop()
	connect.Say("watching")
	force := metav1.ApplyOptions{FieldManager: "react", Force: true}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, ok := <-w.ResultChan():
			if !ok {
				return errors.New("the watch has ended")
			}
			s, ok := event.Object.(*corev1.Service)
			if !ok || event.Type == watch.Bookmark {
				continue
			}
			cm := applycorev1.ConfigMap(*name, *namespace).WithData(map[string]string{"last": s.Name + " " + s.ResourceVersion})
			if _, err := client.CoreV1().ConfigMaps(*namespace).Apply(ctx, cm, force); err != nil {
				return fmt.Errorf("applying the ConfigMap: %w", err)
			}
		}
	}
}
