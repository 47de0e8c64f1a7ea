package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// Backends is the one registry of the servers that are no nodes of the cluster: what discovery says they
// are, what checks and polls say of them, what operators want of them, what this node's sessions at them
// count. All methods may be called from any goroutine, and none waits for anybody.
//
// Discovery owns descriptions: each source replaces its own view as a whole ([Backends.Replace]).
// A name belongs to the first source that brought it until that one drops it.
type Backends struct {
	o BackendOptions

	mu     sync.RWMutex
	all    map[string]*backend
	wanted map[string]map[string]Backend // by source, name: all that is said, the refused included
	kept   map[string]kept               // what operators set, by name; outlives the backend
	gone   map[goneKey]goneBackend       // what has sessions of this node still
	order  []string                      // of sources: who comes first wins a name
	nextID uint64
	// unsettled: something is wanted that could not be registered, and may be later.
	unsettled bool
	has       map[stream.Name][]string // names of backends that have a stream, sorted
	subs      map[*Changes]bool

	passive atomic.Pointer[func(name string, err error)]
}

// BackendOptions are a registry's parts; the zero value will do.
type BackendOptions struct {
	// Node reports whether a name is a node's; then it cannot be a backend's.
	Node func(name string) bool
	Now  func() time.Time // time.Now if nil
}

// backend is a registered one; Backends.mu guards it.
type backend struct {
	BackendStatus
	polled  map[stream.Name]bool // as the last poll said
	carried *carried             // publishers of this node there
	meter   meter
	// ownThen is what was this node's own in what the last poll measured.
	ownThen place.Load
}

// NewBackends returns a registry of none.
func NewBackends(o BackendOptions) *Backends {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Node == nil {
		o.Node = func(string) bool { return false }
	}
	return &Backends{o: o, all: map[string]*backend{}, wanted: map[string]map[string]Backend{},
		kept: map[string]kept{}, gone: map[goneKey]goneBackend{}, has: map[stream.Name][]string{}, subs: map[*Changes]bool{}}
}

// NameError is a backend that cannot be registered.
type NameError struct {
	Name, Source string
	By           string // who has the name: a source, or "a node"; "" if it is the name itself
	Why          string
}

func (e *NameError) Error() string {
	if e.By != "" {
		return fmt.Sprintf("backend %q of %s: %s has the name", e.Name, e.Source, e.By)
	}
	return fmt.Sprintf("backend %q of %s: %s", e.Name, e.Source, e.Why)
}

// UnknownError: there is no backend of that name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return fmt.Sprintf("no backend %q", e.Name) }

// List returns all backends by name.
func (b *Backends) List() []BackendStatus {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]BackendStatus, 0, len(b.all))
	for _, x := range b.all {
		out = append(out, x.status())
	}
	slices.SortFunc(out, func(a, c BackendStatus) int { return cmp.Compare(a.Name, c.Name) })
	return out
}

// Get returns one backend.
func (b *Backends) Get(name string) (BackendStatus, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if x := b.all[name]; x != nil {
		return x.status(), true
	}
	return BackendStatus{}, false
}

// Len counts the backends.
func (b *Backends) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.all)
}

// AnyHTTP reports whether any backend serves viewers by HTTP.
func (b *Backends) AnyHTTP() bool {
	return b.any(func(d *Backend) bool { return d.HTTP != "" && d.Serves })
}

// AnyHTTPPublisher reports whether any backend takes publishers by HTTP.
func (b *Backends) AnyHTTPPublisher() bool {
	return b.any(func(d *Backend) bool { return d.HTTP != "" && d.Publishes })
}

func (b *Backends) any(is func(*Backend) bool) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, x := range b.all {
		if is(&x.Backend) {
			return true
		}
	}
	return false
}

// Counters of a backend, also of one that is gone while it has sessions; of an unknown one, some that nobody reads.
func (b *Backends) Counters(name string) *Counters {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if x := b.all[name]; x != nil {
		return x.Counters
	}
	if l, ok := b.lost(name); ok {
		return l.counters
	}
	return new(Counters)
}

// SetHealth says what the checks of a backend say. A zero Since is now, if the state changes.
func (b *Backends) SetHealth(name string, h Health) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.all[name]
	if x == nil {
		return
	}
	was := x.Health
	if h.State == was.State {
		h.Since = was.Since
	} else if h.Since.IsZero() {
		h.Since = b.o.Now()
	}
	x.Health = h
	if h.State != was.State {
		b.changed(x, HealthMoved)
	}
}

// SetLoad says what a poll of the backend itself found: all that it carries, from whomever, and
// the streams that it has. Streams nil: not known, those known stay.
func (b *Backends) SetLoad(name string, l place.Load, streams []stream.Name) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.all[name]
	if x == nil || x.Backend.Load.Kind == LoadRegistered {
		return
	}
	x.measured(l, b.o.Now())
	// One that is not asked has only this node's own, which is not what others have there too.
	x.Reported = x.Backend.Load.Kind != LoadNone && x.Backend.Load.Kind != ""
	if streams != nil {
		b.setStreams(x, streams)
	}
}

// SetRegistered says what a backend said of its load when it registered; see [LoadRegistered].
func (b *Backends) SetRegistered(name string, l place.Load) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.all[name]; x != nil && x.Backend.Load.Kind == LoadRegistered {
		x.measured(l, b.o.Now())
		x.Reported = true
	}
}

// ClearLoad says that the backend's load cannot be read any more: from now on it counts
// with what this node counts itself.
func (b *Backends) ClearLoad(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.all[name]; x != nil && x.Backend.Load.Kind != LoadRegistered {
		b.clearLoad(x)
	}
}

// clearLoad needs b.mu.
func (b *Backends) clearLoad(x *backend) {
	if !x.Reported {
		return
	}
	x.Measured, x.LoadSeen, x.Reported = place.Load{}, time.Time{}, false
	x.meter.polled = time.Time{}
	b.setStreams(x, nil)
}

// Changes subscribes; every backend that there is comes as [Added] first.
func (b *Backends) Changes() *Changes {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &Changes{b: b, wake: make(chan struct{}, 1), pending: map[uint64]Change{}}
	for _, x := range b.all {
		c.add(Change{Added, x.status()})
	}
	b.subs[c] = true
	return c
}

// changed tells everybody. It needs b.mu.
func (b *Backends) changed(x *backend, what What) {
	for c := range b.subs {
		c.add(Change{what, x.status()})
	}
}
