package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Machine is where it was measured, without its name.
type Machine struct {
	Cores     int
	MemoryGiB int
	System    string // operating system and architecture
	Kernel    string // its version
	Go        string
	Server    string // version of kube-apiserver
	// Load is the one-minute load average before and after.
	LoadBefore, LoadAfter float64
	Runs                  int
}

func (m *Machine) String() string {
	return fmt.Sprintf("%d cores, %d GiB, %s %s, %s, kube-apiserver %s on the same machine, medians of %d, load average %.1f before and %.1f after",
		m.Cores, m.MemoryGiB, m.System, m.Kernel, m.Go, m.Server, m.Runs, m.LoadBefore, m.LoadAfter)
}

// Report is everything that was measured.
type Report struct {
	Machine Machine
	Figures []*Figure
	// Requests are those that the API server answered, by program.
	Requests []Requests
}

// Requests are those of one program to the API server while it ran for a minute.
type Requests struct {
	Program  string
	Services int
	Counts   []string // as in "list services 1", in order
}

// Add adds a figure, or the runs of one that is there already.
func (r *Report) Add(f Figure) {
	for _, known := range r.Figures {
		if known.Name == f.Name && known.Services == f.Services {
			known.Runs = append(known.Runs, f.Runs...)
			known.Limit = joined(known.Limit, f.Limit)
			for _, o := range f.Others {
				i := slices.IndexFunc(known.Others, func(s Series) bool { return s.Name == o.Name })
				if i < 0 {
					known.Others = append(known.Others, o)
				} else {
					known.Others[i] = joined(known.Others[i], o)
				}
			}
			return
		}
	}
	r.Figures = append(r.Figures, &f)
}

func joined(a, b Series) Series {
	if a.Name == "" {
		a.Name = b.Name
	}
	a.Values = append(a.Values, b.Values...)
	return a
}

// Find is a figure, nil if there is none.
func (r *Report) Find(name string, services int) *Figure {
	for _, f := range r.Figures {
		if f.Name == name && f.Services == services {
			return f
		}
	}
	return nil
}

// Missed are the figures that miss their target.
func (r *Report) Missed() (list []*Figure) {
	for _, f := range r.Figures {
		if f.Verdict() == Miss {
			list = append(list, f)
		}
	}
	return list
}

// Sizes are the numbers of Services that were measured, in order.
func (r *Report) Sizes() []int {
	var list []int
	for _, f := range r.Figures {
		if f.Services > 0 {
			list = append(list, f.Services)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Print writes everything as a table for a terminal.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(columns ...string) { _, _ = fmt.Fprintln(t, strings.Join(columns, "\t")) } // Flush tells
	line(r.Machine.String())
	line("REQUIREMENT", "SERVICES", "WHAT", "MEDIAN", "LIMIT", "RATIO", "TARGET", "", "RUNS", "BESIDE")
	for _, f := range r.Figures {
		limit, ratio := "", ""
		if len(f.Limit.Values) > 0 {
			limit = f.Unit.Text(f.Limit.Median()) + " (" + f.Limit.Name + ")"
		}
		if v, ok := f.Ratio(); ok {
			ratio = times(v)
		}
		line(f.Requirement, grouped(f.Services), f.Name, f.Unit.Text(f.Median()), limit, ratio, f.TargetText(), string(f.Verdict()), f.runs(), f.beside())
	}
	for _, q := range r.Requests {
		line("", grouped(q.Services), "requests of "+q.Program, strings.Join(q.Counts, ", "))
	}
	return t.Flush()
}

// beside tells how often this figure fits into those of others.
func (f *Figure) beside() string {
	var list []string
	for _, o := range f.Others {
		text := o.Name + " " + f.Unit.Text(o.Median())
		if m := f.Median(); m > 0 {
			text += " (" + times(o.Median()/m) + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}
