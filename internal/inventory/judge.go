package inventory

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// judge is the verdict on one candidate by what detection and its probe say, before it is compared with others.
func judge(c *backend.Candidate, o *backend.Observation) (backend.Verdict, string) {
	verdict, reason := judgeAlone(c, o)
	if c.Detected != "" {
		reason = fmt.Sprintf("taken for %s by %s, it turned out to be its relative %s: %s", c.Detected, c.Signs[0], c.Type, reason)
	}
	if verdict == backend.Accepted && o.Outcome == backend.Unprobed {
		for _, w := range c.Wants {
			reason += "; it is known to want " + w.What
		}
	}
	return verdict, strings.Join(append([]string{reason}, o.Warnings...), "; ")
}

func judgeAlone(c *backend.Candidate, o *backend.Observation) (backend.Verdict, string) {
	if o.Cause == backend.CauseDenied { // whatever else is said for it
		return backend.Rejected, o.Detail
	}
	sure := c.Strength >= backend.Strong && !c.PortGuessed
	switch o.Outcome {
	case backend.Unprobed:
		switch {
		case c.Unproven:
			return backend.Accepted, "its owner says so and wants it published unproven"
		case sure:
			return backend.Accepted, "recognised by " + c.Signs[0] + "; not probed"
		case c.Strength >= backend.Strong:
			return backend.Unconfirmed, fmt.Sprintf("a headless Service whose target port %q is a name: which number the pods listen on is known only from its EndpointSlices", c.Port.Target.String())
		}
		return backend.Unconfirmed, "only " + signs(c) + " speaks for it: a probe would tell"
	case backend.Ready:
		if c.Custom || c.Type == backend.TypeMCP {
			return backend.Accepted, "included by its annotation, and it answers"
		}
		return backend.Accepted, "it proved what it is and works"
	case backend.AuthRequired:
		if o.Wants == backend.KindCertificate { // no variable of HolmesGPT's helps
			break
		}
		if c.Strength >= backend.Strong || o.Identity {
			return backend.Accepted, "it is up and wants credentials"
		}
		return backend.Unconfirmed, "only " + signs(c) + " speaks for it, and it does not show what it is without credentials"
	case backend.WrongIdentity:
		return backend.Rejected, o.Detail
	}
	if c.Strength >= backend.Strong || o.Identity {
		return backend.Unavailable, o.Detail
	}
	return backend.Unconfirmed, "only " + signs(c) + " speaks for it, and it could not be asked: " + o.Detail
}

func signs(c *backend.Candidate) string {
	text := c.Signs[0]
	for i, s := range c.Signs[1:] {
		if i == len(c.Signs)-2 {
			text += " and " + s
		} else {
			text += ", " + s
		}
	}
	return text
}
