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

// pageSize is how many objects one answer holds. Larger ones take more memory, and were not found to be faster.
const pageSize = 1000

// maxPage is the size in bytes of the largest page of a List that is read. A thousand Services, or EndpointSlices of a
// few pods each, take less. A single object, which the API server stores up to 1.5 MiB, is read however large it is.
const maxPage = 2 << 20

// pages lists with client-go's pager. A page has fewer than size objects where those are so large that it would not be
// read (see boundPages), and where the pages so far become too old, it goes on from the same place with what is there
// now.
func pages(size int64, list pager.ListPageFunc) *pager.ListPager {
	const step = 4
	limit := size
	p := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		for {
			if o.Limit > 0 { // 0 is the pager's last resort: all at once
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

// resumeToken is the token with which the API server answers, beside 410, where the pages so far have become too old:
// the List goes on from the same place with what is there now
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks).
func resumeToken(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsResourceExpired(err) || !errors.As(err, &status) {
		return ""
	}
	return status.Status().Continue
}

// boundPages keeps a page of a List, which a client holds as bytes and as objects at the same time, from taking more
// memory than maxPage and a few times that: who may write objects decides how large they are. A larger page is answered
// with 413 instead, upon which a smaller one is asked for.
type boundPages struct{ next http.RoundTripper }

func newBoundPages(next http.RoundTripper) http.RoundTripper { return boundPages{next} }

func (b boundPages) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	if limit := r.URL.Query().Get("limit"); limit == "" || limit == "1" { // no List, or as small as can be
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

// WrappedRoundTripper lets client-go reach the connection.
func (b boundPages) WrappedRoundTripper() http.RoundTripper { return b.next }
