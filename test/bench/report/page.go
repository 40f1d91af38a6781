package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The part of the page between these lines is written anew by each measurement; the rest is people's.
const (
	begin = "<!-- measured: make bench BENCH_WRITE=1 writes what is between these two lines -->"
	end   = "<!-- end of what is measured -->"
)

const skeleton = `# Performance

What the service costs and how fast it is, measured by ` + "`make bench`" + ` on a real kube-apiserver and etcd. Each figure is compared with its
limit, which is measured in the same run with a program that does only the least work needed, and with the programs that one would
run instead. Absolute figures are those of this machine. Ratios should be similar on yours.

` + begin + "\n" + end + "\n"

// Page puts the report into a page: the one that there is, or a new one if that is empty.
func (r *Report) Page(page []byte) ([]byte, error) {
	if len(bytes.TrimSpace(page)) == 0 {
		page = []byte(skeleton)
	}
	before, rest, ok := bytes.Cut(page, []byte(begin+"\n"))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !ok || !ended {
		return nil, errors.New("the page does not have both lines between which the figures go: put them back, or delete the page to get a new one")
	}
	return bytes.Join([][]byte{before, []byte(begin + "\n\n" + r.markdown() + end), after}, nil), nil
}

func (r *Report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on: %s.\n\n", &r.Machine)
	b.WriteString("## Targets\n\n| Services | what | measured | limit | ratio | target | |\n|---:|---|---:|---:|---:|---:|---|\n")
	for _, f := range r.Figures {
		if !f.Target.Exists {
			continue
		}
		limit, ratio := "", ""
		if len(f.Limit.Values) > 0 {
			limit = f.Unit.Text(f.Limit.Median()) + ", " + f.Limit.Name
		}
		if v, ok := f.Ratio(); ok {
			ratio = times(v)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", grouped(f.Services), f.Name,
			f.Unit.Text(f.Median()), limit, ratio, f.TargetText(), f.Verdict())
	}
	r.others(&b)
	r.untargeted(&b)
	r.requests(&b)
	if len(r.Sizes()) > 1 {
		b.WriteString("## How it grows\n\n![Cold start, memory, processor time and reaction against the number of Services](../images/growth.svg)\n\n")
	}
	r.notes(&b)
	return b.String()
}

func (r *Report) others(b *strings.Builder) {
	b.WriteString("\n## Beside what one would run instead\n\n| Services | what | this service | others |\n|---:|---|---:|---|\n")
	for _, f := range r.Figures {
		if len(f.Others) > 0 {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", grouped(f.Services), f.Name, f.Unit.Text(f.Median()), f.beside())
		}
	}
}

func (r *Report) untargeted(b *strings.Builder) {
	b.WriteString("\n## Other figures\n\n| Services | what | measured | runs |\n|---:|---|---:|---|\n")
	for _, f := range r.Figures {
		if !f.Target.Exists && len(f.Others) == 0 {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", grouped(f.Services), f.Name, f.Unit.Text(f.Median()), f.runs())
		}
	}
	b.WriteString("\n")
}

func (r *Report) requests(b *strings.Builder) {
	if len(r.Requests) == 0 {
		return
	}
	b.WriteString("## Requests to the API server\n\nIn the first minute of each program:\n\n| Services | program | requests |\n|---:|---|---|\n")
	for _, q := range r.Requests {
		fmt.Fprintf(b, "| %s | %s | %s |\n", grouped(q.Services), q.Program, strings.Join(q.Counts, ", "))
	}
	b.WriteString("\n")
}

// notes explain the figures, each once.
func (r *Report) notes(b *strings.Builder) {
	b.WriteString("## How it is measured\n\n")
	seen := map[string]bool{}
	for _, f := range r.Figures {
		if f.Note != "" && !seen[f.Name] {
			seen[f.Name] = true
			fmt.Fprintf(b, "- **%s**: %s\n", f.Name, f.Note)
		}
	}
	b.WriteString("\n")
}

// grouped is 10,000 for 10000, and nothing for what does not depend on a cluster.
func grouped(n int) string {
	if n == 0 {
		return ""
	}
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
