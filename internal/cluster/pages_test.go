package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Where objects are large, pages are small: every object is read once, and larger pages are tried again behind them.
func TestPagesOfLargeObjects(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	large := func(i int) bool { return i >= 300 && i < 310 }
	var got []string
	var limits []int64
	err := pages(100, func(_ context.Context, o metav1.ListOptions) (runtime.Object, error) {
		from := 0
		_, _ = fmt.Sscan(o.Continue, &from)
		limits = append(limits, o.Limit)
		to, n := min(from+int(o.Limit), 400), 0
		page := &corev1.ServiceList{}
		for i := from; i < to; i++ {
			if large(i) {
				n++
			}
			page.Items = append(page.Items, corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%03d", i)}})
		}
		if n > 2 {
			return nil, apierrors.NewRequestEntityTooLargeError("too large")
		}
		if to < 400 {
			page.Continue = fmt.Sprint(to)
		}
		return page, nil
	}).EachListItem(t.Context(), metav1.ListOptions{}, func(o runtime.Object) error {
		got = append(got, o.(*corev1.Service).Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 400 || !slices.IsSorted(got) || got[399] != "399" {
		t.Errorf("%d are read: %v", len(got), got)
	}
	want := []int64{100, 100, 100, 100, 25, 6, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 6, 8, 11, 14, 18, 23, 29}
	if d := cmp.Diff(want, limits); d != "" {
		t.Errorf("pages (-want +got):\n%s", d)
	}

	for what, failure := range map[string]error{
		"a failure": errors.New("away"), "one object that is too large": apierrors.NewRequestEntityTooLargeError("x"),
	} {
		_, _, err := pages(9, func(context.Context, metav1.ListOptions) (runtime.Object, error) { return nil, failure }).
			List(t.Context(), metav1.ListOptions{})
		if !errors.Is(err, failure) {
			t.Errorf("%s ends in %v", what, err)
		}
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
	report, err := list(t.Context(), config, rec)
	if err != nil {
		t.Fatal(err)
	}
	if report.Services != 60 || len(rec.slices) != 60 {
		t.Errorf("%d Services and %d slices are read of 60", report.Services, len(rec.slices))
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
