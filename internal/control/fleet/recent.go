package fleet

import (
	"slices"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// recent remembers where this balancer has just sent viewers of a stream, until the cluster's view
// shows the pull. Without it the second viewer of a stream starts a second pull.
type recent struct {
	streams map[stream.Name][]recentPull
	queue   []recentDecision // oldest first
}

type recentPull struct {
	id    place.ID
	until time.Duration
}

type recentDecision struct {
	name  stream.Name
	until time.Duration
}

func (r *recent) add(name stream.Name, id place.ID, now time.Duration) {
	if r.streams == nil {
		r.streams = map[stream.Name][]recentPull{}
	}
	until := now + pullSeen
	list := r.streams[name]
	if i := slices.IndexFunc(list, func(p recentPull) bool { return p.id == id }); i >= 0 {
		list[i].until = until
	} else {
		r.streams[name] = append(list, recentPull{id, until})
	}
	r.queue = append(r.queue, recentDecision{name, until})
}

func (r *recent) of(name stream.Name) []place.ID {
	var ids []place.ID
	for _, p := range r.streams[name] {
		ids = append(ids, p.id)
	}
	return ids
}

func (r *recent) expire(now time.Duration) {
	for len(r.queue) > 0 && r.queue[0].until <= now {
		name := r.queue[0].name
		r.queue = r.queue[1:]
		list := slices.DeleteFunc(r.streams[name], func(p recentPull) bool { return p.until <= now })
		if len(list) == 0 {
			delete(r.streams, name)
		} else {
			r.streams[name] = list
		}
	}
}

// forget takes out a server that is gone: its ID may become another's.
func (r *recent) forget(id place.ID) {
	for name, list := range r.streams {
		r.streams[name] = slices.DeleteFunc(list, func(p recentPull) bool { return p.id == id })
	}
}
