package event

import (
	"github.com/prometheus/client_golang/prometheus"
)

// counters are the metrics that events feed. What is a state rather than an
// event (viewers, bytes, drains) is collected by the node when it is asked.
type counters struct {
	opened        prometheus.Counter
	open          prometheus.Gauge
	empty         prometheus.Counter
	closed        *prometheus.CounterVec // role, reason, ended_by
	duration      *prometheus.HistogramVec
	refused       *prometheus.CounterVec // role, reason
	limits        *prometheus.CounterVec // reason
	publishes     *prometheus.CounterVec // app
	publishEnds   *prometheus.CounterVec // app, reason
	publishers    *prometheus.GaugeVec   // app
	pulls         prometheus.Gauge
	pullsStarted  prometheus.Counter
	pullEnds      *prometheus.CounterVec // reason
	claims        prometheus.Counter
	takeOvers     prometheus.Counter
	claimsRefused *prometheus.CounterVec // reason
	lost          *prometheus.CounterVec // reason
	released      *prometheus.CounterVec // reason
	skips         *prometheus.CounterVec // reason
	dropped       *prometheus.CounterVec // reason
	placed        prometheus.Counter
	backendFails  *prometheus.CounterVec // reason
	backendMoves  *prometheus.CounterVec // reason
	notSpliced    *prometheus.CounterVec
	redirects     prometheus.Counter
	notFollowed   prometheus.Counter
	backendUps    prometheus.Counter
	backendDowns  prometheus.Counter
	backendLoads  prometheus.Counter
	passed        prometheus.Counter
	notPassed     prometheus.Counter
	panics        prometheus.Counter
	discovered    prometheus.Counter
	undiscovered  prometheus.Counter
	unregistered  prometheus.Counter
	nodesUp       prometheus.Counter
	nodesDown     *prometheus.CounterVec // reason
	storeUp       prometheus.Gauge
	outages       prometheus.Counter
	outageSeconds prometheus.Counter

	apps labels
}

// NewMetrics registers the counters of all events with reg and returns the Sink
// that counts. node is the constant label "node" of all of them. The error is
// the registry's: something of that name exists.
func NewMetrics(reg prometheus.Registerer, node string) (Sink, error) {
	r := registrar{reg: prometheus.WrapRegistererWith(prometheus.Labels{"node": node}, reg)}
	c := &counters{
		opened: r.counter("weir_sessions_opened_total", "Connections accepted."),
		open:   r.gauge("weir_sessions", "Connections that are open now."),
		empty:  r.counter("weir_sessions_empty_total", "Connections that their client ended before it had sent a byte: checks of load balancers."),
		closed: r.counters("weir_sessions_closed_total", "Sessions ended, by what they were and why they ended.", "role", "reason", "ended_by"),
		duration: r.histogram("weir_session_duration_seconds", "How long sessions lasted.",
			[]float64{1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600}, "role"),
		refused:       r.counters("weir_refused_total", "Connections and requests turned away.", "role", "reason"),
		limits:        r.counters("weir_limit_hits_total", "Times that a limit bit; one reason per limit, see docs/limits.md.", "reason"),
		publishes:     r.counters("weir_publishes_total", "Publishers accepted.", "app"),
		publishEnds:   r.counters("weir_publish_ends_total", "Publishers gone.", "app", "reason"),
		publishers:    r.gauges("weir_publishers", "Publishers at this node now.", "app"),
		pulls:         r.gauge("weir_pulls", "Streams that this node pulls now."),
		pullsStarted:  r.counter("weir_pulls_started_total", "Pulls started."),
		pullEnds:      r.counters("weir_pull_ends_total", "Pulls ended.", "reason"),
		claims:        r.counter("weir_claims_total", "Streams claimed by this node."),
		takeOvers:     r.counter("weir_take_overs_total", "Streams that this node tried to take over from an owner that had to give way."),
		claimsRefused: r.counters("weir_claims_refused_total", "Claims refused.", "reason"),
		lost:          r.counters("weir_ownerships_lost_total", "Streams that this node owned and lost.", "reason"),
		released:      r.counters("weir_ownerships_released_total", "Streams that this node gave back.", "reason"),
		skips:         r.counters("weir_viewer_skips_total", "Times that a slow viewer was moved to the newest key frame.", "reason"),
		dropped:       r.counters("weir_media_dropped_messages_total", "Messages of publishers and feeds that were not written to their stream.", "reason"),
		placed:        r.counter("weir_placements_total", "Sessions for which a server was chosen."),
		backendFails:  r.counters("weir_backend_failures_total", "Chosen servers that could not be used.", "reason"),
		notSpliced:    r.counters("weir_sessions_not_spliced_total", "Sessions that were carried because they could not be spliced.", "reason"),
		redirects:     r.counter("weir_redirects_total", "Viewers that were told to go to a server itself."),
		notFollowed:   r.counter("weir_redirects_not_followed_total", "Those of them that did not go."),
		backendMoves:  r.counters("weir_backend_changes_total", "Carried sessions that went on to another server.", "reason"),
		backendUps:    r.counter("weir_backend_ups_total", "Times that the checks of a backend found it up after they had not."),
		backendDowns:  r.counter("weir_backend_downs_total", "Times that the checks of a backend found it down after they had not."),
		backendLoads:  r.counter("weir_backend_load_losses_total", "Times that a backend's load became unreadable."),
		passed:        r.counter("weir_http_passed_total", "Requests over HTTP that were for servers behind this node."),
		notPassed:     r.counter("weir_http_passed_failures_total", "Those of them that were answered with a server's error, or by no server."),
		panics:        r.counter("weir_http_panics_total", "Requests that ended in a fault of this node: please report it."),
		discovered:    r.counter("weir_discovery_updates_total", "Times that a source of backends had a new list or worked again."),
		undiscovered:  r.counter("weir_discovery_failures_total", "Times that a source of backends failed; the list before stays."),
		unregistered:  r.counter("weir_backends_refused_total", "Backends of a source that could not be registered."),
		nodesUp:       r.counter("weir_nodes_up_total", "Nodes seen joining."),
		nodesDown:     r.counters("weir_nodes_down_total", "Nodes seen leaving.", "reason"),
		storeUp:       r.gauge("weir_store_up", "1 while the store answers."),
		outages:       r.counter("weir_store_outages_total", "Times that the store stopped answering."),
		outageSeconds: r.counter("weir_store_outage_seconds_total", "Time without the store, counted when it is back."),
		apps:          labels{max: maxAppLabels},
	}
	c.storeUp.Set(1)
	for info := range Reasons() {
		if info.Limit {
			c.limits.WithLabelValues(string(info.Reason)) // there from the start: a rate needs a zero to begin with
		}
	}
	return c.count, r.err
}

func (c *counters) count(e Event) {
	switch e := e.(type) {
	case SessionOpened:
		c.opened.Inc()
		c.open.Inc()
	case SessionClosed:
		c.open.Dec()
		if e.Empty() {
			c.empty.Inc()
		}
		role := e.Role.label()
		c.closed.WithLabelValues(role, c.reason(e.Reason), string(e.EndedBy)).Inc()
		c.duration.WithLabelValues(role).Observe(e.Dur.Seconds())
	case Refused:
		c.refused.WithLabelValues(e.Role.label(), c.reason(e.Reason)).Inc()
	case LimitHit:
		c.reason(e.Reason)
	case Placed:
		c.placed.Inc()
	case BackendFailed:
		c.backendFails.WithLabelValues(c.reason(e.Reason)).Inc()
	case BackendChanged:
		c.backendMoves.WithLabelValues(c.reason(e.Reason)).Inc()
	case NotSpliced:
		c.notSpliced.WithLabelValues(c.reason(e.Reason)).Inc()
	case Redirected:
		c.redirects.Inc()
	case NotRedirected:
		c.notFollowed.Inc()
	case ViewersSkipped:
		c.skips.WithLabelValues(c.reasons(e.Reason, e.Count)).Add(float64(max(e.Count, 0)))
	case MediaDropped:
		c.dropped.WithLabelValues(c.reasons(e.Reason, e.Count)).Add(float64(max(e.Count, 0)))
	case PublishStarted:
		app := c.apps.label(e.App)
		c.publishes.WithLabelValues(app).Inc()
		c.publishers.WithLabelValues(app).Inc()
	case PublishEnded:
		app := c.apps.label(e.App)
		c.publishEnds.WithLabelValues(app, c.reason(e.Reason)).Inc()
		c.publishers.WithLabelValues(app).Dec()
	case PullStarted:
		c.pullsStarted.Inc()
		c.pulls.Inc()
	case PullEnded:
		c.pulls.Dec()
		c.pullEnds.WithLabelValues(c.reason(e.Reason)).Inc()
	case Claimed:
		if !e.Confirms {
			c.claims.Inc()
		}
	case TakeOver:
		c.takeOvers.Inc()
	case ClaimRefused:
		c.claimsRefused.WithLabelValues(c.reason(e.Reason)).Inc()
	case OwnershipLost:
		c.lost.WithLabelValues(c.reason(e.Reason)).Inc()
	case Released:
		c.released.WithLabelValues(c.reason(e.Reason)).Inc()
	case BackendHealth:
		if e.Up {
			c.backendUps.Inc()
		} else {
			c.backendDowns.Inc()
		}
	case BackendLoad:
		if !e.Good {
			c.backendLoads.Inc()
		}
	case Proxied:
		c.passed.Inc()
		if e.Status >= 500 {
			c.notPassed.Inc()
		}
	case HandlerPanicked:
		c.panics.Inc()
	case Discovered:
		c.discovered.Inc()
	case DiscoveryFailed:
		c.undiscovered.Add(float64(max(e.Times, 1)))
	case BackendsRefused:
		c.unregistered.Add(float64(max(e.Count, 0)))
	case NodeUp:
		c.nodesUp.Inc()
	case NodeDown:
		c.nodesDown.WithLabelValues(c.reason(e.Reason)).Inc()
	case StoreLost:
		c.outages.Inc()
		c.storeUp.Set(0)
	case StoreBack:
		c.storeUp.Set(1)
		c.outageSeconds.Add(max(e.Dur.Seconds(), 0))
	}
}

// reason returns r as a label. A reason that is a limit counts here, in
// whatever event it came: so every limit has a counter without its package
// having to remember one.
func (c *counters) reason(r Reason) string { return c.reasons(r, 1) }

// reasons is reason for what happened n times.
func (c *counters) reasons(r Reason, n int64) string {
	info, ok := r.Lookup()
	if !ok {
		return string(OtherReason)
	}
	if info.Limit {
		c.limits.WithLabelValues(string(r)).Add(float64(max(n, 0)))
	}
	return string(r)
}
