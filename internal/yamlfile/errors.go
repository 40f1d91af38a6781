package yamlfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Error is one thing that is wrong, with its place.
type Error struct {
	File    string // the file's name, or the flag that the value came from
	Line    int    // from 1; 0 where there is none (a flag, an unreadable file)
	Column  int    // from 1; 0 where it is not known
	Path    string // of the key: health.interval, detect.strong[0].labels["app.kubernetes.io/name"]; "" for the whole
	Message string // what was expected and what was found
}

// Error is the form people read: file:line:column: path: message.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	b.WriteString(": ")
	if e.Path != "" && !strings.HasSuffix(e.File, " "+e.Path) { // a flag's name has its path
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Errors is all that is wrong with a file, in its order. It is never empty where it is returned as an error.
type Errors []Error

// Error has one line for each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Key is the path of a key below path. Keys that hold anything but letters, digits, "_", "-" and "/" are quoted.
func Key(path, key string) string {
	if !plain(key) {
		return fmt.Sprintf("%s[%q]", path, key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// Index is the path of an item of the list at path.
func Index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func plain(key string) bool {
	for _, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '/':
		default:
			return false
		}
	}
	return key != ""
}

// parent is the path one step up: "" above the first key.
func parent(path string) string {
	if strings.HasSuffix(path, `"]`) {
		// A quoted key: find the bracket that opens it, which no quote precedes unescaped inside %q text.
		if i := strings.LastIndex(path, `["`); i >= 0 {
			return path[:i]
		}
	}
	if i := strings.LastIndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return ""
}

// covers says that path is at or below by.
func covers(by, path string) bool {
	if by == "" || by == path {
		return true
	}
	rest, ok := strings.CutPrefix(path, by)
	return ok && (rest[0] == '.' || rest[0] == '[')
}

// Bare is the cause of an error about a file, without the operation and the file's name: whoever reports it names the file.
func Bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
