package consistency

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	annotation = regexp.MustCompile(`\bkubernaut\.io/[a-z0-9-]*[a-z0-9]`)
	metric     = regexp.MustCompile(`\bdynamictoolset_[a-z_]+(?:\{([^}]*)\})?`)
	labelName  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"`)
	target     = regexp.MustCompile(`\bmake ((?:[a-z][a-z-]*\s+)*[a-z][a-z-]*)`)
	eventName  = regexp.MustCompile("Events? `([A-Za-z]+)`|`([A-Za-z]+)` Events?\\b")
	flag       = regexp.MustCompile(`(?:^|[\s("'\[])(--[a-z][a-z-]*[a-z])`)
)

// unknownNames are annotations and metrics in a text of any kind that are none.
func unknownNames(text string, k *known) (problems []string) {
	for _, a := range annotation.FindAllString(text, -1) {
		if !k.annotations[a] && !strings.HasPrefix(a, "kubernaut.io/dynamic-toolset") { // the module, and the field manager
			problems = append(problems, fmt.Sprintf("no annotation %s is read", a))
		}
	}
	for _, m := range metric.FindAllStringSubmatch(text, -1) {
		name, _, _ := strings.Cut(m[0], "{")
		labels, ok := k.metrics[name]
		if !ok {
			problems = append(problems, fmt.Sprintf("there is no metric %s", name))
			continue
		}
		for _, l := range labelName.FindAllStringSubmatch(m[1], -1) {
			// What Prometheus adds to everything that it scrapes.
			if !slices.Contains(labels, l[1]) && !slices.Contains([]string{"job", "namespace", "pod", "instance", "container", "service"}, l[1]) {
				problems = append(problems, fmt.Sprintf("the metric %s has no label %s", name, l[1]))
			}
		}
	}
	return problems
}

// unknownWords are flags, keys of the configuration, targets of make and Events in the text of a document that are none.
func unknownWords(d document, k *known) (problems []string) {
	report := func(number int, format string, args ...any) {
		problems = append(problems, d.at(number)+": "+fmt.Sprintf(format, args...))
	}
	key := regexp.MustCompile(`(?:^|[\s(,])((?:` + k.sections() + `)(?:\.[a-zA-Z]+)+)`)
	for _, s := range d.spans() {
		if !foreign(s.text) {
			for _, m := range flag.FindAllStringSubmatch(s.text, -1) {
				if !k.flags[m[1]] {
					report(s.number, "no command has the flag %s", m[1])
				}
			}
			for _, m := range key.FindAllStringSubmatch(s.text, -1) {
				if !isFile(m[1]) && !k.key(m[1]) {
					report(s.number, "the configuration has no key %s", m[1])
				}
			}
		}
		if strings.HasPrefix(s.text, "make ") {
			for _, word := range targetsOf(s.text) {
				if !k.targets[word] {
					report(s.number, "make has no target %s", word)
				}
			}
		}
	}
	for _, l := range d.lines {
		for _, m := range eventName.FindAllStringSubmatch(l.text, -1) {
			if name := m[1] + m[2]; name != "Warning" && name != "Normal" && !k.events[name] {
				report(l.number, "no Event %s is recorded", name)
			}
		}
	}
	return problems
}

// targetsOf are the targets of a call of make.
func targetsOf(command string) (list []string) {
	m := target.FindStringSubmatch(command)
	if m == nil {
		return nil
	}
	return strings.Fields(m[1])
}

// foreign says that a piece of code is another program's.
func foreign(code string) bool {
	word, rest, _ := strings.Cut(code, " ")
	switch word {
	case "kubectl":
		return !strings.HasPrefix(rest, "toolset")
	case "helm", "holmes", "curl", "go", "docker", "promtool", "ko", "jq", "cosign", "goreleaser", "openssl", "python3", "pip":
		return true
	}
	return strings.HasPrefix(code, "--audience") // of kubectl create token
}

// isFile says that a word with a dot is the name of a file.
func isFile(word string) bool {
	for _, ending := range []string{".md", ".yaml", ".yml", ".json", ".go", ".txt", ".pem", ".js", ".io"} {
		if strings.HasSuffix(word, ending) {
			return true
		}
	}
	return false
}

func TestWords(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	k := knowledge(t)
	for _, d := range documents(t) {
		for _, p := range unknownWords(d, k) {
			t.Error(p)
		}
	}
	for _, folder := range []string{"docs", "charts", "deploy", "examples", ".github"} {
		for name, text := range files(t, folder, ".md", ".yaml", ".yml", ".json", ".tpl", ".txt") {
			for _, p := range unknownNames(text, k) {
				t.Errorf("%s: %s", name, p)
			}
		}
	}
	for name, text := range files(t, "", "README.md") {
		for _, p := range unknownNames(text, k) {
			t.Errorf("%s: %s", name, p)
		}
	}
}

// Continuous integration calls targets that there are.
func TestTargets(t *testing.T) {
	t.Attr("req", "DTS-QA-3")
	k := knowledge(t)
	called := 0
	for _, folder := range []string{".ci", ".github"} {
		for name, text := range files(t, folder, "run", ".yaml", ".yml") {
			for l := range strings.Lines(text) {
				for _, m := range regexp.MustCompile(`" make ([a-z-]+)|run: make ([a-z-]+)`).FindAllStringSubmatch(l, -1) {
					called++
					if word := m[1] + m[2]; !k.targets[word] {
						t.Errorf("%s: make has no target %s", name, word)
					}
				}
			}
		}
	}
	if called < 5 {
		t.Errorf("only %d calls of make found in .ci", called)
	}
}

func TestWordsAreFound(t *testing.T) {
	t.Parallel()
	k := knowledge(t)
	d := parse("d.md", "`--probe` `--prope` `kubectl get --nothing` `health.interval=1m` `health.intervall` `credentials.grafana.x`\n"+
		"`make test` `make tets` `metrics.md` Event `PublishFailed`, Warning Event `PublishFaild`, a `Warning` Event\n")
	want := []string{
		"d.md:1: no command has the flag --prope",
		"d.md:1: the configuration has no key health.intervall",
		"d.md:2: make has no target tets",
		"d.md:2: no Event PublishFaild is recorded",
	}
	if d := cmp.Diff(want, unknownWords(d, k)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	text := `kubernaut.io/toolset-type kubernaut.io/toolset-typ kubernaut.io/dynamic-toolset toolset.kubernaut.io
		rate(dynamictoolset_http_requests_total{endpoint="/x", code=~"5..", job="y"}[5m]) dynamictoolset_http_requests
		dynamictoolset_discovery_duration_seconds_bucket{le="1"} dynamictoolset_services{verdict="x"}`
	want = []string{
		"no annotation kubernaut.io/toolset-typ is read",
		"there is no metric dynamictoolset_http_requests",
		"the metric dynamictoolset_services has no label verdict",
	}
	if d := cmp.Diff(want, unknownNames(text, k)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
