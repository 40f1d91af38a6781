package view

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/recipe"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Values are the values of HolmesGPT's chart with which HolmesGPT can use a document.
type Values struct {
	ConfigMap backend.Ref
	Needs     doctor.Needs
	Findings  []*backend.Finding // of the document, with their credentials
	Catalog   *catalog.Catalog
	Authority []byte // certificates in PEM that verify backends, nil for none
}

// maxCertificate limits the certificates in an environment variable, in bytes. Linux limits a variable to 128 KiB,
// which holds this much in base64.
const maxCertificate = 90 << 10

// YAML returns the values as text. Comments say what else to do.
func (v *Values) YAML() string {
	w := &valuesWriter{ns: v.ConfigMap.Namespace}
	w.line("# For HolmesGPT's own chart, installed in namespace %s; "+
		"for Robusta's put all of it below holmes. Helm replaces", w.ns)
	w.line("# lists: where your values have one of these already, put all entries into one.")
	w.line("additionalEnvVars:")
	w.variable(doctor.Location, doctor.MountPath+"/custom_toolset.yaml")
	w.variable(doctor.Interval, "60")
	w.variable(doctor.Patience, "600")
	v.credentials(w)
	w.line("additionalVolumes:")
	w.line("  # Not optional: a file that is absent when HolmesGPT starts is never noticed later.")
	w.line("  - {name: dynamic-toolsets, configMap: {name: %s}}", yamlText(v.ConfigMap.Name))
	w.line("additionalVolumeMounts:")
	w.line("  # The directory, not one file by subPath, which would stay as it was when the pod started.")
	w.line("  - {name: dynamic-toolsets, mountPath: %s, readOnly: true}", doctor.MountPath)
	v.authority(w)
	if len(v.Needs.OpenShift) > 0 {
		w.line("# HolmesGPT sends its token to OpenShift's monitoring, " +
			"and may read it (ClusterRole cluster-monitoring-view).")
		w.line("openshift: true")
	}
	return w.String()
}

// credentials writes the variables that the document refers to, grouped by backend.
func (v *Values) credentials(w *valuesWriter) {
	var left []string
	for _, variable := range v.Needs.Variables {
		left = append(left, variable.Name)
	}
	left = slices.Compact(left) // the list is sorted
	for _, f := range v.Findings {
		recipes := recipe.For(f, v.Catalog.Lookup(f.Type), w.ns)
		if f.Verdict != backend.Accepted || len(recipes) == 0 || recipes[0].Line != "" {
			continue
		}
		r := newRecipe(f, recipes[0], w.ns)
		said := false
		for _, item := range r.Variables {
			i := slices.Index(left, item.Name)
			if i < 0 {
				continue
			}
			left = slices.Delete(left, i, i+1)
			if !said {
				w.line("  # %s %s", f.Type, f.Ref)
				for _, a := range r.advise(f, "") {
					if a.Command != r.Environment {
						w.advice(a)
					}
				}
			}
			said = true
			if item.Key == "" {
				w.variable(item.Name, item.Value)
			} else {
				w.reference(item.Name, r.Copy, item.Key)
			}
		}
	}
	for _, name := range left {
		i := slices.IndexFunc(v.Needs.Variables, func(x toolset.Variable) bool { return x.Name == name })
		x := v.Needs.Variables[i]
		secret := "holmesgpt-" + strings.TrimRight(notInName.ReplaceAllString(strings.ToLower(name), "-"), "-")
		field, owner := safetext.Clean(x.Field, 100), safetext.Clean(x.Toolset, 100)
		w.advice(Advice{fmt.Sprintf("%s of %s, from a Secret of yours:", field, owner),
			fmt.Sprintf(`read -rs VALUE && kubectl -n %s create secret generic %s --from-literal=value="$VALUE"`,
				w.ns, secret)})
		w.reference(name, secret, "value")
	}
}

// authority writes the certificates that HolmesGPT must trust.
func (v *Values) authority(w *valuesWriter) {
	hosts := few(v.Needs.Authority, 2)
	switch {
	case len(v.Needs.Authority) == 0:
	case len(v.Authority) == 0:
		w.line("# HolmesGPT has to trust the authority that signs the certificates of %s,", hosts)
		w.line("# which tls.caFile does not name here. If it is in a file ca.crt, this prints the line to add:")
		w.line(`#   echo "certificate: $(base64 -w0 ca.crt)"`)
	case len(v.Authority) > maxCertificate:
		w.line("# HolmesGPT has to trust the authority that signs the certificates of %s.", hosts)
		w.line("# The file of tls.caFile is too large for a value: " +
			"mount it into the pod, and name it in REQUESTS_CA_BUNDLE.")
	default:
		w.line("# The authority of tls.caFile, which signs the certificates of %s.", hosts)
		w.line("certificate: %s", base64.StdEncoding.EncodeToString(v.Authority))
	}
}

// valuesWriter writes values for HolmesGPT's chart.
type valuesWriter struct {
	strings.Builder
	ns string // HolmesGPT's namespace
}

func (w *valuesWriter) line(format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...) // a strings.Builder returns no error
}

func (w *valuesWriter) variable(name, value string) {
	w.line("  - {name: %s, value: %s}", yamlText(name), yamlText(value))
}

func (w *valuesWriter) reference(name, secret, key string) {
	w.line("  - {name: %s, valueFrom: {secretKeyRef: {name: %s, key: %s}}}",
		yamlText(name), yamlText(secret), yamlText(key))
}

// advice writes advice as a comment, with the command below it.
func (w *valuesWriter) advice(a Advice) {
	w.line("  # %s", a.Text)
	for line := range strings.Lines(a.Command) {
		w.line("  #   %s", strings.TrimRight(line, "\n"))
	}
}

var (
	notInName = regexp.MustCompile(`[^a-z0-9]`)
	plainText = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*$`)
)

// yamlText returns a text for YAML, in quotes if YAML could read it as another type.
func yamlText(s string) string {
	lower := strings.ToLower(s)
	if plainText.MatchString(s) && (s[0] == '/' || s[0] == '_' || safetext.YAMLName(lower) == lower) {
		return s
	}
	return strconv.Quote(s)
}
