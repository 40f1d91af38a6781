package detect

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// knownAnnotations returns the keys of all annotations that a Service's owner may set.
func knownAnnotations() (keys []string) {
	for _, a := range allAnnotations() {
		keys = append(keys, a.key)
	}
	return keys
}

// unknownAnnotation returns a warning about the first annotation, by name, that begins like one of this service's and
// does not exist. Such an annotation decides nothing.
func (d *Detector) unknownAnnotation(s *backend.Service) backend.Reason {
	known := knownAnnotations()
	for _, k := range slices.Sorted(maps.Keys(s.Annotations)) {
		if end, ours := strings.CutPrefix(k, annPrefix); ours && !slices.Contains(known, k) && d.index.keys[k] == nil {
			return reason(backend.CodeAnnotationUnknown, backend.Details{
				Annotation: show(k), Key: meantAnnotation(end), Value: strings.Join(known, ", "),
			})
		}
	}
	return backend.Reason{}
}

// meantAnnotation returns the annotation that a misspelt one most likely means, "" if none is near. end is the misspelt
// key without annPrefix.
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
