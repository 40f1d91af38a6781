package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Where objects are large, pages are small: every object is read once, and larger pages are tried again behind them.
func TestPagesOfLargeObjects(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	large := func(i int) bool { return i >= 300 && i < 310 }
	var got []int
	var limits []int64
	err := Pages(100, metav1.ListOptions{}, func(o metav1.ListOptions) (string, error) {
		from := 0
		_, _ = fmt.Sscan(o.Continue, &from)
		limits = append(limits, o.Limit)
		to, n := min(from+int(o.Limit), 400), 0
		for i := from; i < to; i++ {
			if large(i) {
				n++
			}
		}
		if n > 2 {
			return "", apierrors.NewRequestEntityTooLargeError("too large")
		}
		for i := from; i < to; i++ {
			got = append(got, i)
		}
		if to == 400 {
			return "", nil
		}
		return fmt.Sprint(to), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 400 || !slices.IsSorted(got) || got[399] != 399 {
		t.Errorf("%d are read: %v", len(got), got)
	}
	want := []int64{100, 100, 100, 100, 25, 6, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 6, 8, 11, 14, 18, 23, 29}
	if d := cmp.Diff(want, limits); d != "" {
		t.Errorf("pages (-want +got):\n%s", d)
	}

	failed := errors.New("away")
	if err := Pages(1, metav1.ListOptions{}, func(metav1.ListOptions) (string, error) { return "", failed }); !errors.Is(err, failed) {
		t.Errorf("a failure ends in %v", err)
	}
	too := apierrors.NewRequestEntityTooLargeError("x")
	if err := Pages(9, metav1.ListOptions{}, func(metav1.ListOptions) (string, error) { return "", too }); !errors.Is(err, too) {
		t.Errorf("one object that is too large ends in %v", err)
	}
}

// A cluster with objects of a megabyte is listed in full, and no page of more than a few megabytes is read.
func TestLargePagesAreNotRead(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	api := filled(60, "a")
	for i := range api.slices[:30] {
		api.slices[i].Annotations = map[string]string{"x": strings.Repeat("x", 1<<20)}
	}
	config := api.start(t)
	var most atomic.Int64
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil {
				resp.Body = &counted{ReadCloser: resp.Body, most: &most}
			}
			return resp, err
		})
	})
	rec := new(recorder)
	report, err := Cluster(t.Context(), config, rec, ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Services != 60 || report.Slices != 60 || len(rec.endpoints) != 60 {
		t.Errorf("%d Services and %d slices are read of 60", report.Services, report.Slices)
	}
	if n := most.Load(); n > maxPage+1 || n < 1<<20 {
		t.Errorf("%d bytes of a page are read", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// counted is a body; most is the most that was read of any.
type counted struct {
	io.ReadCloser
	most *atomic.Int64
	n    int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	c.most.Store(max(c.most.Load(), c.n))
	return n, err
}
