package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Panel is one diagram of the plot: a figure against the number of Services, both axes logarithmic.
type Panel struct {
	Title  string
	Figure string // its Name
}

// Sizes of the plot, in pixels.
const (
	panelWidth, panelHeight                = 380, 250
	marginLeft, marginRight                = 62, 26
	marginTop, marginBottom, legendsHeight = 34, 34, 40
)

// curve is a line of a panel.
type curve struct {
	name   string
	points [][2]float64 // Services, value
}

// Plot draws the panels, two in a row, as SVG. Limits and others are drawn beside each figure.
func (r *Report) Plot(panels ...Panel) []byte {
	rows := (len(panels) + 1) / 2
	width, height := 2*panelWidth, rows*panelHeight+legendsHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11" fill="#333">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	var names []string // those of all panels, so that each has one colour
	all := make([][]curve, len(panels))
	for i, p := range panels {
		all[i] = r.curves(p.Figure)
		for _, c := range all[i] {
			if !slices.Contains(names, c.name) {
				names = append(names, c.name)
			}
		}
	}
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d,%d)">`+"\n", i%2*panelWidth, i/2*panelHeight)
		r.panel(&b, p, all[i], names)
		b.WriteString("</g>\n")
	}
	x := marginLeft
	for i, name := range names {
		y := rows*panelHeight + 16
		fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"%s/><text x="%d" y="%d">%s</text>`+"\n",
			x, y, x+20, y, colour(i), dashes(i), x+25, y+4, name)
		x += 45 + 6*len(name)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// curves are those of a figure at all sizes: its own first.
func (r *Report) curves(name string) []curve {
	own := curve{name: "this service"}
	list := []curve{}
	add := func(name string, n int, v float64) {
		if v <= 0 {
			return
		}
		i := slices.IndexFunc(list, func(c curve) bool { return c.name == name })
		if i < 0 {
			i, list = len(list), append(list, curve{name: name})
		}
		list[i].points = append(list[i].points, [2]float64{float64(n), v})
	}
	for _, n := range r.Sizes() {
		f := r.Find(name, n)
		if f == nil {
			continue
		}
		if m := f.Median(); m > 0 {
			own.points = append(own.points, [2]float64{float64(n), m})
		}
		if len(f.Limit.Values) > 0 {
			add(f.Limit.Name, n, f.Limit.Median())
		}
		for _, o := range f.Others {
			add(o.Name, n, o.Median())
		}
	}
	return append([]curve{own}, list...)
}

func (r *Report) panel(b *strings.Builder, p Panel, curves []curve, names []string) {
	x, y := bounds(curves)
	unit := Count
	if len(r.Sizes()) > 0 {
		if f := r.Find(p.Figure, r.Sizes()[0]); f != nil {
			unit = f.Unit
		}
	}
	px := func(v float64) float64 {
		return marginLeft + (math.Log10(v)-x[0])/(x[1]-x[0])*(panelWidth-marginLeft-marginRight)
	}
	py := func(v float64) float64 {
		return panelHeight - marginBottom - (math.Log10(v)-y[0])/(y[1]-y[0])*(panelHeight-marginTop-marginBottom)
	}
	fmt.Fprintf(b, `<text x="%d" y="18" font-weight="bold">%s</text>`+"\n", marginLeft, p.Title)
	for e := y[0]; e <= y[1]; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			marginLeft, py(v), panelWidth-marginRight, py(v), marginLeft-5, py(v)+4, unit.Text(v))
	}
	for e := math.Ceil(x[0]); e <= x[1]; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			px(v), marginTop, px(v), panelHeight-marginBottom, px(v), panelHeight-marginBottom+15, grouped(int(math.Round(v))))
	}
	for _, c := range curves {
		if len(c.points) == 0 {
			continue
		}
		i := slices.Index(names, c.name)
		var line strings.Builder
		for _, at := range c.points {
			fmt.Fprintf(&line, "%.1f,%.1f ", px(at[0]), py(at[1]))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, px(at[0]), py(at[1]), colour(i))
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", strings.TrimSpace(line.String()), colour(i), dashes(i))
	}
}

// bounds are the powers of ten around all points, of Services and of values.
func bounds(curves []curve) (x, y [2]float64) {
	x, y = [2]float64{math.Inf(1), math.Inf(-1)}, [2]float64{math.Inf(1), math.Inf(-1)}
	for _, c := range curves {
		for _, p := range c.points {
			x[0], x[1] = min(x[0], math.Log10(p[0])), max(x[1], math.Log10(p[0]))
			y[0], y[1] = min(y[0], math.Floor(math.Log10(p[1]))), max(y[1], math.Ceil(math.Log10(p[1])))
		}
	}
	for _, a := range []*[2]float64{&x, &y} {
		if math.IsInf(a[0], 0) { // nothing was measured
			*a = [2]float64{0, 1}
		}
		if a[0] == a[1] {
			a[1]++
		}
	}
	return x, y
}

func colour(i int) string {
	all := []string{"#0b6bcb", "#777777", "#c2410c", "#7c3aed", "#15803d", "#a16207"}
	return all[i%len(all)]
}

// dashes: the first line is the service's own.
func dashes(i int) string {
	if i == 0 {
		return ""
	}
	return ` stroke-dasharray="5 3"`
}
