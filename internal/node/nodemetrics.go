package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"weir/internal/control/cluster"
	"weir/internal/ops/event"
)

// nodeMetrics shows what is a state of this node rather than an event, at the time of a scrape. Bytes are asked of
// the sessions themselves: a stream that runs for months has no end that could tell.
type nodeMetrics struct {
	node *node

	state, viewers, carriedPublishers, carriedViewers      *prometheus.Desc
	received, sent, relayIn, relayOut, passedIn, passedOut *prometheus.Desc
}

func newNodeMetrics(n *node) *nodeMetrics {
	self := prometheus.Labels{"node": n.cfg.Node.Name}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("weir_"+name, help, labels, self)
	}
	return &nodeMetrics{
		node:              n,
		state:             desc("node_state", "1 for what this node is: up, draining or drained.", "state"),
		viewers:           desc("viewers", "Viewers that this node itself serves now, those that a front carries here too."),
		carriedPublishers: desc("front_publishers", "Publishers that go on to a server behind this node now: carried or spliced.", "how"),
		carriedViewers:    desc("front_viewers", "Viewers that a server behind this node serves now: carried or spliced, or passed, over HTTP.", "how"),
		received:          desc("session_received_bytes_total", "Bytes that sessions have received from their clients, those that are open too.", "role"),
		sent:              desc("session_sent_bytes_total", "Bytes that sessions have sent to their clients, those that are open too.", "role"),
		relayIn:           desc("relay_received_bytes_total", "Bytes that came over connections that this node had opened to servers: pulls, and carried and spliced sessions."),
		relayOut:          desc("relay_sent_bytes_total", "Bytes that went over those connections."),
		passedIn:          desc("http_passed_received_bytes_total", "Bytes of bodies that requests for servers behind this node have brought, those that are open too."),
		passedOut:         desc("http_passed_sent_bytes_total", "Bytes of bodies that servers behind this node have answered."),
	}
}

// Describe implements prometheus.Collector.
func (m *nodeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.state, m.viewers, m.carriedPublishers, m.carriedViewers, m.received, m.sent,
		m.relayIn, m.relayOut, m.passedIn, m.passedOut} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *nodeMetrics) Collect(ch chan<- prometheus.Metric) {
	n := m.node
	value := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	is := n.cluster.Self().State
	for _, s := range []cluster.State{cluster.StateUp, cluster.StateDraining, cluster.StateDrained} {
		ch <- prometheus.MustNewConstMetric(m.state, prometheus.GaugeValue, truth(s == is), string(s))
	}
	_, passing, passedIn, passedOut := n.web.Load()
	publishers, viewers := n.front.Present()
	value(m.viewers, n.play.Viewers())
	value(m.carriedPublishers, publishers.Carried, "carried")
	value(m.carriedPublishers, publishers.Spliced, "spliced")
	value(m.carriedViewers, viewers.Carried, "carried")
	value(m.carriedViewers, viewers.Spliced, "spliced")
	value(m.carriedViewers, passing, "passed")

	by, _ := n.sessions.Traffic()
	_, overHTTP := n.play.HTTPLoad()
	for _, role := range event.Roles() { // all of them from the start: a rate needs a zero to begin with
		t := by[role]
		if role == event.RoleViewer {
			t.Out += overHTTP
		}
		count(m.received, t.In, string(role))
		count(m.sent, t.Out, string(role))
	}
	in, out := n.peers.Bytes()
	frontIn, frontOut := n.front.Bytes()
	count(m.relayIn, in+frontIn)
	count(m.relayOut, out+frontOut)
	count(m.passedIn, passedIn)
	count(m.passedOut, passedOut)
}
