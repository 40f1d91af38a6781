package inventory

import (
	"cmp"
	"fmt"
	"maps"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/recipe"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// giveCredentials decides which instances carry references to credentials. Two rules hold. First, a reference goes
// only to an instance that the configuration names or to a primary in a trusted namespace, and never to an unproven
// one, nor to one that has no TLS although it should. Second, a reference must not break what works: HolmesGPT fails
// every instance of a toolset if one variable is missing. So no reference is written by default while another instance
// of the toolset works without credentials.
func giveCredentials(all []*backend.Finding, o Options) {
	open := o.openToolsets(all)
	o.keepApart(all)
	for _, f := range all {
		if f.Verdict != backend.Accepted || f.Candidate.Unproven {
			continue
		}
		f.Vouched = o.vouched(f)
		plain := f.LacksTLS()
		if fields := o.Credentials[f.Type][f.Ref]; len(fields) > 0 {
			if !plain {
				f.Credentials = maps.Clone(fields)
				continue
			}
			f.Reason = backend.Reason{Code: backend.CodeCredentialsPlain}
		}
		if !o.wants(f) {
			continue
		}
		t := o.Type(f.Type)
		if o.Primary[f.Type] != f.Ref && o.tokenHelps(f) {
			f.AgentToken = true
			continue
		}
		defaults := recipe.Defaults(t, cmp.Or(f.Observation.Wants, knownKind(f)))
		beside := endangered(t, open)
		if o.entitled(f) && beside == nil && len(defaults) > 0 && !plain {
			f.Credentials = defaults
			if f.Observation.Outcome == backend.AuthRequired {
				f.Reason = backend.Reason{Code: backend.CodeCredentialsGiven}
			}
			continue
		}
		if !plain {
			f.Remedies = o.remedies(f, defaults, beside != nil)
		}
		if f.Observation.Outcome == backend.AuthRequired {
			f.Verdict, f.Reason = backend.Unavailable, o.withheld(f, t, defaults, beside)
			if f.Primary && !f.Provisional {
				ofType := func(o *backend.Finding) bool { return o.Candidate != nil && o.Type == f.Type }
				keepPlace(filter(all, ofType), f.Ref, backend.PrimaryPreferred)
			}
			f.Primary, f.Provisional, f.PrimaryBy = false, false, ""
		}
	}
}

// wants reports whether an instance is known to require credentials: a probe said so, or it was not probed and its
// type usually does, or the catalog says so about the Service.
func (o *Options) wants(f *backend.Finding) bool {
	switch f.Observation.Outcome {
	case backend.AuthRequired:
		return f.Reason.Code != backend.CodeCertificateGiven
	case backend.Unprobed:
		t := o.Type(f.Type)
		return !f.Candidate.Unproven && t != nil && (t.Toolset.UsuallyWantsCredentials || knownKind(f) != "")
	}
	return false
}

// knownKind returns the kind of credential that an unprobed instance is known to require, "" if no kind is known.
func knownKind(f *backend.Finding) backend.Kind {
	if f.Observation.Outcome == backend.Unprobed {
		for _, w := range f.Candidate.Wants {
			if w.Credential != "" {
				return w.Credential
			}
		}
	}
	return ""
}

// entitled reports whether an instance may get the reference that its type has by default.
func (o *Options) entitled(f *backend.Finding) bool {
	if want, ok := o.Primary[f.Type]; ok {
		return f.Ref == want
	}
	return f.Primary && !f.Provisional && o.Trusts(f.Namespace)
}

// openToolsets returns HolmesGPT's toolsets that have an instance that works without a variable, by name, with the
// first such instance.
func (o *Options) openToolsets(all []*backend.Finding) map[string]*backend.Finding {
	open := map[string]*backend.Finding{}
	for _, f := range all {
		needs := o.wants(f) && (o.Primary[f.Type] == f.Ref || !o.tokenHelps(f)) ||
			len(o.Credentials[f.Type][f.Ref]) > 0 && !f.LacksTLS()
		if f.Verdict != backend.Accepted || f.Candidate.Unproven || needs {
			continue
		}
		for _, name := range toolsets(o.Type(f.Type)) {
			if open[name] == nil {
				open[name] = f
			}
		}
	}
	return open
}

// endangered returns an instance that would fail if a variable of the type's toolsets were missing, nil if there is no
// such instance.
func endangered(t *catalog.Type, open map[string]*backend.Finding) *backend.Finding {
	for _, name := range toolsets(t) {
		if f := open[name]; f != nil {
			return f
		}
	}
	return nil
}

// toolsets returns the toolsets in the HolmesGPT document that the instances of a type share with each other and with
// those of other types.
func toolsets(t *catalog.Type) (names []string) {
	if t == nil {
		return nil
	}
	for i := range t.Toolset.HolmesGPT {
		names = append(names, t.EntryName(i, false))
	}
	return names
}

// remedies returns the configuration lines that would give an instance its credentials, the most certain first. People
// copy these lines, and a stranger's Service may come first. So the variable is named after the Service, unless the
// configuration makes the usual variable belong to this Service. Trusting the namespace is offered only if no
// namespace is trusted.
func (o *Options) remedies(f *backend.Finding, defaults map[string]string, beside bool) []string {
	if len(defaults) == 0 {
		return nil
	}
	variables := map[string]string{}
	for field, v := range defaults {
		variables[field] = v + recipe.Suffix(f)
	}
	lines := []string{recipe.Line(f, variables)}
	_, named := o.Primary[f.Type]
	if f.Primary && !f.Provisional && !named && !beside && len(o.TrustedNamespaces) == 0 {
		lines = append(lines, fmt.Sprintf("security: {trustedNamespaces: [%s]}", safetext.YAMLName(f.Namespace)))
	}
	return lines
}

// withheld returns why an instance that requires credentials is not published.
func (o *Options) withheld(
	f *backend.Finding, t *catalog.Type, defaults map[string]string, beside *backend.Finding,
) backend.Reason {
	switch {
	case f.LacksTLS():
		return backend.Reason{Code: backend.CodeCredentialsPlain}
	case len(defaults) == 0:
		return backend.Reason{Code: backend.CodeCredentialsNoPlace}
	}
	r := backend.Reason{Code: backend.CodeCredentialsMissing}
	if o.Trusts(f.Namespace) { // so that it would get the usual ones as the primary
		switch {
		case f.Kept.For != (backend.Ref{}):
			r.Code = backend.CodeCredentialsKept
		case f.Provisional:
			r.Code = backend.CodeCredentialsBlocked
		}
	}
	for _, c := range t.Toolset.Credentials {
		if _, ok := defaults[c.Field]; ok && c.Value != "" && r.Value == "" {
			r.Value = c.Value
		}
	}
	if beside != nil {
		r.Other = beside.Ref
	}
	return r
}
