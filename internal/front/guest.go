package front

import "context"

// guest is a session at a foreign server: a carried one, which can be moved, or a spliced viewer,
// which can be ended.
type guest interface {
	// evacuate moves the session from server elsewhere and returns when that is done or has
	// been tried, or it is not there any more. It stays while nobody else takes it and its server is
	// heard. At a gentle move the old server serves until the new one has a key frame.
	evacuate(ctx context.Context, server string, gentle bool)
	publishes() bool
	// waits reports whether evacuate takes its time.
	waits() bool
	// stays reports that such an evacuation is none of its business.
	stays(gentle bool) bool
}

// settleAt notes that g is at server; "" = nowhere.
func (f *Front) settleAt(g guest, from, to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if set := f.guests[from]; set != nil {
		if delete(set, g); len(set) == 0 {
			delete(f.guests, from)
		}
	}
	if to == "" {
		return
	}
	if f.guests[to] == nil {
		f.guests[to] = make(map[guest]bool)
	}
	f.guests[to][g] = true
}
