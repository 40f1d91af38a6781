package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// requirement is one line of ids.txt.
type requirement struct {
	id, meaning string
}

var wellFormed = regexp.MustCompile(`^DTS-[A-Z]+-[1-9][0-9]*$`)

// readIDs reads the list: an id and what it means on each line, which may be a comment or empty.
func readIDs(name string, r io.Reader) ([]requirement, error) {
	var list []requirement
	seen := map[string]bool{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, meaning, _ := strings.Cut(line, " ")
		meaning = strings.TrimSpace(meaning)
		switch {
		case !wellFormed.MatchString(id):
			return nil, fmt.Errorf("%s:%d: %q is no id such as DTS-DET-1", name, n, id)
		case meaning == "":
			return nil, fmt.Errorf("%s:%d: %s: say after it what it means", name, n, id)
		case seen[id]:
			return nil, fmt.Errorf("%s:%d: %s is in the list twice", name, n, id)
		}
		seen[id] = true
		list = append(list, requirement{id, meaning})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}
