package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
)

// pageSize is the number of objects in a page. Larger pages take more memory and are not faster, as measured.
const pageSize = 1000

// maxPage is the largest size in bytes of a page that is read. A thousand Services, or EndpointSlices of a few pods
// each, take less. A page of one object is read whatever its size, which the API server limits to 1.5 MiB.
const maxPage = 2 << 20

// pages returns client-go's pager with two additions. If a page is too large to be read (see boundPages), it requests
// smaller pages. If the pages so far have expired, it continues from the same place with the present state.
func pages(size int64, list pager.ListPageFunc) *pager.ListPager {
	const step = 4
	limit := size
	p := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		for {
			if o.Limit > 0 { // 0 is the pager's last resort: a list without pages
				o.Limit = limit
			}
			page, err := list(ctx, o)
			switch token := resumeToken(err); {
			case apierrors.IsRequestEntityTooLargeError(err) && limit > 1:
				limit = max(limit/step, 1)
			case token != "" && token != o.Continue:
				o.Continue = token
			default:
				limit = min(limit+limit/step+1, size)
				return page, err
			}
		}
	})
	p.PageSize, p.PageBufferSize = size, 0
	return p
}

// each calls do for each object of a typed client's list.
func each[L, T runtime.Object](
	ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), o metav1.ListOptions, do func(T),
) error {
	return pages(pageSize, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, o)
	}).EachListItem(ctx, o, func(object runtime.Object) error {
		if t, ok := object.(T); ok {
			do(t)
		}
		return nil
	})
}

// resumeToken returns the token in the API server's 410 response about expired pages. With it a List continues from the
// same place with the present state
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks).
func resumeToken(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsResourceExpired(err) || !errors.As(err, &status) {
		return ""
	}
	return status.Status().Continue
}

// boundPages limits the memory for a page of a List, because owners decide how large their objects are, and a client
// holds a page as bytes and as objects at the same time. It replaces a response of more than maxPage bytes by 413, so
// that pages requests a smaller one.
type boundPages struct{ next http.RoundTripper }

func newBoundPages(next http.RoundTripper) http.RoundTripper { return boundPages{next} }

func (b boundPages) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	if limit := r.URL.Query().Get("limit"); limit == "" || limit == "1" { // not a page, or the smallest possible page
		return resp, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, fmt.Errorf("reading a page of a List: %w", err)
	}
	if len(body) > maxPage {
		const code = http.StatusRequestEntityTooLarge
		resp.Status, resp.StatusCode = http.StatusText(code), code
		resp.Header.Set("Content-Type", "text/plain")
		body = nil
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// WrappedRoundTripper returns the wrapped RoundTripper. client-go needs it to close connections.
func (b boundPages) WrappedRoundTripper() http.RoundTripper { return b.next }
