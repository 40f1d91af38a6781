package files

import (
	"fmt"
	"regexp"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// maxMarks is what a YAML document may have of what may begin a value. A List of 30,000 Services has fewer.
const maxMarks = 4_000_000

// aliasMark is how an alias looks; other text may look so too.
var aliasMark = regexp.MustCompile(`(?:^|[\s\[{,:-])\*[^\s*/,\]}]`)

// costly refuses a document that takes far more time or memory than its size, or any List, accounts for.
func costly(doc []byte) error {
	switch line, err := yamlfile.Plain(doc, maxMarks); {
	case line > 0:
		return fmt.Errorf("%w; a directive must stand before a line --- of its own", err)
	case err != nil:
		return fmt.Errorf("%w; as JSON a List is read item by item", err)
	}
	if !aliasMark.Match(doc) {
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(doc, &root); err != nil {
		return nil //nolint:nilerr // the reader that follows reports it
	}
	const perValue = 2
	if yamlfile.Size(&root, perValue) > maxObject {
		return fmt.Errorf("its aliases make it %w", errTooLarge)
	}
	return nil
}
