package event

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// maxAppLabels bounds the values of the label "app". Why not larger: each one is
// several time series in every scrape for ever, and application names come from
// publishers. Why not smaller: a platform has a handful of applications, and one
// that has more can still tell most of them apart.
const maxAppLabels = 64

// labels hands out label values up to a number; later ones share "other".
type labels struct {
	mu   sync.Mutex
	max  int
	seen map[string]bool
}

func (l *labels) label(v string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.seen[v] {
		if len(l.seen) >= l.max {
			return string(OtherReason)
		}
		if l.seen == nil {
			l.seen = make(map[string]bool)
		}
		l.seen[v] = true
	}
	return v
}

// label returns r if it is one of [Roles], so that a forgotten or foreign one
// makes no new series.
func (r Role) label() string {
	if slices.Contains(Roles(), r) {
		return string(r)
	}
	return string(RoleUnknown)
}

// registrar makes metrics and keeps the first error of registering them.
type registrar struct {
	reg prometheus.Registerer
	err error
}

func (r *registrar) add(c prometheus.Collector) {
	if err := r.reg.Register(c); err != nil && r.err == nil {
		r.err = err
	}
}

func (r *registrar) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	r.add(c)
	return c
}

func (r *registrar) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.add(c)
	return c
}

func (r *registrar) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	r.add(g)
	return g
}

func (r *registrar) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	r.add(g)
	return g
}

func (r *registrar) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.add(h)
	return h
}
