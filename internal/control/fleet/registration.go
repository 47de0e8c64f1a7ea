package fleet

import (
	"cmp"
	"maps"
	"slices"
)

// Replace makes the view of a source what it says now. Those that are gone are
// removed, those that changed are described anew and keep their health, load and
// counters. It returns a *[NameError] for each that cannot be registered; the rest goes on. One that is
// refused because another has the name takes it over when that one goes.
func (b *Backends) Replace(source string, list []Backend) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := make(map[string]Backend, len(list))
	var bad []error
	for _, d := range list {
		if err := b.sound(source, &d); err != nil {
			bad = append(bad, err)
		} else if _, twice := now[d.Name]; twice {
			bad = append(bad, &NameError{Name: d.Name, Source: source, Why: "is named twice"})
		} else {
			now[d.Name] = d
		}
	}
	return append(bad, b.replace(source, now)...)
}

// Put adds or changes one backend of a source, Drop removes one.
func (b *Backends) Put(source string, d Backend) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.sound(source, &d); err != nil {
		return err
	}
	b.want(source)[d.Name] = d
	return b.settle(source, d.Name)
}

// Drop removes one backend of a source.
func (b *Backends) Drop(source, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.wanted[source][name]; ok {
		delete(b.wanted[source], name)
		b.release(source, name)
	}
}

// want needs b.mu.
func (b *Backends) want(source string) map[string]Backend {
	if b.wanted[source] == nil {
		b.wanted[source] = map[string]Backend{}
		b.order = append(b.order, source)
	}
	return b.wanted[source]
}

// replace needs b.mu.
func (b *Backends) replace(source string, now map[string]Backend) (bad []error) {
	old := b.want(source)
	b.wanted[source] = now
	for name := range old {
		if _, stays := now[name]; !stays {
			b.release(source, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if err := b.settle(source, name); err != nil {
			bad = append(bad, err)
		}
	}
	return bad
}

// settle gives a source the backend that it wants, if nobody else has the name. It needs b.mu.
func (b *Backends) settle(source, name string) error {
	d := b.wanted[source][name]
	x := b.all[name]
	switch {
	case b.o.Node(name):
		b.unsettled = true
		if x != nil && x.Source == source {
			b.remove(x)
		}
		return &NameError{Name: name, Source: source, By: "a node"}
	case x == nil && len(b.all) >= MaxBackends:
		b.unsettled = true
		return &NameError{Name: name, Source: source, Why: "there are too many backends"}
	case x == nil:
		b.add(source, d)
	case x.Source != source:
		return &NameError{Name: name, Source: source, By: x.Source}
	case x.Backend != d:
		moved := whereabouts(&x.Backend) != whereabouts(&d)
		if moved {
			b.clear(x)
		} else if x.Backend.Load.Kind != d.Load.Kind {
			b.clearLoad(x) // what it said of itself is not what it will be asked, and nobody says it anew
		}
		x.Backend = d
		if moved {
			x.Counters = new(Counters)
			b.back(x)
		}
		if !x.WeightSet {
			x.Weight = cmp.Or(d.Weight, 1)
		}
		b.changed(x, Described)
	}
	return nil
}

// retry registers those that could not be, if they can now. It needs b.mu.
func (b *Backends) retry() {
	if !b.unsettled {
		return
	}
	b.unsettled = false
	for _, source := range b.order {
		for name := range b.wanted[source] {
			if b.all[name] == nil {
				_ = b.settle(source, name) // told when it came
			}
		}
	}
}

// add needs b.mu.
func (b *Backends) add(source string, d Backend) {
	b.nextID++
	k := b.kept[d.Name]
	x := &backend{
		BackendStatus: BackendStatus{Backend: d, ID: b.nextID, Source: source, Added: b.o.Now(),
			Operator: cmp.Or(k.operator, Ready), Weight: cmp.Or(k.weight, d.Weight, 1), WeightSet: k.set, Counters: new(Counters)},
	}
	x.carried = newCarried(x)
	b.all[d.Name] = x
	b.back(x)
	b.changed(x, Added)
}

// release takes a name from a source; another that wants it gets it. It needs b.mu.
func (b *Backends) release(source, name string) {
	x := b.all[name]
	if x == nil || x.Source != source {
		return
	}
	b.remove(x)
	for _, other := range b.order {
		if _, ok := b.wanted[other][name]; ok {
			_ = b.settle(other, name) // nobody else has the name, and one place has become free
			return
		}
	}
}

// remove needs b.mu.
func (b *Backends) remove(x *backend) {
	b.clear(x)
	delete(b.all, x.Name)
	b.changed(x, Removed)
}

// sound reports what keeps a description from being a backend.
func (b *Backends) sound(source string, d *Backend) error {
	bad := func(why string) error { return &NameError{Name: shorten(d.Name), Source: source, Why: why} }
	switch {
	case d.Name == "":
		return bad("it has no name")
	case len(d.Name) > maxName:
		return bad("its name is too long")
	case d.RTMP == "" && d.HTTP == "":
		return bad("it has no address")
	case d.Weight < 0 || d.Weight > MaxWeight || d.Weight != d.Weight:
		return bad("its weight is out of range")
	}
	return nil
}

func shorten(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
