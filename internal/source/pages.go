package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxPage is the size in bytes of the largest page of a List that is read. A thousand Services, or EndpointSlices of a few
// pods each, take less. A single object, which the API server stores up to 1.5 MiB, is read however large it is.
const maxPage = 2 << 20

// Pages calls list for page after page of a List, until it returns no token for a next one. A page has at most size objects,
// and fewer where objects are so large that it would not be read (see BoundPages). Where the pages so far become too old, it
// goes on from the same place with what is there now.
func Pages(size int64, o metav1.ListOptions, list func(metav1.ListOptions) (next string, err error)) error {
	const step = 4
	for o.Limit = size; ; {
		next, err := list(o)
		switch {
		case apierrors.IsRequestEntityTooLargeError(err) && o.Limit > 1:
			o.Limit = max(o.Limit/step, 1)
			continue
		case err != nil && resumeToken(err) != "" && resumeToken(err) != o.Continue:
			next = resumeToken(err)
		case err != nil:
			return err
		case next == "":
			return nil
		}
		o.Continue, o.Limit = next, min(o.Limit+o.Limit/step+1, size)
	}
}

// resumeToken is the token with which the API server answers, beside 410, where the pages so far have become too old: the
// List goes on from the same place with what is there now
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks).
func resumeToken(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsResourceExpired(err) || !errors.As(err, &status) {
		return ""
	}
	return status.Status().Continue
}

// BoundPages keeps a page of a List, which a client holds as bytes and as objects at the same time, from taking more memory
// than maxPage and a few times that: who may write objects decides how large they are. A larger page is answered with 413
// instead, upon which Pages asks for a smaller one.
func BoundPages(next http.RoundTripper) http.RoundTripper { return boundPages{next} }

type boundPages struct{ next http.RoundTripper }

func (b boundPages) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	if limit := r.URL.Query().Get("limit"); limit == "" || limit == "1" { // no List, or as small as can be
		return resp, nil
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(io.LimitReader(resp.Body, maxPage+1)); err != nil {
		return nil, fmt.Errorf("reading a page of a List: %w", err)
	}
	if body.Len() > maxPage {
		const code = http.StatusRequestEntityTooLarge
		resp.Status, resp.StatusCode = http.StatusText(code), code
		resp.Header.Set("Content-Type", "text/plain")
		body.Reset()
	}
	resp.Body, resp.ContentLength = io.NopCloser(&body), int64(body.Len())
	return resp, nil
}

// WrappedRoundTripper lets client-go reach the connection.
func (b boundPages) WrappedRoundTripper() http.RoundTripper { return b.next }
