package toolset

import (
	"fmt"
	"math"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Severity of a problem.
type Severity string

// Severities: HolmesGPT does not load it; it loads, but probably not as meant; good to know.
const (
	Error    Severity = "error"
	Doubtful Severity = "warning"
	Note     Severity = "note"
)

// complaint is a problem at a path of a tree, without its position in a text.
type complaint struct {
	severity Severity
	path     string
	message  string
}

// checker finds what HolmesGPT cannot load.
type checker struct {
	complaints []complaint
	// shared is how bad a credential at the top of a toolset with several instances is.
	shared Severity
}

func (c *checker) add(s Severity, path, format string, args ...any) {
	c.complaints = append(c.complaints, complaint{s, path, fmt.Sprintf(format, args...)})
}

func (c *checker) errorf(path, format string, args ...any) { c.add(Error, path, format, args...) }

// values reports what a document must not hold: keys with dots, and values that are not plain data.
func (c *checker) values(path string, v any, dots bool) {
	walk(path, v, func(path, key string, v any) {
		if dots && strings.Contains(key, ".") {
			c.errorf(path, "a key must not contain a dot: HolmesGPT would reject the whole file")
		}
		switch t := v.(type) {
		case time.Time:
			c.errorf(path, "a date: put quotes around it")
		case float64:
			if math.IsNaN(t) || math.IsInf(t, 0) {
				c.errorf(path, "expected a finite number")
			}
		}
	})
}

// document checks a whole document as HolmesGPT would load it.
func (c *checker) document(root map[string]any) {
	c.values("", root, true)
	sections := map[string]map[string]any{}
	for _, key := range sortedKeys(root) {
		switch key {
		case toolsets, mcpServers:
		default:
			c.add(Note, yamlfile.Key("", key), "HolmesGPT ignores this key")
			continue
		}
		switch t := root[key].(type) {
		case nil:
			c.errorf(key, "empty: HolmesGPT would reject the whole file; remove the key, or write {}")
		case map[string]any:
			sections[key] = t
		default:
			c.errorf(key, "expected a mapping of names to toolsets")
		}
	}
	if len(c.complaints) == 0 && len(sections[toolsets])+len(sections[mcpServers]) == 0 {
		c.errorf("", "no toolset and no MCP server: HolmesGPT would reject the file")
	}
	tools := map[string]string{}
	for _, name := range sortedKeys(sections[toolsets]) {
		path, entry := yamlfile.Key(toolsets, name), sections[toolsets][name]
		c.entry(path, toolsets, name, entry)
		c.toolNames(path, name, entry, tools)
	}
	for _, name := range sortedKeys(sections[mcpServers]) {
		path := yamlfile.Key(mcpServers, name)
		if _, both := sections[toolsets][name]; both {
			c.add(Doubtful, path, "replaces the toolset of the same name")
		}
		c.entry(path, mcpServers, name, sections[mcpServers][name])
	}
}

// disabled reports whether a toolset is switched off.
func disabled(entry map[string]any) bool {
	on, said := entry["enabled"].(bool)
	return said && !on
}

// toolNames warns about HTTP toolsets whose tools get the same name from HolmesGPT.
func (c *checker) toolNames(path, name string, v any, seen map[string]string) {
	if entry, ok := v.(map[string]any); !ok || entry["type"] != "http" || disabled(entry) {
		return
	}
	tool := catalog.ToolName(name)
	if first, both := seen[tool]; both { // said of both, since perhaps only one is the admin's
		const same = "its tool is called %s like that of %s, and only one of the two can be used"
		c.add(Doubtful, path, same, tool, first)
		c.add(Doubtful, yamlfile.Key(toolsets, first), same, tool, name)
	}
	seen[tool] = name
	if len(tool) > maxToolName {
		c.add(Doubtful, path, "its tool's name has %d characters; models accept at most %d", len(tool), maxToolName)
	}
}

// entry checks one entry of a section.
func (c *checker) entry(path, section, name string, v any) {
	entry, ok := v.(map[string]any)
	if !ok {
		c.errorf(path, "expected a mapping such as {enabled: true}")
		return
	}
	kind := kindOf(section, entry)
	c.fields(path, entry, kind)
	if _, has := entry["enabled"]; !has && isBuiltin(name) && kind != "mcp" {
		c.add(Doubtful, path, "enabled is missing: a toolset of HolmesGPT's own stays off without enabled: true")
	}
	config, isMapping := entry["config"].(map[string]any)
	if entry["config"] != nil && !isMapping {
		return // fields has said so
	}
	switch kind {
	case "http":
		if isBuiltin(name) {
			c.errorf(path+".type", "http breaks a toolset of HolmesGPT's own: remove the type")
			return
		}
		c.http(path, config)
	case "mcp":
		c.server(path, entry, config)
	case "", "built-in", "custom":
		if !isBuiltin(name) {
			c.custom(path, name, entry)
		}
		c.instances(path+".config", config)
	}
	walkStrings(path, entry, func(path, s string) {
		for _, v := range references(s) {
			c.add(Note, path, "HolmesGPT needs the environment variable %s", v)
		}
	})
	walkStrings(path+".config", config, func(path, s string) {
		if strings.Contains(s, "${") {
			c.add(Doubtful, path, "HolmesGPT does not expand ${NAME} here; write {{ env.NAME }}")
		}
	})
}

// kindOf returns the type of an entry: every entry of mcp_servers is of type mcp.
func kindOf(section string, entry map[string]any) string {
	if section == mcpServers {
		return "mcp"
	}
	kind, _ := entry["type"].(string)
	return kind
}

// fields checks the names and shapes of an entry's fields. In a patch they may be null.
func (c *checker) fields(path string, entry map[string]any, kind string) {
	if typ, has := entry["type"]; has && typ != nil {
		if s, ok := typ.(string); !ok || !isType(s) {
			c.errorf(path+".type", "expected built-in, custom, mcp, http, database or mongodb")
		}
	}
	for _, key := range sortedKeys(entry) {
		p, v := yamlfile.Key(path, key), entry[key]
		switch {
		case strings.Contains(key, "."):
			continue // reported already
		case !isField(key):
			c.errorf(p, "not a field of a toolset: HolmesGPT would reject the toolset; "+
				"settings of a backend go under config")
			continue
		case v != nil && isTaken(kind, key):
			c.errorf(p, "HolmesGPT rejects this field in a toolset of type %s", orBuiltin(kind))
			continue
		case v == nil:
			continue
		}
		switch key {
		case "enabled":
			if _, ok := v.(bool); !ok {
				c.errorf(p, "expected true or false")
			}
		case "description", "llm_instructions", "docs_url", "icon_url", "installation_instructions", "subtype":
			if _, ok := v.(string); !ok {
				c.errorf(p, "expected a text")
			}
		case "config":
			if _, ok := v.(map[string]any); !ok {
				c.errorf(p, "expected a mapping")
			}
		case "tools", "tags", "prerequisites", "transformers", "approval_required_tools":
			if _, ok := v.([]any); !ok {
				c.errorf(p, "expected a list")
			}
		}
	}
}

// orBuiltin describes a type of toolset in an error.
func orBuiltin(kind string) string {
	switch {
	case kind == "":
		return "built-in"
	case !isType(kind):
		return "that HolmesGPT does not have"
	}
	return kind
}
