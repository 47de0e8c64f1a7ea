package node

import (
	"cmp"
	"context"

	"weir/internal/control/fleet"
	"weir/internal/control/fleet/load"
	"weir/internal/ops/admin"
)

// Backends implements admin.Backends.
func (v *adminView) Backends(context.Context) ([]admin.Backend, error) {
	var out []admin.Backend
	for _, s := range v.backends.List() {
		var polls load.State
		if v.watched.poller != nil {
			polls = v.watched.poller.State(s.Name)
		}
		out = append(out, backendView(&s, polls))
	}
	return out, nil
}

// Sources implements admin.Backends.
func (v *adminView) Sources() []admin.Source {
	var out []admin.Source
	for _, s := range v.watched.sources {
		st := s.Stats()
		out = append(out, admin.Source{Name: s.Name(), Servers: st.Servers, Updated: st.Updated, Failures: st.Failures, Failing: st.Failing})
	}
	return out
}

// Has implements admin.Backends.
func (v *adminView) Has(name string) []string {
	var out []string
	for _, s := range v.backends.StreamsOf(name) {
		out = append(out, s.String())
	}
	return out
}

func backendView(s *fleet.BackendStatus, polls load.State) admin.Backend {
	c := s.Counters
	b := admin.Backend{
		Name: s.Name, Source: s.Source, Kind: string(s.Kind), Addresses: admin.Addresses{RTMP: s.RTMP, HTTP: s.HTTP, Public: s.Public}, Zone: s.Zone, Shared: s.Shared,
		State: string(s.State()), Operator: string(s.Operator), Weight: s.Weight, Set: s.WeightSet,
		Health: admin.Health{State: cmp.Or(string(s.Health.State), "unknown"), Check: cmp.Or(string(s.Check.Kind), string(fleet.CheckRTMP)), Reason: s.Health.Reason, Since: s.Health.Since,
			Status: s.Health.Status, Code: s.Health.Code, Took: s.Health.Took.Seconds(), Rise: s.Check.Rise, Fall: s.Check.Fall},
		Capacity: admin.Capacity{Egress: s.Capacity.EgressBPS, Sessions: s.Capacity.Sessions, Publishers: s.Capacity.Publishers},
		Streams:  s.Streams,
		Sessions: admin.BackendSessions{Publishers: c.Publishers.Load(), Viewers: c.Viewers.Load(), Most: c.Most.Load(), Total: c.Total.Load(),
			Failures: c.Failures.Load(), Moved: c.Moved.Load(), Received: c.In.Load(), Sent: c.Out.Load()},
	}
	if s.Publishes {
		b.Roles = append(b.Roles, "publish")
	}
	if s.Serves {
		b.Roles = append(b.Roles, "play")
	}
	l, from := s.Own, string(fleet.LoadNone)
	if s.Reported {
		l, from = s.Measured, cmp.Or(string(polls.From), "reported")
	}
	b.Load = admin.BackendLoad{From: from, Publishers: l.Publishers, Sessions: l.Sessions, Egress: l.EgressBPS, Ingress: l.IngressBPS, CPU: l.CPU,
		Seen: s.LoadSeen, Problem: polls.Problem}
	return b
}

// frontends are this node's listeners as /haproxy;csv shows them.
func (n *node) frontends() []admin.Frontend {
	in, out := n.sessions.Bytes()
	list := []admin.Frontend{{Name: "rtmp", Sessions: n.sessions.Len(), Total: n.sessions.Total(), In: in, Out: out}}
	if n.listeners.http != nil || n.listeners.https != nil {
		viewers, sent := n.play.HTTPLoad()
		passed, _, in, out := n.web.Load()
		list = append(list, admin.Frontend{Name: "http", Sessions: viewers + passed, Total: n.web.Total(), In: in, Out: sent + out})
	}
	return list
}
