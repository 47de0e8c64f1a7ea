package sim

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"weir/internal/control/place"
)

func TestPlotIsAPicture(t *testing.T) {
	c := Default()
	c.Viewers, c.Streams, c.Edges, c.Churn = 2000, 100, 10, 0.5
	r := simulate(t, c)
	c.Policy = place.Hash
	h := simulate(t, c)
	var b strings.Builder
	if err := Plot(&b, "a & b < c", []*Result{r, h}); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := tok.(xml.StartElement); ok && s.Name.Local == "path" {
			lines++
		}
	}
	if lines < 6 {
		t.Errorf("%d lines, want one a run and panel", lines)
	}
	if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
		t.Error("a coordinate is no number")
	}
	if err := Plot(io.Discard, "", nil); err != nil {
		t.Error(err)
	}
}
