package node_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// metric is one figure that a node shows, by its name and its other labels.
func (r *running) metric(t *testing.T, node, name string, labels ...string) float64 {
	t.Helper()
	labels = append(labels, `node="`+node+`"`)
	slices.Sort(labels) // as they come
	series := fmt.Sprintf("\n%s{%s} ", name, strings.Join(labels, ","))
	_, rest, ok := strings.Cut("\n"+r.get(t, "admin", "/metrics"), series)
	if !ok {
		t.Fatalf("no metric%s", series)
	}
	text, _, _ := strings.Cut(rest, "\n")
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Bytes show while they move, wherever a stream comes through: a front that carries, the origin, an edge that pulls.
func TestTrafficShowsWhereverAStreamComesThrough(t *testing.T) {
	f, o, e := relayed(t)
	// More than what is said before media and beside it, which is at once.
	const some = 200_000
	for _, c := range []struct {
		at     *running
		node   string
		metric string
		labels []string
	}{
		{f, "f", "weir_session_received_bytes_total", []string{`role="publisher"`}},
		{f, "f", "weir_relay_sent_bytes_total", nil},
		{o, "o", "weir_session_received_bytes_total", []string{`role="publisher"`}},
		{o, "o", "weir_session_sent_bytes_total", []string{`role="feed"`}},
		{e, "e", "weir_relay_received_bytes_total", nil},
		{e, "e", "weir_session_sent_bytes_total", []string{`role="viewer"`}},
	} {
		if !eventually(patience, func() bool { return c.at.metric(t, c.node, c.metric, c.labels...) > some }) {
			t.Errorf("%s of %s is %v while the stream runs", c.metric, c.node, c.at.metric(t, c.node, c.metric, c.labels...))
		}
	}
	for _, c := range []struct {
		at     *running
		node   string
		metric string
		label  string
		want   float64
	}{
		{f, "f", "weir_front_publishers", `how="carried"`, 1},
		{f, "f", "weir_front_publishers", `how="spliced"`, 0},
		{f, "f", "weir_front_viewers", `how="carried"`, 0},
		{f, "f", "weir_node_state", `state="up"`, 1},
		{f, "f", "weir_node_state", `state="draining"`, 0},
		{o, "o", "weir_publishers", `app="live"`, 1},
	} {
		if got := c.at.metric(t, c.node, c.metric, c.label); got != c.want {
			t.Errorf("%s{%s} of %s is %v, want %v", c.metric, c.label, c.node, got, c.want)
		}
	}
	if o, e := o.metric(t, "o", "weir_viewers"), e.metric(t, "e", "weir_viewers"); o != 0 || e != 1 {
		t.Errorf("%v viewers at the origin, %v at the edge", o, e)
	}

	f.sees(t, "e")
	resp, err := http.Get("http://" + f.listening("http") + "/live/cam.flv")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, some); err != nil {
		t.Fatal(err)
	}
	if n := f.metric(t, "f", "weir_front_viewers", `how="passed"`); n != 1 {
		t.Errorf("%v viewers are passed", n)
	}
	// A write may be counted after it has arrived.
	if !eventually(patience, func() bool { return f.metric(t, "f", "weir_http_passed_sent_bytes_total") >= some }) {
		t.Error("what is passed does not count as it moves")
	}
	resp.Body.Close()

	if err := e.api().Drain(t.Context(), "e", 0); err != nil {
		t.Fatal(err)
	}
	if !eventually(patience, func() bool { return e.metric(t, "e", "weir_node_state", `state="drained"`) == 1 }) {
		t.Error("no metric says that the edge is drained")
	}
	if up := e.metric(t, "e", "weir_node_state", `state="up"`); up != 0 {
		t.Errorf("the edge is drained, and %v up", up)
	}
	problems, err := promlint.New(strings.NewReader(f.get(t, "admin", "/metrics"))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "weir_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}
