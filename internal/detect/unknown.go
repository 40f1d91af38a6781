package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// knownAnnotations are all that a Service's owner may set.
func knownAnnotations() []string {
	return []string{
		annToolset, annType, annName, annPort, annScheme, annPath, annEndpoint, annHealth, annHealthPath, annTenant,
		annPrimary, annDescription, annLink,
	}
}

// unknownAnnotation is the warning about an annotation that is named like one of this service's and does not exist:
// the first by name. What it was meant to say is not guessed, so that it decides nothing.
func (d *Detector) unknownAnnotation(s *backend.Service) backend.Reason {
	known, found := knownAnnotations(), ""
	for k := range s.Annotations {
		if strings.HasPrefix(k, annPrefix) && !slices.Contains(known, k) && d.index.keys[k] == nil &&
			(found == "" || k < found) {
			found = k
		}
	}
	if found == "" {
		return backend.Reason{}
	}
	meant := meantAnnotation(strings.TrimPrefix(found, annPrefix))
	return reason(backend.CodeAnnotationUnknown,
		backend.Details{Annotation: show(found), Key: meant, Value: strings.Join(known, ", ")})
}

// meantAnnotation is the annotation that a misspelt one most likely means, by what stands behind their common
// beginning.
func meantAnnotation(end string) string {
	const separators = "-_./"
	var ends []string
	for _, k := range knownAnnotations()[1:] {
		ends = append(ends, strings.TrimPrefix(k, annPrefix+"-"))
	}
	if end := yamlfile.Nearest(strings.TrimLeft(end, separators), ends); end != "" {
		return annPrefix + "-" + end
	}
	if len(strings.Trim(end, separators)) <= 1 { // toolsets
		return annToolset
	}
	return ""
}
