package fleet

import "fmt"

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
