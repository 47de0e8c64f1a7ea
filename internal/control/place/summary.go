package place

import (
	"cmp"
	"slices"
)

// Tally is how many servers were rejected for one reason.
type Tally struct {
	Why   Word
	Count int
}

// SummarizePublisher explains to those who keep many decisions: the servers that came nearest, at most a
// given number, and how many others there were for each reason. It costs one look at each server.
func (x *Index) SummarizePublisher(req *PublishRequest, d *Decision, most int) ([]Rejection, []Tally) {
	var q query
	req.query(&q)
	return x.summarize(&q, d, most)
}

// SummarizeViewer is the same for a viewer.
func (x *Index) SummarizeViewer(req *ViewRequest, d *Decision, most int) ([]Rejection, []Tally) {
	var q query
	req.query(&q)
	return x.summarize(&q, d, most)
}

func (x *Index) summarize(q *query, d *Decision, most int) ([]Rejection, []Tally) {
	near := make([]Rejection, 0, min(most, len(x.servers)))
	var rest []Tally
	count := func(why Word) {
		if i := slices.IndexFunc(rest, func(t Tally) bool { return t.Why == why }); i >= 0 {
			rest[i].Count++
		} else {
			rest = append(rest, Tally{why, 1})
		}
	}
	for i := range x.servers {
		r, ok := x.rejection(q, d, ID(i))
		if !ok {
			continue
		}
		if len(near) == most {
			if most == 0 || nearness(&r, &near[most-1]) >= 0 {
				count(r.Why)
				continue
			}
			count(near[most-1].Why)
			near = near[:most-1]
		}
		at, _ := slices.BinarySearchFunc(near, r, func(a, b Rejection) int { return nearness(&a, &b) })
		near = slices.Insert(near, at, r)
	}
	slices.SortFunc(rest, func(a, b Tally) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Why, b.Why)) })
	return near, rest
}

// nearness orders rejected servers: those that could have taken the session first, the least loaded of them first.
func nearness(a, b *Rejection) int {
	if (a.Share > 0) != (b.Share > 0) {
		return cmp.Compare(b.Share, a.Share)
	}
	return cmp.Or(cmp.Compare(a.Share, b.Share), cmp.Compare(a.Node, b.Node))
}
