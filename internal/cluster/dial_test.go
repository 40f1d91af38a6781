package cluster

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDialerWaitsForTheAPIServer(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(time.Minute)
		ours, theirs := net.Pipe()
		defer ours.Close()
		defer theirs.Close()
		var log bytes.Buffer
		failures := 0
		d := &dialer{
			log: slog.New(slog.NewTextHandler(&log, nil)), failed: func() { failures++ },
			dial: func(context.Context, string, string) (net.Conn, error) {
				if time.Now().Before(back) {
					return nil, errors.New("connection refused")
				}
				return ours, nil
			},
		}
		for range 2 {
			if conn, err := d.untilConnected(t.Context(), "tcp", "192.0.2.1:443"); err != nil || conn != ours {
				t.Fatalf("got %v, %v", conn, err)
			}
		}
		if late := time.Since(back); late > 1500*time.Millisecond {
			t.Errorf("connected %s after it was back", late)
		}
		if failures < 40 || failures > 120 {
			t.Errorf("tried %d times in a minute", failures)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("want one line when it goes and one when it is back:\n%s", log.String())
		}

		back = time.Now().Add(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		if _, err := d.untilConnected(ctx, "tcp", "192.0.2.1:443"); err == nil || time.Since(begun) > 11*time.Second {
			t.Errorf("stopped with %v after %s", err, time.Since(begun))
		}
	})
}
