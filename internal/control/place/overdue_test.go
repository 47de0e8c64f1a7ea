package place

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestReservationsStandUntilAReport(t *testing.T) {
	x := index(t, Options{}, candidate("a", limit(Capacity{Sessions: 3})), candidate("b"))
	d := &Decision{Demand: Load{EgressBPS: 9e6, Sessions: 1}}
	var tickets []Ticket
	for i := range 4 {
		tickets = append(tickets, x.ReserveUntilReport(d, time.Duration(i), time.Duration(i+10)))
	}
	q := query{demand: vec{sessions: 1}}
	if x.fits(&q, 0) {
		t.Error("four of three, and it has room")
	}
	x.Drop(tickets[2])
	x.Expire(20)
	if n := x.Load(0).Sessions; n != 3 || x.Reserved() != 3 || !x.fits(&q, 0) {
		t.Errorf("overdue: %d sessions, room %v", n, x.fits(&q, 0))
	}
	x.Drop(tickets[0])
	if n := x.Load(0).Sessions; n != 2 || x.servers[0].overdue[sessions] != 2 {
		t.Errorf("%d after one has ended, %v overdue", n, x.servers[0].overdue[sessions])
	}
	x.Report(0, Load{Sessions: 1}, 1)
	if n := x.Load(0).Sessions; n != 2 || x.servers[0].overdue[sessions] != 1 {
		t.Errorf("%d after a report that shows one of two, %v overdue", n, x.servers[0].overdue[sessions])
	}
	x.Report(0, Load{Sessions: 2}, 20)
	x.Expire(20)
	if n := x.Load(0).Sessions; n != 2 || x.Reserved() != 0 || x.lateFirst >= 0 || x.lates != 0 || x.servers[0].overdue != (vec{}) {
		t.Errorf("%d after a report that shows all; %d late", n, x.lates)
	}
}

func TestOverdueReservationsAreBounded(t *testing.T) {
	x := index(t, Options{}, candidate("a"), candidate("b"))
	for i := range maxOverdue + 1000 {
		now := time.Duration(i)
		x.ReserveUntilReport(&Decision{ID: ID(i & 1), Demand: Load{Sessions: 1}}, now, now+10)
		x.Expire(now)
	}
	if n := len(x.reservations); x.Reserved() > maxOverdue+10 || n > maxOverdue+20 {
		t.Errorf("%d reserved in %d slots", x.Reserved(), n)
	}
	if a, b := x.Load(0).Sessions, x.Load(1).Sessions; a-b > 1 || b-a > 1 {
		t.Errorf("%d and %d: the oldest did not end first", a, b)
	}
	x.Remove("a")
	x.Report(1, Load{}, time.Hour)
	x.Expire(time.Hour)
	if x.Reserved() != 0 || x.lates != 0 {
		t.Errorf("%d reserved, %d late in the end", x.Reserved(), x.lates)
	}
}

// Whatever comes in whatever order, what is held is what is live.
func TestReservationsAddUp(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 3))
		x := index(t, Options{}, candidate("a"), candidate("b"), candidate("c"))
		var tickets []Ticket
		now := time.Duration(0)
		for range 500 {
			now += time.Duration(rng.IntN(3))
			id, ok := x.Lookup([]string{"a", "b", "c"}[rng.IntN(3)])
			switch k := rng.IntN(12); {
			case !ok:
				x.Set(candidate([]string{"a", "b", "c"}[rng.IntN(3)]))
			case k == 0:
				x.Report(id, Load{}, now-time.Duration(rng.IntN(20)))
			case k == 1:
				x.Remove(x.Name(id))
			case k < 4:
				x.Expire(now)
			case k < 6 && len(tickets) > 0:
				x.Drop(tickets[rng.IntN(len(tickets))])
			case k < 10:
				tickets = append(tickets, x.ReserveUntilReport(&Decision{ID: id, Demand: Load{Sessions: 1}}, now, now+5))
			default:
				tickets = append(tickets, x.Reserve(&Decision{ID: id, Demand: Load{Sessions: 1}}, now, now+5))
			}
			live, overdue := map[ID]float64{}, map[ID]float64{}
			for i := range x.reservations {
				if r := &x.reservations[i]; r.live {
					live[r.id]++
					if r.overdue {
						overdue[r.id]++
					}
				}
			}
			for i := range x.servers {
				if s := &x.servers[i]; s.held[sessions] != live[ID(i)] || s.overdue[sessions] != overdue[ID(i)] || s.used && s.total[sessions] != live[ID(i)] {
					t.Fatalf("seed %d: %v held, %v live, %v of %v overdue", seed, s.held, live, s.overdue, overdue)
				}
			}
		}
		for _, n := range []string{"a", "b", "c"} {
			x.Remove(n)
		}
		x.Expire(time.Hour)
		free := 0
		for i := x.free; i >= 0; i = x.reservations[i].later {
			free++
		}
		if free != len(x.reservations) || x.Reserved() != 0 {
			t.Fatalf("seed %d: %d of %d slots are free", seed, free, len(x.reservations))
		}
	}
}

func TestAskingTakesNobodysTurn(t *testing.T) {
	for _, p := range []Policy{RoundRobin, Weighted} {
		x := index(t, Options{Publish: p}, candidate("a"), candidate("b"), candidate("c"))
		rng := rand.New(rand.NewPCG(1, 1))
		ask := func() Decision {
			d, ok := x.Publisher(&PublishRequest{Name: alice}, rng)
			if !ok {
				t.Fatal("nobody")
			}
			return d
		}
		first := ask()
		for range 10 {
			if d := ask(); d.Node != first.Node {
				t.Fatalf("%s: asked again it is %s, was %s", p, d.Node, first.Node)
			}
		}
		x.Reserve(&first, 1, time.Minute)
		x.Reserve(&first, 2, time.Minute) // what a session still owes is no turn
		seen := map[string]bool{first.Node: true}
		for range 2 {
			d := ask()
			x.Took(&d)
			seen[d.Node] = true
		}
		if len(seen) != 3 {
			t.Errorf("%s: of three placed, %v had a turn", p, seen)
		}
	}
}

// A zone whose servers do not report is not full of sessions that may have ended long ago.
func TestOverdueReservationsDoNotFillAZone(t *testing.T) {
	in := func(zone string) func(*Candidate) { return func(c *Candidate) { c.Zone = zone } }
	x := index(t, Options{}, candidate("a", in("here"), limit(Capacity{Sessions: 10})), candidate("b", in("there"), limit(Capacity{Sessions: 10})))
	rng := rand.New(rand.NewPCG(1, 1))
	ask := func(when, want string) {
		t.Helper()
		if d, ok := x.Viewer(&ViewRequest{Name: alice, Zone: "here"}, rng); !ok || d.Node != want {
			t.Errorf("%s: %q, want %q", when, d.Node, want)
		}
		if d, ok := x.Publisher(&PublishRequest{Name: alice, Zone: "here"}, rng); !ok || d.Node != want {
			t.Errorf("%s, a publisher: %q, want %q", when, d.Node, want)
		}
	}
	for i := range 10 {
		x.ReserveUntilReport(&Decision{ID: 0, Demand: Load{Sessions: 1}}, time.Duration(i), time.Duration(i+10))
	}
	ask("full", "b")
	x.Expire(20)
	ask("full of what is overdue", "a")
	x.Report(0, Load{Sessions: 10}, 20)
	ask("full by its own word", "b")
}
