// Package report holds the measured figures, compares them with the targets, and formats them as a table, a page and a plot.
package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Unit of a figure.
type Unit string

// Units. Their texts are what is printed.
const (
	Milliseconds Unit = "ms"
	Microseconds Unit = "us"
	MiB          Unit = "MiB"
	Percent      Unit = "%"
	Count        Unit = ""
)

// Series are the values of several runs.
type Series struct {
	Name   string
	Values []float64
}

// Median of the runs, 0 for none.
func (s Series) Median() float64 { return Quantile(s.Values, 0.5) }

// Figure is one thing that was measured, in all runs, at one size of the cluster.
type Figure struct {
	Requirement string // DTS-PERF-n; "" for what has no target
	Name        string
	Services    int // 0 for what does not depend on a cluster
	Unit        Unit
	Runs        []float64
	// Limit is what nobody could go below, measured in the same runs; without values there is none.
	Limit Series
	// Others are what one would run instead.
	Others []Series
	Target Target
	// Note is said where the figure is explained.
	Note string
}

// Target is what a figure must not exceed. The zero value is none.
type Target struct {
	Most    float64 // in the figure's unit, or in limits
	OfLimit bool
	Below   bool // it must stay below Most
	Exists  bool // so that 0 can be one
}

// AtMost is a target in the figure's unit.
func AtMost(v float64) Target { return Target{Most: v, Exists: true} }

// Less is a target that must not even be reached.
func Less(v float64) Target { return Target{Most: v, Exists: true, Below: true} }

// Limits is a target as a multiple of the limit.
func Limits(times float64) Target { return Target{Most: times, OfLimit: true, Exists: true} }

// Verdict of a figure.
type Verdict string

// Verdicts. None is that of a figure without a target.
const (
	None Verdict = ""
	Pass Verdict = "PASS"
	Miss Verdict = "MISS"
)

// Median of the runs.
func (f *Figure) Median() float64 { return Quantile(f.Runs, 0.5) }

// Ratio of the median to the limit's; ok is false where there is no limit.
func (f *Figure) Ratio() (ratio float64, ok bool) {
	limit := f.Limit.Median()
	if len(f.Limit.Values) == 0 || limit == 0 {
		return 0, false
	}
	return f.Median() / limit, true
}

// Verdict judges the median of the runs. What was not measured misses its target.
func (f *Figure) Verdict() Verdict {
	t := f.Target
	if !t.Exists {
		return None
	}
	v := f.Median()
	if t.OfLimit {
		ratio, ok := f.Ratio()
		if !ok {
			return Miss
		}
		v = ratio
	}
	if len(f.Runs) == 0 || v > t.Most || t.Below && v == t.Most {
		return Miss
	}
	return Pass
}

// TargetText is the target for people.
func (f *Figure) TargetText() string {
	t, sign := f.Target, "≤ "
	if t.Below {
		sign = "< "
	}
	switch {
	case !t.Exists:
		return ""
	case t.OfLimit:
		return sign + number(t.Most) + " x limit"
	}
	return sign + f.Unit.Text(t.Most)
}

// Text is a value with its unit.
func (u Unit) Text(v float64) string {
	if u == Count {
		return number(v)
	}
	return number(v) + " " + string(u)
}

// number is shown with about three digits.
func number(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// Quantile is the value that the part q (0 to 1) of them do not exceed; for the middle of an even number of values, the mean
// of both. It is 0 for none.
func Quantile(values []float64, q float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if q == 0.5 && n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	rank := int(q*float64(n) + 0.9999999) // the nearest rank, from 1
	return sorted[min(max(rank, 1), n)-1]
}

// Millis are durations in milliseconds.
func Millis(all ...time.Duration) []float64 {
	list := make([]float64, len(all))
	for i, d := range all {
		list[i] = float64(d) / float64(time.Millisecond)
	}
	return list
}

// runs are all values, for people.
func (f *Figure) runs() string {
	text := ""
	for i, v := range f.Runs {
		if i > 0 {
			text += " "
		}
		text += number(v)
	}
	return text
}

func times(ratio float64) string { return fmt.Sprintf("%s x", number(ratio)) }
