// Command build puts the real products of test/real that are missing into the user's cache, one after the other, within its
// time budget. It prints a line for each product that it builds or leaves out. It fails only if a product that its arguments
// name is left out.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/test/real/products"
)

func main() {
	os.Exit(run(log.New(os.Stdout, "", 0))) //nolint:forbidigo // this is main
}

func run(out *log.Logger) int {
	budget := flag.Duration("budget", 2*time.Hour, "build for so long and no longer; what would take longer than what is left is left out")
	longest := flag.Duration("longest", time.Hour, "leave out what takes longer than this on two cores")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root, err := products.Root()
	if err != nil {
		out.Print(err)
		return 1
	}
	wanted := flag.Args()
	end := time.Now().Add(*budget)
	var had, missing []string
	for _, p := range products.All() {
		if len(wanted) > 0 && !slices.Contains(wanted, p.Name) {
			continue
		}
		if err := get(ctx, out, p, root, *longest, end); err != nil {
			missing = append(missing, p.Name)
			out.Printf("left out %s: %v", p.Name, err)
			continue
		}
		had = append(had, p.Name)
	}
	left := ""
	if len(missing) > 0 {
		left = " (" + strings.Join(missing, ", ") + ")"
	}
	out.Printf("products: %d there, %d left out%s", len(had), len(missing), left)
	if len(wanted) > 0 && (len(missing) > 0 || len(had) < len(wanted)) {
		return 1
	}
	return 0
}

// get builds the product where it is not there, if there is time for it.
func get(ctx context.Context, out *log.Logger, p products.Product, root string, longest time.Duration, end time.Time) error {
	if p.Had(root) {
		return nil
	}
	needs := time.Duration(p.Seconds) * time.Second
	if needs > longest {
		return fmt.Errorf("building it takes about %v, and %v is the longest allowed", needs, longest)
	}
	if needs > time.Until(end) {
		return fmt.Errorf("building it takes about %v, and %v is left", needs, max(0, time.Until(end).Round(time.Second)))
	}
	ctx, cancel := context.WithTimeout(ctx, min(10*needs, time.Until(end)+time.Minute))
	defer cancel()
	started := time.Now()
	if err := p.Build(ctx, root); err != nil {
		return err
	}
	out.Printf("built %s in %v", p.Name, time.Since(started).Round(time.Second))
	return nil
}
