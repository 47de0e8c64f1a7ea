package fleet

import (
	"cmp"
	"fmt"
)

// kept is what an operator has set.
type kept struct {
	operator Operator
	weight   float64
	set      bool
}

// Remember is SetOperator of what was ordered before, also of a backend that nobody has named yet; RememberWeight
// is SetWeight, or with 0 ResetWeight.
func (b *Backends) Remember(name string, o Operator) {
	if b.SetOperator(name, o) == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.kept[name]
	k.operator = o
	b.keep(name, k)
}

// RememberWeight is for a weight what Remember is for an order.
func (b *Backends) RememberWeight(name string, w float64) {
	if !(w >= 0 && w <= MaxWeight) || b.setWeight(name, w, w > 0) == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.kept[name]
	k.weight, k.set = w, w > 0
	b.keep(name, k)
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
