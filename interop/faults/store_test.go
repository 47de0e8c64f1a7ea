package faults_test

import (
	"testing"
	"time"

	"weir/internal/stream"
)

// P2: whatever happens to the store, running streams go on; when it is back, the
// registry is right.
func TestP2StoreFaults(t *testing.T) {
	beside(t)
	for _, f := range []struct {
		name string
		// prepare is told of the streams first; the second publisher comes after it.
		prepare func(*etcd)
		do      func(*story, *etcd) (back time.Time)
		older   bool // the store comes back without what it had: its epochs would go back
	}{
		{"leader killed", nil, func(s *story, e *etcd) time.Time {
			m := e.leader()
			s.fault("kill -9 of the store's leader "+m.name, m.kill)
			s.passes(scale(2*time.Second, 5*time.Second))
			back := time.Now()
			e.start()
			return back
		}, false},
		{"down for 60 s", nil, func(s *story, e *etcd) time.Time {
			s.fault("kill -9 of all of the store's members", e.kill)
			s.passes(scale(8*time.Second, 60*time.Second))
			e.start()
			return time.Now()
		}, false},
		{"frozen for 10 s", nil, func(s *story, e *etcd) time.Time {
			s.fault("SIGSTOP of all of the store's members", e.freeze)
			s.passes(scale(7*time.Second, 10*time.Second))
			e.thaw()
			return time.Now()
		}, false},
		{"wiped", nil, func(s *story, e *etcd) time.Time {
			s.fault("the store's data are lost", func() {
				e.kill()
				e.wipe()
			})
			e.start()
			return time.Now()
		}, true},
		{"restored from an old snapshot", (*etcd).save, func(s *story, e *etcd) time.Time {
			s.fault("the store is restored from an old snapshot", func() {
				e.kill()
				e.restore()
			})
			e.start()
			return time.Now()
		}, true},
	} {
		t.Run(f.name, func(t *testing.T) {
			tell(t, "store "+f.name, func(s *story) {
				c := s.cluster(3, "front:front", "o1:origin", "o2:origin", "e1:edge")
				publishers := []*publisher{s.publish(c.node("front"), "alice"), s.publish(c.node("o1"), "bob")}
				var viewers []*viewer
				watch := func(name string) {
					for _, at := range []string{"front", "e1"} {
						viewers = append(viewers, s.watch(c.node(at), name))
					}
				}
				watch("alice")
				watch("bob")
				if f.prepare != nil {
					f.prepare(c.store)
					// What the snapshot does not know: a stream that moved to the other
					// origin, and a new one.
					publishers[1].leave()
					publishers[1].comeBack(c.node("o2"))
				}
				publishers = append(publishers, s.publish(c.node("o2"), "carol"))
				watch("carol")
				s.sees(viewers, time.Second, 15*time.Second)
				owners := map[string]string{}
				for _, p := range publishers {
					owners[p.name] = c.owner("front", p.name).name
				}
				s.eventually(10*time.Second, "all agree before", c.registry(owners))
				before := c.epochs("front", owners)
				back := f.do(s, c.store)
				right := s.settles(back, 30*time.Second, scale(4*time.Second, 6*time.Second), "the registry is right", c.registry(owners))
				s.gap("registry right", target{p99: 10 * time.Second, always: 12 * time.Second}, right)
				for name, e := range c.epochs("front", owners) {
					if e.Less(before[name]) || f.older && e.Incarnation <= before[name].Incarnation {
						t.Errorf("the epoch of %s was %v and is %v", name, before[name], e)
					}
				}
				s.sees(viewers, time.Second, 10*time.Second)
				s.gap("viewer gap", target{p99: 200 * ms, always: 1500 * ms}, gaps(viewers)...)
				s.zero("publisher closes", closes(publishers...))
				s.clean(viewers, true)
			})
		})
	}
}

// P2: while the store is away, new publishers are taken in and found, and when it is
// back they are in the registry.
func TestP2PublishWhileTheStoreIsAway(t *testing.T) {
	tell(t, "publish while the store is away", func(s *story) {
		c := s.cluster(1, "front:front", "o1:origin", "e1:edge")
		s.publish(c.node("front"), "alice")
		s.watch(c.node("e1"), "alice")
		s.fault("kill -9 of the store", c.store.kill)
		s.passes(2 * time.Second)
		p := s.publish(c.node("front"), "late")
		viewers := []*viewer{s.watch(c.node("e1"), "late"), s.watch(c.node("front"), "late")}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		s.fault("the store is back", c.store.start)
		back := time.Now()
		right := s.settles(back, 30*time.Second, 4*time.Second, "the registry is right", c.registry(map[string]string{"alice": "o1", "late": "o1"}))
		s.gap("registry right", target{p99: 10 * time.Second, always: 12 * time.Second}, right)
		s.sees(viewers, time.Second, 10*time.Second)
		s.gap("viewer gap", target{p99: 200 * ms, always: 1500 * ms}, gaps(viewers)...)
		s.zero("publisher closes", closes(p))
		s.clean(viewers, true)
	})
}

// epochs are those of the streams, as a node says.
func (c *members) epochs(ask string, owners map[string]string) map[string]stream.Epoch {
	c.s.t.Helper()
	all := map[string]stream.Epoch{}
	for name := range owners {
		rec, err := c.node(ask).stream(name)
		if err == nil {
			all[name], err = stream.ParseEpoch(rec.Epoch)
		}
		if err != nil {
			c.s.t.Fatal(err)
		}
	}
	return all
}

// registry is the condition that all nodes and the store itself say the truth.
func (c *members) registry(owners map[string]string) func() error {
	nodes := c.truth(owners)
	return func() error {
		if err := nodes(); err != nil {
			return err
		}
		return c.store.owners(owners)
	}
}
