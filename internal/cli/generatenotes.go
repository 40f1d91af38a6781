package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/recipe"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// reportDocument prints on standard error what people should know about the document.
func (d *discovered) reportDocument(s Streams, doc *toolset.Document) {
	for _, w := range view.DocumentWarnings(doc.Warnings) {
		warn(s, "%s", w)
	}
	d.reportWarnings(s)
	d.reportNotWritten(s)
	d.reportNotAsked(s)
	d.reportRemedies(s)
	d.reportWants(s)
	reportVariables(s, doc.Variables())
	d.reportRecipes(s)
	d.reportCA(s)
	reportTokens(s, view.Toolsets(doc))
}

// reportTokens prints the tokens that the toolsets add to each request of the agent, the largest first.
func reportTokens(s Streams, toolsets []view.Toolset) {
	const most = 12
	sum, unknown := view.Cost(toolsets)
	toolsets = slices.DeleteFunc(toolsets, func(t view.Toolset) bool { return t.Tokens == nil || *t.Tokens == 0 })
	slices.SortStableFunc(toolsets, func(a, b view.Toolset) int { return cmp.Compare(*b.Tokens, *a.Tokens) })
	var each []string
	rest := sum
	for _, t := range toolsets[:min(len(toolsets), most)] {
		each = append(each, fmt.Sprintf("%s %d", t.Name, *t.Tokens))
		rest -= *t.Tokens
	}
	if rest > 0 {
		each = append(each, fmt.Sprintf("the others together %d", rest))
	}
	if unknown > 0 {
		each = append(each, fmt.Sprintf("unknown for %d more", unknown))
	}
	note(s, "with each request the agent's model reads some %d tokens about the toolsets: %s",
		sum, strings.Join(each, ", "))
}

// reportRecipes names the backends whose credentials have a known source.
func (d *discovered) reportRecipes(s Streams) {
	for _, f := range d.findings {
		recipes := recipe.For(f, d.catalog.Lookup(f.Type), d.config.Output.Namespace)
		if len(recipes) == 0 || recipes[0].By == "" {
			continue
		}
		where := "can come from " + recipes[0].By
		if secret := recipes[0].Secret; secret != "" {
			where = fmt.Sprintf("are in the Secret %s/%s, as made by %s", f.Namespace, secret, recipes[0].By)
		}
		note(s, "%s %s: its credentials %s; explain %[2]s shows the lines that bring them to HolmesGPT",
			f.Type, f.Ref, where)
	}
}

// reportNotWritten names the backends that people would expect in the document, and the reason why each is left out.
func (d *discovered) reportNotWritten(s Streams) {
	said := map[string]bool{} // tenants of one Service often have the same reason
	for _, f := range d.findings {
		text := fmt.Sprintf("not written: %s %s: %s", f.Type, f.Ref, view.Reason(f))
		if f.Verdict == backend.Unavailable && !said[text] {
			said[text] = true
			note(s, "%s", text)
		}
	}
	if n := d.count(backend.Unconfirmed); n > 0 {
		note(s, "not written: %s that may be a backend, which is not confirmed; discover --all lists them",
			services(n))
	}
	if d.count(backend.Accepted) == 0 {
		note(s, "no backends among %s: the document has only what holmesgpt.baseline and the overrides give it",
			services(d.known.Count()))
	}
}

// reportNotAsked notes that backends from files were not probed: the document follows their labels alone.
func (d *discovered) reportNotAsked(s Streams) {
	if n := d.count(backend.Accepted); n > 0 && !d.probed && d.cluster == nil {
		note(s, "not probed: %s, written from what the Services and the configuration say; "+
			"run this with --probe=direct to find out which work, and below which base path", services(n))
	}
}

// reportRemedies names the backends that are written without the credentials that they usually need, and the
// configuration to add.
func (d *discovered) reportRemedies(s Streams) {
	said := map[string]bool{} // tenants of one Service have the same
	for _, f := range d.findings {
		if f.Verdict == backend.Accepted && len(f.Remedies) > 0 && !said[f.Remedies[0]] {
			said[f.Remedies[0]] = true
			const or = "  or, if you trust the owners of that namespace,  "
			note(s, "%s %s is written without credentials, which such a backend usually requires; "+
				"to name them, add to the configuration: %s", f.Type, f.Ref, strings.Join(f.Remedies, or))
		}
	}
}

// reportWants prints the known needs of backends that were not probed, each need once.
func (d *discovered) reportWants(s Streams) {
	var wants []backend.Want
	refs := map[backend.Want][]string{}
	for _, f := range d.findings {
		for _, w := range f.Wanting() {
			if refs[w] == nil {
				wants = append(wants, w)
			}
			if !slices.Contains(refs[w], f.Ref.String()) {
				refs[w] = append(refs[w], f.Ref.String())
			}
		}
	}
	for _, w := range wants {
		note(s, "%s: not probed; HolmesGPT fails the toolset without %s",
			strings.Join(refs[w], ", "), w.What)
	}
}

// reportCA names the backends whose certificates HolmesGPT cannot verify without a further authority.
func (d *discovered) reportCA(s Streams) {
	var refs []string
	for _, f := range d.findings {
		if f.Verdict == backend.Accepted && f.Observation.OwnCA && !slices.Contains(refs, f.Ref.String()) {
			refs = append(refs, f.Ref.String())
		}
	}
	if len(refs) > 0 {
		note(s, "%s: for %s", view.SameCA, strings.Join(refs, ", "))
	}
}

// reportVariables lists the environment variables that HolmesGPT needs.
func reportVariables(s Streams, variables []toolset.Variable) {
	if len(variables) == 0 {
		return
	}
	note(s, "HolmesGPT needs these environment variables, or it fails the toolsets that refer to them:")
	for _, v := range variables {
		where := v.Toolset
		if v.Instance != "" {
			where += ", instance " + v.Instance
		}
		note(s, "  %s  (%s of %s)", v.Name, v.Field, where)
	}
}
