// Command page is the limit of the API: a bare net/http server that answers every request with the same bytes.
package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/peers/connect"
)

func main() { os.Exit(connect.Main(run)) } //nolint:forbidigo // this is main

func run(ctx context.Context) error {
	file := flag.String("file", "", "with the answer")
	flag.Parse()
	body, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	connect.Say("http://%s", l.Addr())
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
