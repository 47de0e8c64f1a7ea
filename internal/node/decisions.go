package node

import (
	"weir/internal/control/fleet"
	"weir/internal/control/place"
	"weir/internal/ops/admin"
)

// Decisions implements admin.Historian.
func (v *adminView) Decisions(q admin.DecisionQuery) []admin.Decision {
	ask := fleet.PastQuery{App: q.App, Stream: q.Name, Server: q.Node, Outcome: fleet.Outcome(q.Outcome), Before: q.Before, Limit: q.Limit}
	if q.Action != "" {
		ask.Publish = new(q.Action == "publish")
	}
	var out []admin.Decision
	for _, p := range v.placer.f.Decisions(ask) {
		d := admin.Decision{Seq: p.Seq, At: p.At, App: p.Name.App, Name: p.Name.Stream, Action: "play", Node: p.Server,
			Outcome: string(p.Outcome), Reason: brief(&p), Share: p.Share, Excluded: p.Exclude, Rejected: notChosen(p.Near), Brief: p.Brief}
		if p.Publish {
			d.Action = "publish"
		}
		if p.Source.IsValid() {
			d.Source = p.Source.String()
		}
		for _, t := range p.Rest {
			d.Others = append(d.Others, admin.Tally{Reason: string(t.Why), Count: t.Count})
		}
		out = append(out, d)
	}
	return out
}

// brief is a decision's reason without the others', which stand beside it.
func brief(p *fleet.Past) string {
	if p.Server == "" {
		return "no server could take it"
	}
	return (&place.Decision{Node: p.Server, Why: p.Why, Share: p.Share, Mean: p.Mean}).Reason()
}

func notChosen(rs []place.Rejection) []admin.NotChosen {
	var out []admin.NotChosen
	for _, n := range rs {
		out = append(out, admin.NotChosen{Node: n.Node, Reason: string(n.Why), Share: n.Share})
	}
	return out
}
