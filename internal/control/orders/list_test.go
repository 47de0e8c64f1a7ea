package orders

import (
	"context"
	"errors"
	"testing"

	"weir/internal/control/fleet"
	"weir/internal/control/store"
	"weir/internal/stream"
)

const operatorKey = prefix + "b1/operator"

// desk is the book of a front that has the backend b1, with a way to the store of its own, and another's.
type desk struct {
	t        *testing.T
	backends *fleet.Backends
	book     *Book
	own      *store.Memory
	others   *store.Memory

	store.Store // own, but for
	readOnly    bool
}

// Put implements store.Store.
func (d *desk) Put(ctx context.Context, key string, value []byte, lease store.LeaseID) (int64, error) {
	if d.readOnly {
		return 0, store.ErrUnavailable
	}
	return d.own.Put(ctx, key, value, lease)
}

// Txn implements store.Store.
func (d *desk) Txn(ctx context.Context, conds []store.Cond, ops []store.Op) (bool, int64, []store.KV, error) {
	if d.readOnly {
		return false, 0, nil, store.ErrUnavailable
	}
	return d.own.Txn(ctx, conds, ops)
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	m := store.NewMemory()
	d := &desk{t: t, backends: fleet.NewBackends(fleet.BackendOptions{}), own: m.Client(), others: m.Client()}
	d.Store = d.own
	t.Cleanup(func() { d.own.Close(); d.others.Close(); m.Close() })
	d.backends.Replace("x", []fleet.Backend{{Name: "b1", RTMP: "b1:1935", Publishes: true, Serves: true}})
	d.book = New(d, d.backends, func(context.Context) (stream.Epoch, error) { return stream.Epoch{Incarnation: 1}, nil })
	d.list()
	return d
}

func (d *desk) list() {
	d.t.Helper()
	if err := d.book.List(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// give orders as the front does that was asked; hear, as one that another has asked.
func (d *desk) give(o fleet.Operator) error {
	d.t.Helper()
	d.hear(o)
	return d.book.Write(d.t.Context(), &Order{Name: "b1", Operator: o})
}

func (d *desk) hear(o fleet.Operator) {
	d.t.Helper()
	if taken, err := d.book.Take(&Order{Name: "b1", Operator: o}); !taken || err != nil {
		d.t.Fatalf("%s: %v, %v", o, taken, err)
	}
}

// cutOff runs f while the front does not reach the store.
func (d *desk) cutOff(f func()) {
	d.own.Partition(true)
	defer d.own.Partition(false)
	f()
}

// elsewhere writes to the store as another front does; "" takes the order back.
func (d *desk) elsewhere(value string) {
	d.t.Helper()
	var err error
	if value == "" {
		err = d.others.Delete(d.t.Context(), operatorKey)
	} else {
		_, err = d.others.Put(d.t.Context(), operatorKey, []byte(value), 0)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// want compares what the front does, and what the store has.
func (d *desk) want(operator fleet.Operator, stored string) {
	d.t.Helper()
	if b, ok := d.backends.Get("b1"); !ok || b.Operator != operator {
		d.t.Errorf("the front has it %q, want %q", b.Operator, operator)
	}
	kv, err := d.others.Get(d.t.Context(), operatorKey)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		d.t.Fatal(err)
	}
	if string(kv.Value) != stored {
		d.t.Errorf("the store has %q, want %q", kv.Value, stored)
	}
}

// An order that was given here without the store holds from then on: that the one before was taken back meanwhile is older.
func TestAnOrderOwedIsNotTakenBackWithTheOneBefore(t *testing.T) {
	d := newDesk(t)
	d.elsewhere("drain")
	d.list()
	d.want(fleet.Drain, "drain")
	d.elsewhere("")
	d.cutOff(func() {
		if d.give(fleet.Maint) == nil {
			t.Fatal("written without the store")
		}
	})
	changes := d.backends.Changes()
	defer changes.Close()
	changes.Next() // those that are there
	d.list()
	d.want(fleet.Maint, "maint")
	if told := changes.Next(); len(told) > 0 {
		t.Errorf("it was another meanwhile: %+v", told)
	}
	d.list()
	d.want(fleet.Maint, "maint")
}

// Whoever gave an order elsewhere has yet to write it when the first list is there without it; by the second it was taken back.
func TestAnOrderHeardIsNotTakenBackBeforeItCanBeWritten(t *testing.T) {
	d := newDesk(t)
	d.elsewhere("drain")
	d.list()
	d.elsewhere("")
	d.hear(fleet.Maint)
	d.list()
	d.want(fleet.Maint, "")
	d.elsewhere("maint")
	d.list()
	d.want(fleet.Maint, "maint")

	d.hear(fleet.Drain)
	d.elsewhere("drain")
	d.elsewhere("") // by a front that this one did not hear
	d.list()
	d.list()
	d.want(fleet.Ready, "")
}

// A store that was wiped is told what was ordered last, not what it had.
func TestAWipedStoreIsNotToldWhatWasOvertaken(t *testing.T) {
	for _, last := range []struct {
		order  fleet.Operator
		stored string
	}{{fleet.Maint, "maint"}, {fleet.Ready, ""}} {
		d := newDesk(t)
		d.elsewhere("drain")
		d.list()
		d.cutOff(func() {
			d.others.Wipe()
			if d.give(last.order) == nil {
				t.Fatal("written without the store")
			}
		})
		for range 3 {
			d.list()
			d.want(last.order, last.stored)
		}
	}
}

// What a wiped store could not be told at once it is told later.
func TestAWipedStoreIsToldUntilItHasIt(t *testing.T) {
	d := newDesk(t)
	d.elsewhere("drain")
	d.elsewhere("")
	d.list()
	d.hear(fleet.Maint)
	d.others.Wipe()
	d.readOnly = true
	d.list()
	d.want(fleet.Maint, "")
	d.readOnly = false
	d.list()
	d.want(fleet.Maint, "maint")
}

// What was written here is older than what is ordered next, also if the store has not told of it by then: an order without
// the store holds, and is written when that is back, whether the book lists or hears of its own before.
func TestAnOrderIsNewerThanWhatWasWrittenHere(t *testing.T) {
	for _, told := range []bool{false, true} {
		for _, c := range []struct {
			first  []fleet.Operator
			last   fleet.Operator
			stored string
		}{
			{[]fleet.Operator{fleet.Drain}, fleet.Ready, ""},
			{[]fleet.Operator{fleet.Drain}, fleet.Maint, "maint"},
			{[]fleet.Operator{fleet.Drain, fleet.Ready}, fleet.Drain, "drain"},
		} {
			d := newDesk(t)
			ctx, stop := context.WithCancel(t.Context())
			watch := d.own.Watch(ctx, prefix, d.book.rev+1)
			for _, o := range c.first {
				if err := d.give(o); err != nil {
					t.Fatal(err)
				}
			}
			var late []store.WatchBatch
			for events := 0; events < len(c.first); {
				b := <-watch
				late, events = append(late, b), events+len(b.Events)
			}
			stop()
			d.cutOff(func() {
				if d.give(c.last) == nil {
					t.Fatal("written without the store")
				}
			})
			if told {
				for _, b := range late {
					d.book.apply(b)
					if b, _ := d.backends.Get("b1"); b.Operator != c.last {
						t.Errorf("%v, then %s: the front has it %q", c.first, c.last, b.Operator)
					}
				}
			}
			for range 2 {
				d.list()
				d.want(c.last, c.stored)
			}
			if len(d.book.heard) > 0 {
				t.Errorf("%v, then %s: still to be settled: %v", c.first, c.last, d.book.heard)
			}
		}
	}
}

// What another front was asked for since is newer, too, than what was written here.
func TestAnOrderHeardIsNewerThanWhatWasWrittenHere(t *testing.T) {
	d := newDesk(t)
	watch := d.own.Watch(t.Context(), prefix, d.book.rev+1)
	if err := d.give(fleet.Drain); err != nil {
		t.Fatal(err)
	}
	d.hear(fleet.Maint)
	d.book.apply(<-watch)
	d.want(fleet.Maint, "drain")
	d.list()
	d.want(fleet.Maint, "drain")
	d.elsewhere("maint")
	d.book.apply(<-watch)
	d.want(fleet.Maint, "maint")
	if len(d.book.heard) > 0 {
		t.Errorf("still to be settled: %v", d.book.heard)
	}
}

// The store's word for what was written here settles it; a newer one counts.
func TestTheStoreSettlesWhatWasWrittenHere(t *testing.T) {
	d := newDesk(t)
	watch := d.own.Watch(t.Context(), prefix, d.book.rev+1)
	if err := d.give(fleet.Drain); err != nil {
		t.Fatal(err)
	}
	d.book.apply(<-watch)
	if len(d.book.heard) > 0 {
		t.Errorf("still to be settled: %v", d.book.heard)
	}
	d.elsewhere("maint")
	d.book.apply(<-watch)
	d.want(fleet.Maint, "maint")
}
