package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// maxTexts is the most bytes of a ConfigMap's data: the API server applies the limit of Secrets.
const maxTexts = corev1.MaxSecretSize

// checkSize returns an error if the keys are too large for a ConfigMap. The error names the largest namespaces and
// types. If key is not empty, only that key counts.
func checkSize(doc *toolset.Document, keys map[string]string, key string) error {
	what, bytes := "the ConfigMap", 0
	for _, text := range keys {
		bytes += len(text)
	}
	if key != "" {
		what, bytes = key, len(keys[key])
	}
	if bytes <= maxTexts {
		return nil
	}
	namespaces, types := doc.Shares()
	return fmt.Errorf("%s would have %s, and a ConfigMap has at most %s; the largest namespaces: %s; "+
		"the largest types: %s; look at fewer namespaces (discovery.namespaces), "+
		"publish fewer of each (security.maxInstancesPerNamespace), or write one format alone (output.formats)",
		what, kib(bytes), kib(maxTexts), largest(namespaces), largest(types))
}

// largest names up to three shares.
func largest(shares []toolset.Share) string {
	var list []string
	for _, s := range shares[:min(3, len(shares))] {
		list = append(list, fmt.Sprintf("%s (%s)", s.Name, kib(s.Bytes)))
	}
	return strings.Join(list, ", ")
}

func kib(bytes int) string { return fmt.Sprintf("%d KiB", (bytes+1<<10-1)>>10) }

// noteSize prints a note if an object is too large for kubectl apply, which keeps a copy of it in an annotation: the
// API server limits the total size of annotations. The copy also has an empty annotations mapping and a newline.
func noteSize(s Streams, object any) {
	text, err := json.Marshal(object)
	if err != nil {
		return // printing it reports that
	}
	copied := len(text) + len(`"annotations":{},`+"\n")
	if len(corev1.LastAppliedConfigAnnotation)+copied > apivalidation.TotalAnnotationSizeLimitB {
		note(s, "the ConfigMap has %s: kubectl apply refuses it, since it keeps a copy in an annotation, "+
			"and those take at most %s; kubectl apply --server-side works",
			kib(len(text)), kib(apivalidation.TotalAnnotationSizeLimitB))
	}
}
