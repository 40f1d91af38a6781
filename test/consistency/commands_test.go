package consistency

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cli"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// commandLines are the calls of our program in a shell's text, each as its arguments.
func commandLines(text string) (calls [][]string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for l := range strings.Lines(text) {
		l = strings.TrimPrefix(strings.TrimSpace(l), "$ ")
		if strings.HasSuffix(l, " [flags]") { // how a command is used, rather than a call
			continue
		}
		for _, words := range split(l) {
			for len(words) > 0 && (strings.Contains(words[0], "=") && !strings.HasPrefix(words[0], "-") || words[0] == "sudo") {
				words = words[1:] // variables before a command
			}
			switch {
			case len(words) > 0 && (words[0] == "dynamic-toolset" || strings.HasSuffix(words[0], "bin/dynamic-toolset")):
				calls = append(calls, words[1:])
			case len(words) > 1 && words[0] == "kubectl" && words[1] == "toolset":
				calls = append(calls, words[2:])
			}
		}
	}
	return calls
}

// makeTargets are the targets that a shell's text calls make for.
func makeTargets(text string) (list []string) {
	for l := range strings.Lines(text) {
		for _, words := range split(strings.TrimPrefix(strings.TrimSpace(l), "$ ")) {
			if words[0] == "make" {
				list = append(list, targetsOf(strings.Join(words, " "))...)
			}
		}
	}
	return list
}

var (
	shellToken = regexp.MustCompile(`#.*|[|;&]+|[12]?[<>]+&?|(?:'[^']*'|"[^"]*"|[^\s|;&<>'"])+`)
	quoted     = regexp.MustCompile(`'([^']*)'|"([^"]*)"`)
)

// split takes a line of shell apart into commands and these into words. Redirections are left out.
func split(l string) (commands [][]string) {
	var words []string
	next := func() {
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	redirected := false
	for _, token := range shellToken.FindAllString(l, -1) {
		end := strings.TrimSuffix(token, "&")
		switch {
		case strings.ContainsAny(token[:1], "#|;&"):
			next()
		case strings.HasSuffix(end, ">") || strings.HasSuffix(end, "<"):
			redirected = true
		case redirected:
			redirected = false
		default:
			words = append(words, quoted.ReplaceAllString(token, "$1$2"))
		}
	}
	next()
	return commands
}

// checkCommand says what is wrong with the arguments of our program: unknown commands and flags, and bad configuration.
func checkCommand(args []string) error {
	commands := cli.Root()
	cmd, rest, err := commands.Find(args)
	if err != nil {
		return err
	}
	if cmd.Name() == "help" || cmd.HasParent() && cmd.Parent().Name() == "completion" {
		return nil
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if help, err := cmd.Flags().GetBool("help"); err == nil && help {
		return nil
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	if sets, err := cmd.Flags().GetStringArray("set"); err == nil {
		if _, err := config.Load("", sets); err != nil {
			return err
		}
	}
	return nil
}

// badCode is what is wrong in the blocks of code of a document, and in its calls of our program.
func badCode(d document, k *known) (problems []string) {
	report := func(number int, err error) {
		if err != nil {
			problems = append(problems, d.at(number)+": "+strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	for _, s := range d.spans() {
		for _, args := range commandLines(s.text) {
			report(s.number, checkCommand(args))
		}
	}
	for _, b := range d.blocks {
		switch b.language {
		case "sh", "bash", "shell", "console", "":
			for _, args := range commandLines(b.text) {
				report(b.number, checkCommand(args))
			}
			for _, word := range makeTargets(b.text) {
				if !k.targets[word] {
					report(b.number, fmt.Errorf("make has no target %s", word))
				}
			}
		case "yaml":
			report(b.number, checkYAML(b.text))
		}
	}
	return problems
}

// checkYAML checks a block of YAML; a first line such as "# config.yaml" says what it is.
func checkYAML(text string) error {
	var tree yaml.Node
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		return err
	}
	first, _, _ := strings.Cut(text, "\n")
	name := strings.TrimSpace(strings.TrimPrefix(first, "#"))
	var err error
	switch {
	case !strings.HasPrefix(first, "# "):
	case name == "config.yaml":
		_, err = config.Parse(name, []byte(text))
	case name == "overrides.yaml":
		_, err = toolset.ParseOverrides(name, []byte(text))
	case strings.HasPrefix(name, "catalog/"):
		_, err = catalog.Parse(name, []byte(text))
	}
	return err
}

func TestCode(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	k := knowledge(t)
	calls := 0
	for _, d := range documents(t) {
		for _, p := range badCode(d, k) {
			t.Error(p)
		}
		for _, b := range d.blocks {
			calls += len(commandLines(b.text))
		}
	}
	if calls < 20 {
		t.Errorf("only %d calls of the program found in the documents", calls)
	}
}

func TestCodeIsChecked(t *testing.T) {
	t.Parallel()
	k := knowledge(t)
	d := parse("d.md", "`dynamic-toolset serve --dry` \n```sh\nkubectl get svc -o json | bin/dynamic-toolset discover -f - \\\n  --al > x # --nothing\n"+
		"make demo && make tset\nkubectl toolset explain\ndynamic-toolset frobnicate\ndynamic-toolset serve --set health.interval=often\n```\n"+
		"```yaml\n# config.yaml\nhealth: {intervall: 1m}\n```\n```yaml\na: [\n```\n```yaml\n# config.yaml\nhealth: {interval: 1m}\n```\n")
	got := badCode(d, k)
	for _, want := range []string{
		"d.md:1: unknown flag: --dry", "d.md:2: unknown flag: --al", "d.md:2: make has no target tset",
		"d.md:2: accepts 1 arg(s), received 0", `unknown command "frobnicate"`, "d.md:2: --set health.interval",
		"d.md:10: config.yaml:2:10: health.intervall: unknown key", "d.md:14: yaml:",
	} {
		if !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("missing %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if len(got) != 8 {
		t.Errorf("%d problems, want 8:\n%s", len(got), strings.Join(got, "\n"))
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][][]string{
		`a "b c" 'd|e' | f --g=h 2>/dev/null`: {{"a", "b c", "d|e"}, {"f", "--g=h"}},
		`X=1 a > out.yaml b && c; d # e`:      {{"X=1", "a", "b"}, {"c"}, {"d"}},
		`# only a comment`:                    nil,
		`a ''`:                                {{"a", ""}},
	} {
		if d := cmp.Diff(want, split(in)); d != "" {
			t.Errorf("%s (-want +got):\n%s", in, d)
		}
	}
	if err := checkCommand([]string{"generate", "--key", "x"}); err != nil {
		t.Error(err)
	}
}
