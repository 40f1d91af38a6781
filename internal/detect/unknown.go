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
		annPrimary, annDescription,
	}
}

// unknownAnnotation tells of an annotation that has a name like ours and is none, the first one by name; "" where there is
// none. What it was meant to say is not guessed, so that it decides nothing.
func (d *Detector) unknownAnnotation(s *backend.Service) string {
	known, found := knownAnnotations(), ""
	for k := range s.Annotations {
		if strings.HasPrefix(k, annPrefix) && !slices.Contains(known, k) && d.index.keys[k] == nil && (found == "" || k < found) {
			found = k
		}
	}
	if found == "" {
		return ""
	}
	text := "annotation " + show(found) + ": unknown, so that it has no effect; "
	if meant := meantAnnotation(strings.TrimPrefix(found, annPrefix)); meant != "" {
		return text + "did you mean " + meant + "?"
	}
	return text + "expected one of " + strings.Join(known, ", ")
}

// meantAnnotation is the annotation that a misspelt one most likely means, by what stands behind their common beginning.
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
