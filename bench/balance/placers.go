package main

import (
	"time"
)

// placer is a way to place publishers that exists here alone: it acts at once and on exact knowledge.
type placer struct {
	name string
	// choose is the server for a session of the bitrate, given what each carries; mean is that of those that are there.
	choose func(there []carried, bitrate, mean float64) int
}

// carried is what a server carries.
type carried struct {
	capacity float64
	bps      float64
	sessions int
}

func placers() []placer {
	least := func(there []carried, value func(*carried) float64) (best int) {
		for i := range there {
			if value(&there[i]) < value(&there[best]) {
				best = i
			}
		}
		return best
	}
	return []placer{
		{"greedy, bitrates known beforehand", func(there []carried, bitrate, _ float64) int {
			return least(there, func(c *carried) float64 { return (c.bps + bitrate) / c.capacity })
		}},
		{"greedy, bitrates known once they flow", func(there []carried, _, mean float64) int {
			return least(there, func(c *carried) float64 { return (c.bps + mean) / c.capacity })
		}},
		{"fewest connections per weight", func(there []carried, _, _ float64) int {
			return least(there, func(c *carried) float64 { return float64(c.sessions+1) / c.capacity })
		}},
	}
}

// ideal plays a trace through a placer: every second a sample of what the servers would have received.
func ideal(p placer, visits []visit, capacity []float64, length time.Duration) []sample {
	there := make([]carried, len(capacity))
	for i, c := range capacity {
		there[i].capacity = c
	}
	type open struct {
		*visit
		server int
	}
	var now time.Duration
	var alive []open
	bytes := make([]float64, len(capacity))
	// run lets time pass.
	run := func(to time.Duration) {
		for now < to {
			next, who := to, -1
			for i, o := range alive {
				if o.To < next {
					next, who = o.To, i
				}
			}
			for i := range there {
				bytes[i] += there[i].bps / 8 * (next - now).Seconds()
			}
			if now = next; who >= 0 {
				o := alive[who]
				there[o.server].bps -= o.BitrateBPS
				there[o.server].sessions--
				alive = append(alive[:who], alive[who+1:]...)
			}
		}
	}
	var samples []sample
	i := 0
	for at := time.Duration(0); at <= length; at += time.Second {
		for ; i < len(visits) && visits[i].From <= at; i++ {
			v := &visits[i]
			run(v.From)
			mean := v.BitrateBPS
			if len(alive) > 0 {
				mean = 0
				for _, c := range there {
					mean += c.bps / float64(len(alive))
				}
			}
			s := p.choose(there, v.BitrateBPS, mean)
			there[s].bps += v.BitrateBPS
			there[s].sessions++
			alive = append(alive, open{v, s})
		}
		run(at)
		samples = append(samples, sample{at, append([]float64(nil), bytes...)})
	}
	return samples
}
