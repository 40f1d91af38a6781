package auth

import (
	"fmt"
	"net/http"

	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
)

// maxAnswer is far more than any review's answer has: the groups of a user are some kilobytes. client-go reads all there is.
const maxAnswer = 256 << 10

// ForCluster asks the cluster of a client configuration, whose identity needs the rights of the ClusterRole
// system:auth-delegator.
func ForCluster(config *rest.Config, o Options) (*Kubernetes, error) {
	c := rest.CopyConfig(config)
	c.QPS = -1 // reviews have a limit of their own
	c.Wrap(func(next http.RoundTripper) http.RoundTripper { return bounded{next} })
	who, err := authenticationv1.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("client for reviews of tokens: %w", err)
	}
	may, err := authorizationv1.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("client for reviews of rights: %w", err)
	}
	return NewKubernetes(who.TokenReviews(), may.SubjectAccessReviews(), o), nil
}

// bounded cuts off answers that are too long.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	return answer, nil
}
