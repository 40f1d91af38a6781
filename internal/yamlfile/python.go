package yamlfile

import "regexp"

// python matches the texts that Python's YAML reader, which is HolmesGPT's, takes for more than text if they have no
// quotes. It has a group for each of pythonTags. On "=", "<<", 0x_ and 2001-99-99 that reader fails.
// https://github.com/yaml/pyyaml/blob/main/lib/yaml/resolver.py
var python = regexp.MustCompile(`^(?:(~|null|Null|NULL|)|` +
	`(yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)|` +
	`([-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(?::[0-5]?[0-9])*))|` +
	`([-+]?[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+][0-9]+)?|(?::[0-5]?[0-9])+\.[0-9_]*)|` +
	`\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))|` +
	`([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?)|=|<<)$`)

var pythonTags = []string{"!!null", "!!bool", "!!int", "!!float", "!!timestamp"}

// PythonTag returns the tag that Python's YAML reader gives to a text without quotes, "" if it fails on the text. Texts
// that only begin like a date count as dates too.
func PythonTag(text string) string {
	groups := python.FindStringSubmatchIndex(text)
	if groups == nil {
		return "!!str"
	}
	for i, tag := range pythonTags {
		if groups[2*i+2] >= 0 {
			return tag
		}
	}
	return ""
}

// Python has the values without a schema read as HolmesGPT's YAML reader, Python's, would read the file: yes is true,
// 1e3 is a text. Keys, numbers of base 60 and those too large for Go stay texts. Call it before Decode.
func (f *File) Python() { f.python = true }
