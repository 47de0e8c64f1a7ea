package sim

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// colours of runs, told apart in print too by their order in the legend (Okabe and Ito's).
var colours = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#000000", "#999999"}

const (
	plotWidth, panelHeight   = 920, 210
	plotLeft, plotTop        = 70, 60
	plotRight, panelDistance = 170, 55
)

// Plot writes runs as one SVG picture: the busiest edge, the pulls, the viewers over time.
func Plot(w io.Writer, title string, runs []*Result) error {
	panels := []struct {
		name string
		of   func(*Sample) float64
		log  bool
	}{
		{"busiest edge / mean", func(s *Sample) float64 { return s.MaxOverMean }, true},
		{"pulls / fewest possible", func(s *Sample) float64 { return s.PullRatio }, true},
		{"viewers", func(s *Sample) float64 { return float64(s.Viewers) }, false},
	}
	var b strings.Builder
	height := plotTop + len(panels)*(panelHeight+panelDistance)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, height, plotWidth, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%d" y="26" font-size="16">%s</text>`+"\n", plotLeft, html.EscapeString(title))
	end := 1.0
	for _, r := range runs {
		for i := range r.Samples {
			end = max(end, r.Samples[i].Seconds)
		}
	}
	right := float64(plotWidth - plotRight)
	x := func(t float64) float64 { return plotLeft + t/end*(right-plotLeft) }
	for n, p := range panels {
		top := float64(plotTop + n*(panelHeight+panelDistance))
		low, high := math.Inf(1), math.Inf(-1)
		for _, r := range runs {
			for i := range r.Samples {
				if v := p.of(&r.Samples[i]); r.Samples[i].full && v > 0 {
					low, high = min(low, v), max(high, v)
				}
			}
		}
		if math.IsInf(low, 1) {
			low, high = 0, 1
		}
		if p.log {
			low, high = 1, max(high, 1.1)
		} else {
			low, high = 0, high*1.05
		}
		scale := func(v float64) float64 {
			f := (v - low) / (high - low)
			if p.log {
				f = math.Log(max(v, low)/low) / math.Log(high/low)
			}
			return top + panelHeight*(1-min(max(f, 0), 1))
		}
		fmt.Fprintf(&b, `<text x="%d" y="%.0f" font-weight="bold">%s</text>`+"\n", plotLeft, top-8, p.name)
		for _, v := range marks(low, high, p.log) {
			fmt.Fprintf(&b, `<path d="M%d %.1fH%.0f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft, scale(v), right, plotLeft-6, scale(v)+4, short(v))
		}
		for i := range 7 {
			t := end * float64(i) / 6
			fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="middle" fill="#555">%.0f min</text>`+"\n", x(t), top+panelHeight+16, t/60)
		}
		for k, r := range runs {
			var d strings.Builder
			for i := range r.Samples {
				if s := &r.Samples[i]; (s.full || !p.log) && p.of(s) > 0 {
					fmt.Fprintf(&d, "%c%.1f %.1f", "ML"[min(d.Len(), 1)], x(s.Seconds), scale(p.of(s)))
				}
			}
			fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", d.String(), colours[k%len(colours)])
		}
		fmt.Fprintf(&b, `<rect x="%d" y="%.0f" width="%.0f" height="%d" fill="none" stroke="#555"/>`+"\n", plotLeft, top, right-plotLeft, panelHeight)
	}
	for k, r := range runs {
		y := plotTop + 14 + 18*k
		fmt.Fprintf(&b, `<path d="M%.0f %dh18" stroke="%s" stroke-width="3"/><text x="%.0f" y="%d">%s</text>`+"\n", right+10, y-4, colours[k%len(colours)], right+33, y, html.EscapeString(string(r.Policy)))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// marks are some four round values of an axis.
func marks(low, high float64, log bool) []float64 {
	if log {
		var out []float64
		for _, v := range []float64{1, 1.02, 1.05, 1.1, 1.2, 1.5, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
			if v <= high && (high < 3 || v >= 2 || v == 1) && (high >= 1.5 || v <= 1.2) {
				out = append(out, v)
			}
		}
		return out
	}
	step := math.Pow(10, math.Floor(math.Log10(max(high-low, 1e-9))))
	if (high-low)/step < 4 {
		step /= 2
	}
	var out []float64
	for v := math.Ceil(low/step) * step; v <= high; v += step {
		out = append(out, v)
	}
	return out
}

func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.4g M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.4g k", v/1e3)
	}
	return fmt.Sprintf("%.4g", v)
}
