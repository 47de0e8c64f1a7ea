package discovery

import (
	"time"

	"weir/internal/control/fleet"
)

// holds are the servers of a name, with those that its last answers have not named. Name servers answer with some
// addresses of many, others each time, and a publisher at a server that is well should not have to leave it for that.
type holds map[string]held

type held struct {
	backend fleet.Backend
	missing time.Time // since when; zero if it is named
}

// hold adds to a view the servers that it does not name any more, as long as they live and have not been missing for too long.
// Whether it has been too long is looked at when there is an answer: so it has been missing from two at least.
func (h *holds) hold(b *fleet.Backends, list []fleet.Backend, now time.Time) []fleet.Backend {
	next, at := make(holds, len(list)), make(map[string]bool, len(list))
	for _, d := range list {
		next[d.Name] = held{backend: d}
		at[d.RTMP] = true
	}
	for name, x := range *h {
		// One that has another name now is the same server.
		if _, named := next[name]; named || at[x.backend.RTMP] || len(list) >= maxTargets {
			continue
		}
		if x.missing.IsZero() {
			x.missing = now
		}
		if now.Sub(x.missing) < holdMissing && lives(b, name) {
			next[name] = x
			list = append(list, x.backend)
		}
	}
	*h = next
	return list
}

// lives reports whether a server is known to be well: by its checks, or where there are none by its sessions.
func lives(b *fleet.Backends, name string) bool {
	s, ok := b.Get(name)
	switch {
	case !ok:
		return false
	case s.Health.State == fleet.HealthUnknown:
		return s.Counters.Sessions() > 0 && s.Counters.InARow.Load() == 0
	}
	return s.Health.State == fleet.HealthUp
}
