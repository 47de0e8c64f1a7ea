package discovery

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/stream"
)

// alone is a cluster of nobody but this front.
type alone struct{}

func (alone) Nodes() []cluster.Node                                  { return nil }
func (alone) Pulls(stream.Name) []string                             { return nil }
func (alone) Known(stream.Name) (r cluster.StreamRecord, known bool) { return r, false }

// A thousand backends, ten of them replaced a second: a new one gets sessions within a second, and
// nothing is heard of any backend but those that came and went.
func TestAThousandBackendsComeAndGo(t *testing.T) {
	o, _ := world()
	path := filepath.Join(t.TempDir(), "servers")
	servers := map[int]bool{}
	write := func() {
		var b strings.Builder
		for i := range servers {
			fmt.Fprintf(&b, "s%d 10.0.%d.%d:1935\n", i, i>>8, i&255)
		}
		put(t, path+"~", b.String())
		must(t, os.Rename(path+"~", path))
	}
	for i := range 1000 {
		servers[i] = true
	}
	write()
	s := NewFile(o, FileOptions{Path: path, Parse: func(_ string, data []byte) ([]fleet.Backend, error) {
		l, err := list(data)
		for i := range l {
			l[i].Publishes = true
		}
		return l, err
	}})
	run(t, s.Run)
	until(t, "all are known", func() bool { return o.Backends.Len() == 1000 })
	f, err := fleet.NewWith(alone{}, rand.New(rand.NewPCG(1, 1)), fleet.Options{Backends: o.Backends})
	must(t, err)
	// Everybody has a session, so that whoever is new is the least loaded.
	counters := map[string]*fleet.Counters{}
	for _, b := range o.Backends.List() {
		b.Counters.Open(true)
		counters[b.Name] = b.Counters
	}
	changes := o.Backends.Changes()
	defer changes.Close()
	changes.Next()
	touched := map[string]bool{}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := 0
	for i := range 30 {
		<-tick.C
		old, came := fmt.Sprint("s", i), fmt.Sprint("s", 1000+i)
		delete(servers, i)
		servers[1000+i] = true
		write()
		begin := time.Now()
		until(t, came+" is used", func() bool {
			c, err := f.Publisher(fleet.Request{Name: stream.Name{App: "live", Stream: came}})
			if err != nil {
				t.Fatal(err)
			}
			c.Done(false)
			return c.Node == came
		})
		if time.Since(begin) > time.Second {
			late++
		}
		o.Backends.Counters(came).Open(true)
		delete(counters, old)
		touched[old], touched[came] = true, true
	}
	// The machine may stand still for a second, but not each time.
	if late > 15 {
		t.Errorf("%d of 30 were used after more than a second", late)
	}
	for _, ch := range changes.Next() {
		if !touched[ch.Status.Name] {
			t.Errorf("something is heard of %s: %b", ch.Status.Name, ch.What)
		}
	}
	for name, c := range counters {
		if o.Backends.Counters(name) != c || c.Publishers.Load() != 1 {
			t.Errorf("%s is another", name)
		}
	}
}
