package files

import (
	"fmt"
	"regexp"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// maxMarks limits the characters in a YAML document that may begin a value. A List of 30,000 Services has fewer.
const maxMarks = 4_000_000

// aliasMark matches every alias, and some other text.
var aliasMark = regexp.MustCompile(`(?:^|[\s\[{,:-])\*[^\s*/,\]}]`)

// costly returns an error if parsing a document would take far more time or memory than its size suggests.
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
		return nil //nolint:nilerr // the caller parses it again and reports it
	}
	const perValue = 2
	if yamlfile.Size(&root, perValue) > maxObject {
		return fmt.Errorf("its aliases make it %w", errTooLarge)
	}
	return nil
}
