package toolset

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// custom checks a toolset that HolmesGPT does not know, and that must define its own tools.
func (c *checker) custom(path, name string, entry map[string]any) {
	description, _ := entry["description"].(string)
	_, tools := entry["tools"].([]any)
	if description == "" || !tools {
		c.add(Doubtful, path, "HolmesGPT 0.45 has no toolset %s, and one of your own needs description and tools, "+
			"or a type such as http", name)
	}
}

// http checks the config of an HTTP toolset.
func (c *checker) http(path string, config map[string]any) {
	path += ".config"
	endpoints, _ := config["endpoints"].([]any)
	if len(endpoints) == 0 {
		c.errorf(path+".endpoints", "expected a list of endpoints, each with hosts")
	}
	for i, v := range endpoints {
		p := yamlfile.Index(path+".endpoints", i)
		endpoint, ok := v.(map[string]any)
		if !ok {
			c.errorf(p, "expected a mapping with hosts")
			continue
		}
		hosts, _ := endpoint["hosts"].([]any)
		if len(hosts) == 0 {
			c.errorf(p+".hosts", "expected a list of hosts such as http://name:8080")
		}
		for j, h := range hosts {
			if s, ok := h.(string); !ok || !isHostPattern(s) {
				c.errorf(yamlfile.Index(p+".hosts", j), "expected a text such as http://name:8080")
			}
		}
		c.texts(p+".paths", endpoint["paths"], "a path such as /api/*", func(string) bool { return true })
		c.texts(p+".methods", endpoint["methods"], "a method such as GET", isMethod)
		health := endpoint["health_check_url"]
		if _, ok := health.(string); health != nil && !ok {
			c.errorf(p+".health_check_url", "expected a URL")
		}
		if auth, has := endpoint["auth"]; has {
			c.auth(p+".auth", auth)
		}
	}
}

// texts checks an optional list of texts.
func (c *checker) texts(path string, v any, what string, fits func(string) bool) {
	list, ok := v.([]any)
	if v != nil && !ok {
		c.errorf(path, "expected a list, each %s", what)
	}
	for i, v := range list {
		if s, ok := v.(string); !ok || !fits(s) {
			c.errorf(yamlfile.Index(path, i), "expected %s", what)
		}
	}
}

func (c *checker) auth(path string, v any) {
	auth, _ := v.(map[string]any)
	kind, _ := auth["type"].(string)
	needs, known := authNeeds(kind)
	if !known {
		c.errorf(path, "expected a mapping whose type is none, basic, digest, bearer or header")
		return
	}
	if len(missingIn(auth, kind)) > 0 {
		c.errorf(path, "%s auth needs %s", kind, strings.Join(needs, " and "))
	}
}

// server checks an MCP server.
func (c *checker) server(path string, entry, config map[string]any) {
	url, _ := config["url"].(string)
	if old, _ := entry["url"].(string); url == "" {
		url = old
	}
	mode, hasMode := config["mode"].(string)
	switch {
	case mode == "stdio":
		if command, _ := config["command"].(string); command == "" {
			c.errorf(path+".config", "an MCP server of mode stdio needs a command")
		}
	case url == "":
		c.errorf(path+".config", "an MCP server needs config.url")
	case hasMode && mode != "sse" && mode != "streamable-http":
		c.errorf(path+".config.mode", "expected streamable-http, sse or stdio")
	case !hasMode:
		c.add(Doubtful, path+".config", "mode is missing: HolmesGPT takes sse, most servers speak streamable-http")
	}
}

// instances checks the list of instances in a config, if there is one.
func (c *checker) instances(path string, config map[string]any) {
	v, has := config["instances"]
	if !has {
		return
	}
	path += ".instances"
	instances, ok := v.([]any)
	if !ok || len(instances) == 0 {
		c.errorf(path, "expected a list of instances; to switch the toolset off, set it to null or enabled: false")
		return
	}
	seen := map[string]bool{}
	for i, v := range instances {
		p := yamlfile.Index(path, i)
		instance, ok := v.(map[string]any)
		if !ok {
			c.errorf(p, "expected a mapping with a name")
			continue
		}
		name, isText := instance["name"].(string)
		switch {
		case instance["name"] != nil && !isText:
			c.errorf(p+".name", "expected a text")
		case name != "" && seen[name]:
			c.errorf(p+".name", "the name %s is given to two instances: HolmesGPT would reject the toolset", name)
		}
		seen[name] = true
	}
	if len(instances) < 2 {
		return
	}
	top := strings.TrimSuffix(path, ".instances")
	for _, key := range sortedKeys(config) {
		if key != "instances" && holdsCredential(key, config[key]) {
			c.add(c.shared, yamlfile.Key(top, key),
				"a credential here goes to all %d instances: put it into the one it is for", len(instances))
		}
	}
}
