package cluster

import (
	"container/list"
	"time"

	"weir/internal/stream"
)

// absent remembers names that nobody owns, for absentTTL, at most absentMax of
// them; the oldest makes room. Its owner locks.
type absent struct {
	order *list.List // of absentEntry, oldest first: all live equally long, so also first to expire
	at    map[stream.Name]*list.Element
}

type absentEntry struct {
	name  stream.Name
	until time.Time
}

func newAbsent() absent {
	return absent{order: list.New(), at: map[stream.Name]*list.Element{}}
}

// add reports whether a name had to make room before its time.
func (a *absent) add(name stream.Name, now time.Time) (full bool) {
	a.remove(name)
	for a.order.Len() > 0 {
		oldest := a.order.Front().Value.(absentEntry)
		if a.order.Len() < absentMax && now.Before(oldest.until) {
			break
		}
		full = full || now.Before(oldest.until)
		a.remove(oldest.name)
	}
	a.at[name] = a.order.PushBack(absentEntry{name, now.Add(absentTTL)})
	return full
}

func (a *absent) has(name stream.Name, now time.Time) bool {
	e, ok := a.at[name]
	return ok && now.Before(e.Value.(absentEntry).until)
}

func (a *absent) remove(name stream.Name) {
	if e, ok := a.at[name]; ok {
		a.order.Remove(e)
		delete(a.at, name)
	}
}

func (a *absent) clear() {
	a.order.Init()
	clear(a.at)
}
