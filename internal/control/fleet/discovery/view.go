package discovery

import (
	"fmt"
	"sync"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/ops/event"
)

// Found is a server as a source saw it.
type Found struct {
	Name, RTMP, HTTP string
	Weight           float64 // relative to the source's others; 0 is 1
}

// Describe makes a backend of what was found.
type Describe func(Found) fleet.Backend

// Options are what all sources have in common.
type Options struct {
	Backends *fleet.Backends
	Emit     event.Sink
}

// Stats are what a source has done.
type Stats struct {
	Updates  int64 // views taken in, also such as the one before
	Failures int64
	Servers  int // of the view in use
	Failing  string
	Updated  time.Time // when a view was last taken in, or found to be the one before
}

// Source is where servers are learned of.
type Source interface {
	Name() string // as in [fleet.BackendStatus].Source
	Stats() Stats
}

// view is what a source last saw, and what has been said of its failures.
type view struct {
	o      Options
	source string

	mu      sync.Mutex
	stats   Stats
	names   map[string]bool
	told    time.Time // when a failure was last mentioned
	words   string    // of it; "" if none has been since the last success
	silent  int       // failures not mentioned since
	refused string    // what was last said of backends that could not be registered
}

// good takes a new view in. missing says which servers it names and does not have.
func (v *view) good(list []fleet.Backend, missing ...error) {
	bad := append(missing, v.o.Backends.Replace(v.source, list)...)
	v.mu.Lock()
	defer v.mu.Unlock()
	now := make(map[string]bool, len(list))
	added := 0
	for i := range list {
		now[list[i].Name] = true
		if !v.names[list[i].Name] {
			added++
		}
	}
	removed := len(v.names) - (len(now) - added)
	first := v.names == nil
	v.names = now
	v.updated()
	v.stats.Servers = len(now)
	if again := v.words != ""; again || first || added+removed > 0 {
		v.o.Emit.Emit(event.Discovered{Source: v.source, Servers: len(now), Added: added, Removed: removed, Again: again})
	}
	v.stats.Failing, v.words, v.silent = "", "", 0
	v.refuse(bad)
}

// changedBy says that single servers came or went. It needs v.mu.
func (v *view) changedBy(added, removed int) {
	v.updated()
	v.stats.Servers += added - removed
	v.o.Emit.Emit(event.Discovered{Source: v.source, Servers: v.stats.Servers, Added: added, Removed: removed})
}

// same says that the view is still what it was.
func (v *view) same() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.updated()
	if v.words != "" {
		v.o.Emit.Emit(event.Discovered{Source: v.source, Servers: v.stats.Servers, Again: true})
	}
	v.stats.Failing, v.words, v.silent = "", "", 0
}

// updated needs v.mu.
func (v *view) updated() {
	v.stats.Updates++
	v.stats.Updated = time.Now()
}

// bad says that there is no new view; the one before stays.
func (v *view) bad(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats.Failures++
	v.stats.Failing = err.Error()
	now := time.Now()
	since := now.Sub(v.told)
	if v.told.IsZero() || v.words == "" && since >= changeAfter || v.words != v.stats.Failing && since >= changeAfter || since >= repeatAfter {
		v.o.Emit.Emit(event.DiscoveryFailed{Source: v.source, Kept: v.stats.Servers, Times: v.silent + 1, Err: err})
		v.told, v.words, v.silent = now, v.stats.Failing, 0
		return
	}
	v.silent++
}

// refuse tells of backends that could not be registered, once. It needs v.mu.
func (v *view) refuse(bad []error) {
	text := ""
	if len(bad) > 0 {
		text = fmt.Sprint(len(bad), bad[0])
	}
	if text != "" && text != v.refused {
		v.o.Emit.Emit(event.BackendsRefused{Source: v.source, Count: len(bad), Err: bad[0]})
	}
	v.refused = text
}

// Stats of the source.
func (v *view) Stats() Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stats
}

// Name of the source, as in [fleet.BackendStatus].Source.
func (v *view) Name() string { return v.source }
