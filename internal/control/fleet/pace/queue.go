package pace

import (
	"context"
	"time"
)

// entry is a job between Add and Remove. It is guarded by the Pacer's lock.
type entry struct {
	job    Job
	ctx    context.Context
	cancel context.CancelFunc

	due     time.Time
	place   int  // in the queue, while it waits
	running bool // in a round: not in the queue
	again   bool // another round is to follow this one, within:
	within  time.Duration
	gone    bool // removed
}

// queue is a heap of those that wait, the longest due first.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.place = len(*q)
	*q = append(*q, e)
}
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
