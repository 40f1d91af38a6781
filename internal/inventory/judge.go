package inventory

import (
	"cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// judge returns the verdict on one candidate from its detection and its probe, before it is compared with others.
func judge(c *backend.Candidate, o *backend.Observation) (backend.Verdict, backend.Code) {
	seen := cmp.Or(o.Seen.Code, backend.CodeObserved)
	if o.Cause == backend.CauseDenied { // overrides all other evidence
		return backend.Rejected, seen
	}
	sure := c.Strength >= backend.Strong && !c.PortGuessed
	switch o.Outcome {
	case backend.Unprobed:
		switch {
		case c.Unproven:
			return backend.Accepted, backend.CodeIncludedUnproven
		case sure:
			return backend.Accepted, backend.CodeRecognised
		case c.Strength >= backend.Strong:
			return backend.Unconfirmed, backend.CodePortUnknown
		}
		return backend.Unconfirmed, backend.CodeWeakEvidence
	case backend.Ready:
		if c.Custom || c.Type == backend.TypeMCP {
			return backend.Accepted, backend.CodeAnswers
		}
		return backend.Accepted, backend.CodeWorks
	case backend.AuthRequired:
		if o.Wants == backend.KindCertificate { // HolmesGPT has no variable for a certificate
			if len(c.Files) > 0 {
				return backend.Accepted, backend.CodeCertificateGiven
			}
			break
		}
		if c.Strength >= backend.Strong || o.Identity {
			return backend.Accepted, backend.CodeCredentialsWanted
		}
		return backend.Unconfirmed, backend.CodeWeakLocked
	case backend.WrongIdentity:
		return backend.Rejected, seen
	}
	if c.Strength >= backend.Strong || o.Identity {
		return backend.Unavailable, seen
	}
	return backend.Unconfirmed, backend.CodeWeakUnasked
}
