package node

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"weir/internal/control/fleet"
	"weir/internal/control/place"
	"weir/internal/ops/admin"
)

// backendMetrics shows the backends at the time of a scrape. Their names are the operator's, and their number is
// bounded by the registry, so they may be a label.
type backendMetrics struct {
	node *node

	up, state, weight, sessions, publishers, egress, ingress, streams *prometheus.Desc
	total, failures, moved, received, sent, problem                   *prometheus.Desc
	// By source.
	servers, failing, updated, refusals *prometheus.Desc
	// Of all.
	spliced, pipes, lane *prometheus.Desc
}

func newBackendMetrics(n *node) *backendMetrics {
	self := prometheus.Labels{"node": n.cfg.Node.Name}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("weir_backend_"+name, help, append([]string{"backend"}, labels...), self)
	}
	source := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("weir_backend_source_"+name, help, []string{"source"}, self)
	}
	all := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("weir_spliced_"+name, help, nil, self)
	}
	return &backendMetrics{
		node:       n,
		up:         desc("up", "1 if the backend's checks are good, or it has none and is not in maintenance."),
		state:      desc("state", "1 for what placement makes of the backend: up, drain, maint or down.", "state"),
		weight:     desc("weight", "The backend's weight, against others of 1."),
		sessions:   desc("sessions", "Sessions at the backend now: all of them if it reports its load, this node's otherwise."),
		publishers: desc("publishers", "Publishers at the backend now, as weir_backend_sessions."),
		egress:     desc("egress_bytes_per_second", "What the backend sends, of weir_backend_sessions."),
		ingress:    desc("ingress_bytes_per_second", "What the backend gets, of weir_backend_sessions."),
		streams:    desc("streams", "Streams that the backend is known to have."),
		total:      desc("sessions_total", "Sessions of this node at the backend."),
		failures:   desc("session_failures_total", "Sessions of this node that failed by the backend's fault."),
		moved:      desc("sessions_moved_total", "Sessions of this node that went on elsewhere."),
		received:   desc("received_bytes_total", "Bytes that the backend got from this node's sessions."),
		sent:       desc("sent_bytes_total", "Bytes that the backend sent to this node's sessions."),
		problem:    desc("load_unreadable", "1 while the load that the backend reports cannot be read."),
		servers:    source("servers", "Servers of the source's list in use."),
		failing:    source("failing", "1 while the source's newest answer cannot be used, and the one before is."),
		updated:    source("updated_timestamp_seconds", "When the source last gave a good answer; 0: never."),
		refusals:   source("failures_total", "Answers of the source that could not be used."),
		spliced:    all("sessions", "Sessions that are joined with their server in the kernel."),
		pipes:      all("pipes", "Pipes that hold data of spliced sessions whose other end lags."),
		lane:       all("lane", "Directions of spliced sessions that are visited by the clock."),
	}
}

// Describe implements prometheus.Collector.
func (m *backendMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.up, m.state, m.weight, m.sessions, m.publishers, m.egress, m.ingress, m.streams,
		m.total, m.failures, m.moved, m.received, m.sent, m.problem, m.servers, m.failing, m.updated, m.refusals, m.spliced, m.pipes, m.lane} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *backendMetrics) Collect(ch chan<- prometheus.Metric) {
	list, _ := (*adminView)(m.node).Backends(context.Background()) // it asks nobody and cannot fail
	for i := range list {
		m.collect(ch, &list[i])
	}
	told := map[string]bool{} // a series that comes twice would cost all the others
	for _, s := range (*adminView)(m.node).Sources() {
		if !told[s.Name] {
			told[s.Name] = true
			m.collectSource(ch, &s)
		}
	}
	joined := m.node.front.Spliced()
	for d, v := range map[*prometheus.Desc]int{m.spliced: joined.Sessions, m.pipes: joined.Pipes, m.lane: joined.InLane} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
}

func (m *backendMetrics) collectSource(ch chan<- prometheus.Metric, s *admin.Source) {
	value := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, s.Name)
	}
	value(m.servers, float64(s.Servers))
	value(m.failing, truth(s.Failing != ""))
	at := 0.0
	if !s.Updated.IsZero() {
		at = float64(s.Updated.UnixMilli()) / 1000
	}
	value(m.updated, at)
	ch <- prometheus.MustNewConstMetric(m.refusals, prometheus.CounterValue, float64(s.Failures), s.Name)
}

// up: what is not known is not up, unless nobody is to find it out.
func up(b *admin.Backend) bool {
	if b.Health.State == "unknown" {
		return b.Health.Check == string(fleet.CheckNone) && b.State != string(place.Maint)
	}
	return b.Health.State == string(fleet.HealthUp) && b.State != string(place.Maint)
}

func (m *backendMetrics) collect(ch chan<- prometheus.Metric, b *admin.Backend) {
	value := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{b.Name}, labels...)...)
	}
	count := func(d *prometheus.Desc, v int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), b.Name)
	}
	value(m.up, truth(up(b)))
	for _, s := range []string{"up", "drain", "maint", "down"} {
		value(m.state, truth(b.State == s), s)
	}
	value(m.weight, b.Weight)
	value(m.sessions, float64(b.Load.Sessions))
	value(m.publishers, float64(b.Load.Publishers))
	value(m.egress, b.Load.Egress/8)
	value(m.ingress, b.Load.Ingress/8)
	value(m.streams, float64(b.Streams))
	value(m.problem, truth(b.Load.Problem != ""))
	count(m.total, b.Sessions.Total)
	count(m.failures, b.Sessions.Failures)
	count(m.moved, b.Sessions.Moved)
	count(m.received, b.Sessions.Received)
	count(m.sent, b.Sessions.Sent)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
