// Package recipe describes how to give HolmesGPT the credentials of a backend, from the catalog's data about charts and
// operators. It names Secrets and never reads them.
package recipe

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// For returns the ways to give HolmesGPT the credentials that a backend needs, the best first. The list is empty if the
// backend needs no credentials, or HolmesGPT's toolset cannot hold them. namespace is HolmesGPT's. If the configuration
// does not name the variables, a recipe has the line to add. An admin decides on that line, because the owner of the
// Service receives the credentials that HolmesGPT sends.
func For(f *backend.Finding, t *catalog.Type, namespace string) (list []backend.Recipe) {
	if t == nil || f.Service == nil || f.Candidate == nil || f.Candidate.ForeignHost {
		return nil // the Service's labels do not describe a foreign host
	}
	wants := len(f.Remedies) > 0 && f.Reason.Code != backend.CodeTenantMissing
	if !f.AgentToken && len(f.Credentials) == 0 && !wants {
		return nil
	}
	kept := func(r backend.Recipe) bool { return r.Secret != "" }
	for i := range t.Toolset.Recipes {
		r := one(f, t, &t.Toolset.Recipes[i], namespace)
		if r != nil && (!kept(*r) || !slices.ContainsFunc(list, kept)) {
			list = append(list, *r)
		}
	}
	if f.AgentToken {
		return list
	}
	named := func(r backend.Recipe) bool { return r.Line == "" }
	if len(list) == 0 || len(f.Credentials) > 0 && !slices.ContainsFunc(list, named) {
		list = append(list, byHand(f, t, namespace))
	}
	slices.SortStableFunc(list, func(a, b backend.Recipe) int { return backend.CompareBool(!named(a), !named(b)) })
	return list
}

// one fills a recipe of the catalog with the names of a finding. It returns nil if the recipe does not apply.
func one(f *backend.Finding, t *catalog.Type, c *catalog.Recipe, namespace string) *backend.Recipe {
	secret := c.SecretOf(f.Service)
	if c.AgentToken != f.AgentToken || !c.Applies(f.Service) || c.Secret != "" && secret == "" {
		return nil
	}
	r := &backend.Recipe{By: c.By, Source: c.Source, Secret: secret, Note: c.Note}
	if !c.AgentToken {
		fields := map[string]string{}
		maps.Copy(fields, c.Keys)
		maps.Copy(fields, c.Values)
		fill(r, f, t, fields, namespace)
	}
	for i := range r.Items {
		r.Items[i].Key, r.Items[i].Value = c.Keys[r.Items[i].Field], c.Values[r.Items[i].Field]
	}
	for _, s := range c.Steps {
		r.Steps = append(r.Steps, backend.Step{Text: s.Text, Command: s.Fill(f.Ref, namespace, r.Copy)})
	}
	return r
}

// byHand returns the recipe for credentials that no known chart or operator stores: people put them into a Secret.
func byHand(f *backend.Finding, t *catalog.Type, namespace string) backend.Recipe {
	fields := f.Credentials
	if len(fields) == 0 {
		fields = Defaults(t, f.Observation.Wants)
	}
	r := backend.Recipe{}
	fill(&r, f, t, fields, namespace)
	for i := range r.Items {
		r.Items[i].Key = r.Items[i].Field
	}
	return r
}

// fill sets the variables of the fields, the Secret that holds their values, and the line of the configuration. The
// fields are the keys of the map. It sets no line if the configuration names exactly these fields already.
func fill(r *backend.Recipe, f *backend.Finding, t *catalog.Type, fields map[string]string, namespace string) {
	r.Copy = fmt.Sprintf("dynamic-toolset.%s.%s.%s", t.Type, f.Namespace, f.Name)
	if r.Secret != "" && f.Namespace == namespace {
		r.Copy = r.Secret
	}
	names := f.Credentials
	if !slices.Equal(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(names))) {
		names = map[string]string{}
		for i := range t.Toolset.Credentials {
			c := &t.Toolset.Credentials[i]
			if _, ok := fields[c.Field]; ok {
				names[c.Field] = c.Variable + Suffix(f)
			}
		}
		r.Line = Line(f, names)
	}
	for _, field := range slices.Sorted(maps.Keys(names)) {
		i := slices.IndexFunc(t.Toolset.Credentials, func(c catalog.Credential) bool { return c.Field == field })
		if i >= 0 {
			holds := t.Toolset.Credentials[i].Value
			r.Items = append(r.Items, backend.RecipeItem{Field: field, Variable: names[field], Holds: holds})
		}
	}
}

// Suffix returns the suffix of a Service's variables. It differs for each Service, because a dash becomes two
// underscores. It is empty for a Service that is entitled to the usual variables, unless another Service has them.
func Suffix(f *backend.Finding) string {
	switch {
	case f.Apart != "":
		return f.Apart
	case f.Entitled:
		return ""
	}
	return named(f.Ref)
}

func named(ref backend.Ref) string {
	return "_" + strings.ToUpper(strings.NewReplacer("-", "__", "/", "_").Replace(ref.String()))
}

// Apart returns a suffix for the suggested variables if the usual suffix makes a variable of another Service, else "".
// An owner could choose the names of a namespace and a Service so that they form a variable that the configuration
// gives to another Service.
func Apart(f *backend.Finding, t *catalog.Type, anothers func(variable string) bool) string {
	taken := func(suffix string) bool {
		return slices.ContainsFunc(t.Toolset.Credentials, func(c catalog.Credential) bool {
			return c.Variable != "" && anothers(c.Variable+suffix)
		})
	}
	if t == nil || !taken(Suffix(f)) {
		return ""
	}
	suffix := named(f.Ref)
	for n := 0; taken(suffix); n++ {
		suffix = fmt.Sprintf("%s_%.4X", named(f.Ref), sha256.Sum256(fmt.Append(nil, f.Ref, n)))
	}
	return suffix
}

// Line returns the line of the configuration that names the variables. The keys of variables are fields of the toolset.
func Line(f *backend.Finding, variables map[string]string) string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(variables)) {
		fields = append(fields, field+": "+variables[field])
	}
	return fmt.Sprintf("credentials: {%s: {%s: {%s}}}", f.Type, f.Ref, strings.Join(fields, ", "))
}

// Defaults returns the fields of one kind of credential with their usual variables. The kind "" stands for the usual
// kind of the type.
func Defaults(t *catalog.Type, kind backend.Kind) map[string]string {
	m := map[string]string{}
	if t == nil {
		return m
	}
	kind = cmp.Or(kind, backend.Kind(t.Toolset.Usual()))
	for i := range t.Toolset.Credentials {
		if c := &t.Toolset.Credentials[i]; c.Variable != "" && backend.Kind(c.Is()) == kind {
			m[c.Field] = c.Variable
		}
	}
	return m
}
