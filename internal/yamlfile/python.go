package yamlfile

import (
	"regexp"
	"strings"
)

// numbers matches the numbers and dates of Python's YAML reader. It has a group for each of numberTags.
var numbers = regexp.MustCompile(`^(?:([-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(?::[0-5]?[0-9])*))|` +
	`([-+]?[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+][0-9]+)?|(?::[0-5]?[0-9])+\.[0-9_]*)|` +
	`\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))|` +
	`([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?))$`)

var numberTags = []string{"!!int", "!!float", "!!timestamp"}

// PythonTag returns the tag that Python's YAML reader, which is HolmesGPT's, gives to a text without quotes, "" if it
// fails on each such text. It fails on 0x_ and 2001-99-99 too. Texts that only begin like a date count as dates.
// https://github.com/yaml/pyyaml/blob/main/lib/yaml/resolver.py
func PythonTag(text string) string {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return "!!null"
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON",
		"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return "!!bool"
	case "=", "<<":
		return ""
	}
	if strings.ContainsAny(text[:1], "-+.0123456789") {
		groups := numbers.FindStringSubmatchIndex(text)
		for i, tag := range numberTags {
			if at := 2*i + 2; at < len(groups) && groups[at] >= 0 {
				return tag
			}
		}
	}
	return "!!str"
}

// Python has the values without a schema read as HolmesGPT's YAML reader, Python's, would read the file: yes is true,
// 1e3 is a text. Keys, numbers of base 60 and those too large for Go stay texts. Call it before Decode.
func (f *File) Python() { f.python = true }
