package live

import "time"

const (
	// longPass is how long the passes that a publisher makes itself may take together for one message, as far as
	// that is known before. Why not longer: it does not read meanwhile, and other cores have pumps. Why not
	// shorter: 800 viewers on one core take as long, and waking a pump costs 50 us.
	longPass = 2 * time.Millisecond
	// sendTime is what a send takes, where nothing is known.
	sendTime = longPass / 800
	// atOnceMost is how many such passes there are, at most. Why not more: what is left of the pumps of a
	// large machine is served sooner by themselves.
	atOnceMost = 4
)

// cost is what a pass over the group is likely to take.
func (g *group) cost() time.Duration {
	return max(time.Duration(g.took.Load()), time.Duration(g.count.Load())*sendTime)
}

// atOnce makes a pass over a group in the stead of its pump, which sleeps, by the goroutine that has just appended: that
// one runs, and waking another costs more than serving a few viewers. It reports false if the pass is for the
// pump: it works or rests, has mail, which comes first, or other groups have news, too.
func (p *pump) atOnce(g *group) bool {
	select {
	case p.turn <- struct{}{}:
	default:
		return false
	}
	p.lent = true
	defer func() {
		p.lent = false
		<-p.turn
	}()
	b, start := g.beat, p.hub.now()
	if p.hasMail() || b.dirty.Load() != g || g.next != nil || !b.rested(start) {
		return false
	}
	retryAt := p.retryAt
	if t := p.pass(b, start); t.groups > 0 {
		b.rest(start, p.hub.now(), t)
	}
	if p.retryAt < retryAt {
		p.notify() // a socket takes no more: its timer is the pump's
	}
	return true
}
