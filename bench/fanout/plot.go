package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
)

// Sizes of the plot, in SVG units.
const (
	panelW, panelH = 430, 300
	marginL        = 62
	marginT        = 44
	marginB        = 52
	legendH        = 30
	gapX           = 40
)

// colors tell contenders apart, also for the color-blind (Okabe and Ito); the
// first is the first contender's.
var colors = []string{"#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"}

// axis maps a logarithmic range to a length.
type axis struct{ lo, hi, length float64 }

func (a axis) at(v float64) float64 {
	v = min(max(v, a.lo), a.hi)
	return math.Log(v/a.lo) / math.Log(a.hi/a.lo) * a.length
}

// ticks are 1, 2, 5 of every decade within the range.
func (a axis) ticks() []float64 {
	var t []float64
	for e := math.Floor(math.Log10(a.lo)); e <= math.Ceil(math.Log10(a.hi)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= a.lo*0.999 && v <= a.hi*1.001 {
				t = append(t, v)
			}
		}
	}
	return t
}

// plot draws CPU per GB against added latency: a panel for each manner of reading and
// bit rate, a line from the fewest to the most viewers for each contender, whiskers from
// the median latency to its p99 and over the rounds' costs.
func (r *report) plot() []byte {
	var groups []load
	var all []summary
	for _, l := range r.loads {
		if g := l.group(); !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
		for _, c := range r.contenders {
			if s := r.of(c, l); s.perGB.N > 0 {
				all = append(all, s)
			}
		}
	}
	x, y := ranges(all)
	columns := min(2, max(len(groups), 1))
	rows := (len(groups) + columns - 1) / columns
	width := columns*(marginL+panelW+gapX) + 10
	legendRows := (len(r.contenders) + 3) / 4
	height := rows*(marginT+panelH+marginB) + legendRows*legendH + 20

	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<title>Fan-out: server CPU per GB against added latency</title><rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, g := range groups {
		ox := i%columns*(marginL+panelW+gapX) + marginL
		oy := i/columns*(marginT+panelH+marginB) + marginT
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", ox, oy)
		frame(&b, x, y, g.title())
		for ci, c := range r.contenders {
			r.series(&b, all, c, g, colors[ci%len(colors)], x, y)
		}
		b.WriteString("</g>\n")
	}
	for i, c := range r.contenders {
		lx, ly := marginL+i%4*220, height-legendRows*legendH+i/4*legendH
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="5" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", lx, ly, colors[i%len(colors)], lx+10, ly+4, html.EscapeString(c))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// ranges are the same for all panels, so that they compare at a glance.
func ranges(all []summary) (x, y axis) {
	x, y = axis{0.5, 500, panelW}, axis{0.2, 5, panelH}
	for _, s := range all {
		x.lo, x.hi = min(x.lo, max(s.p50.Median*0.8, 0.05)), max(x.hi, s.p99.Median*1.2)
		y.lo, y.hi = min(y.lo, max(s.perGB.Min*0.8, 0.01)), max(y.hi, s.perGB.Max*1.2)
	}
	return x, y
}

func frame(b *bytes.Buffer, x, y axis, title string) {
	fmt.Fprintf(b, `<text x="0" y="-14" font-weight="bold" font-size="14">%s</text>`+"\n", html.EscapeString(title))
	for _, t := range x.ticks() {
		fmt.Fprintf(b, `<path d="M%.1f 0V%d" stroke="#e5e5e5"/><text x="%.1f" y="%d" text-anchor="middle" fill="#444">%g</text>`+"\n", x.at(t), panelH, x.at(t), panelH+16, t)
	}
	for _, t := range y.ticks() {
		fmt.Fprintf(b, `<path d="M0 %.1fH%d" stroke="#e5e5e5"/><text x="-8" y="%.1f" text-anchor="end" fill="#444">%g</text>`+"\n", panelH-y.at(t), panelW, panelH-y.at(t)+4, t)
	}
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="none" stroke="#888"/>`+"\n", panelW, panelH)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">added latency, ms: p50 (dot) to p99</text>`+"\n", panelW/2, panelH+36)
	fmt.Fprintf(b, `<text transform="translate(-46 %d) rotate(-90)" text-anchor="middle">server CPU-seconds per GB</text>`+"\n", panelH/2)
}

// series draws one contender; the larger a dot, the more viewers.
func (r *report) series(b *bytes.Buffer, all []summary, contender string, g load, color string, x, y axis) {
	var path string
	for _, s := range all {
		if s.contender != contender || s.load.group() != g {
			continue
		}
		px, py := x.at(s.p50.Median), panelH-y.at(s.perGB.Median)
		if path == "" {
			path = fmt.Sprintf("M%.1f %.1f", px, py)
		} else {
			path += fmt.Sprintf("L%.1f %.1f", px, py)
		}
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1fM%.1f %.1fV%.1f" stroke="%s" stroke-opacity=".45" fill="none"/>`+"\n",
			px, py, x.at(s.p99.Median), px, panelH-y.at(s.perGB.Min), panelH-y.at(s.perGB.Max), color)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"><title>%s, %d viewers: %s CPU-s/GB, p50 %s ms, p99 %s ms</title></circle>`+"\n",
			px, py, 2+math.Log10(float64(s.load.Viewers))*1.2, color, html.EscapeString(contender), s.load.Viewers, s.perGB.Format(3), s.p50.Format(1), s.p99.Format(1))
	}
	if path != "" {
		fmt.Fprintf(b, `<path d="%s" stroke="%s" stroke-opacity=".6" fill="none"/>`+"\n", path, color)
	}
}
