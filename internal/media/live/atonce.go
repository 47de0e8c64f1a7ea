package live

import "time"

const (
	// longPass is how long the passes that a publisher makes itself may take together for one message, going by
	// what each took last. Why not longer: it does not read meanwhile, and other cores have pumps. Why not
	// shorter: 800 viewers on one core take as long, and waking a pump costs 50 us.
	longPass = 2 * time.Millisecond
	// atOnceMost is how many such passes there are, at most. Why not more: what is left of the pumps of a
	// large machine is served sooner by themselves.
	atOnceMost = 4
)

// atOnce makes a pass in the pump's stead, which sleeps, by the goroutine that has just appended: that
// one runs, and waking another costs more than serving a few viewers. It reports false if the pass is for the
// pump, since it works, or rests.
func (p *pump) atOnce(b *beat) bool {
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
	start := p.hub.now()
	if !b.rested(start) {
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
