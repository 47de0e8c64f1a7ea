package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	carried map[stream.Name]int  // publishers of this node there
	meter   meter
	// ownThen is what was this node's own in what the last poll measured.
	ownThen place.Load
}

// kept is what an operator has set.
type kept struct {
	operator Operator
	weight   float64
	set      bool
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
		kept: map[string]kept{}, has: map[stream.Name][]string{}, subs: map[*Changes]bool{}}
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

// Counters of a backend; of an unknown one, some that nobody reads.
func (b *Backends) Counters(name string) *Counters {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if x := b.all[name]; x != nil {
		return x.Counters
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

// Failed is passive evidence: a session at the backend failed by the backend's fault. Succeeded is
// the opposite. Whoever watches ([Backends.OnEvidence]) decides what follows.
func (b *Backends) Failed(name string, err error) {
	c := b.Counters(name)
	c.Failures.Add(1)
	c.InARow.Add(1)
	if err == nil {
		err = fmt.Errorf("failed")
	}
	b.evidence(name, err)
}

// Succeeded is passive evidence that the backend works.
func (b *Backends) Succeeded(name string) {
	c := b.Counters(name)
	if c.InARow.Load() != 0 {
		c.InARow.Store(0)
	}
	b.evidence(name, nil)
}

// OnEvidence sets who is told of passive evidence, from the sessions' goroutines: err is nil after
// a success. It must not wait.
func (b *Backends) OnEvidence(f func(name string, err error)) { b.passive.Store(&f) }

func (b *Backends) evidence(name string, err error) {
	if f := b.passive.Load(); f != nil {
		(*f)(name, err)
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
	if x := b.all[name]; x != nil && x.Reported && x.Backend.Load.Kind != LoadRegistered {
		x.Measured, x.LoadSeen, x.Reported = place.Load{}, time.Time{}, false
		x.meter.polled = time.Time{}
		b.setStreams(x, nil)
	}
}

// SetOperator says what an operator wants; it stays if the backend goes and comes back.
func (b *Backends) SetOperator(name string, o Operator) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.all[name]
	if x == nil {
		return &UnknownError{name}
	}
	if x.Operator == o {
		return nil
	}
	x.Operator = o
	k := b.kept[name]
	k.operator = o
	b.keep(name, k)
	b.changed(x, OperatorSet)
	return nil
}

// SetWeight replaces the described weight, until [Backends.ResetWeight]. It must be above 0.
func (b *Backends) SetWeight(name string, w float64) error {
	if !(w > 0 && w <= MaxWeight) {
		return fmt.Errorf("a weight is above 0 and at most %d; to send nothing, drain", MaxWeight)
	}
	return b.setWeight(name, w, true)
}

// ResetWeight goes back to the described weight.
func (b *Backends) ResetWeight(name string) error { return b.setWeight(name, 0, false) }

func (b *Backends) setWeight(name string, w float64, set bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.all[name]
	if x == nil {
		return &UnknownError{name}
	}
	k := b.kept[name]
	k.weight, k.set = w, set
	b.keep(name, k)
	if !set {
		w = cmp.Or(x.Backend.Weight, 1)
	}
	if x.Weight != w || x.WeightSet != set {
		x.Weight, x.WeightSet = w, set
		b.changed(x, WeightChanged)
	}
	return nil
}

// keep needs b.mu.
func (b *Backends) keep(name string, k kept) {
	if k == (kept{}) || k == (kept{operator: Ready}) {
		delete(b.kept, name)
	} else {
		b.kept[name] = k
	}
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

// StreamStarted and StreamEnded say that this node has put a publisher of a stream there, or taken it away.
func (b *Backends) StreamStarted(name string, s stream.Name) { b.carry(name, s, 1) }

// StreamEnded is the opposite of StreamStarted.
func (b *Backends) StreamEnded(name string, s stream.Name) { b.carry(name, s, -1) }

func (b *Backends) carry(name string, s stream.Name, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.all[name]
	if x == nil {
		return
	}
	had := x.hasStream(s)
	if x.carried[s] += n; x.carried[s] <= 0 {
		delete(x.carried, s)
	}
	b.index(x, s, had)
}

// setStreams needs b.mu.
func (b *Backends) setStreams(x *backend, streams []stream.Name) {
	now := make(map[stream.Name]bool, min(len(streams), maxStreams))
	for _, s := range streams[:min(len(streams), maxStreams)] {
		now[s] = true
	}
	old := x.polled
	x.polled = now
	for s := range old {
		if !now[s] {
			b.index(x, s, true)
		}
	}
	for s := range now {
		if !old[s] {
			b.index(x, s, x.carried[s] > 0)
		}
	}
}

func (x *backend) hasStream(s stream.Name) bool { return x.polled[s] || x.carried[s] > 0 }

// index brings b.has up to date for one stream. It needs b.mu.
func (b *Backends) index(x *backend, s stream.Name, had bool) {
	has := x.hasStream(s)
	if has == had {
		return
	}
	list := slices.Clone(b.has[s]) // readers may hold the old one
	i, found := slices.BinarySearch(list, x.Name)
	switch {
	case has && !found:
		list = slices.Insert(list, i, x.Name)
		x.Streams++
	case !has && found:
		list = slices.Delete(list, i, i+1)
		x.Streams--
	}
	if len(list) == 0 {
		delete(b.has, s)
	} else {
		b.has[s] = list
	}
}

// Having returns the names of the backends that are known to have a stream, sorted. The slice is not
// to be changed.
func (b *Backends) Having(s stream.Name) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.has[s]
}

// StreamsOf returns the streams that a backend is known to have, sorted.
func (b *Backends) StreamsOf(name string) []stream.Name {
	b.mu.RLock()
	defer b.mu.RUnlock()
	x := b.all[name]
	if x == nil {
		return nil
	}
	set := maps.Clone(x.polled)
	if set == nil {
		set = map[stream.Name]bool{}
	}
	for s := range x.carried {
		set[s] = true
	}
	return slices.SortedFunc(maps.Keys(set), func(a, c stream.Name) int {
		return cmp.Or(strings.Compare(a.App, c.App), strings.Compare(a.Stream, c.Stream))
	})
}
