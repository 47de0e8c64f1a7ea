package cluster

import (
	"time"

	"weir/internal/deadline"
)

const (
	// DefaultTTL is the node lease's length. Why not shorter: a pause of a few
	// seconds (a frozen virtual machine, an etcd election) would lose every record of a
	// healthy node. Why not longer: a crashed node is listed that long.
	DefaultTTL = 5 * time.Second

	// DefaultPrefix of all keys; the number is the layout's version.
	DefaultPrefix = "/weir/1/"

	// startTimeout bounds Start when its context does not: a store that is being started
	// beside this node gets time to elect a leader.
	startTimeout = 10 * time.Second

	// loadPeriod is how often a changed load is written, ±20 % so that a fleet
	// started at once does not write at once. loadRefresh is how often an unchanged one
	// is: it doubles as the probe that notices a store that is away or restored.
	loadPeriod  = time.Second
	loadRefresh = 2 * time.Second

	// heartbeatWindow is how long a start waits for a sign of life of a process that is
	// registered under the same name and does not answer; heartbeatPoll is how often it looks. Why not
	// smaller: a healthy node may be silent for loadRefresh and one loadPeriod. Why not larger: after
	// DefaultTTL a record is gone by itself.
	heartbeatWindow = 4 * time.Second
	heartbeatPoll   = 100 * time.Millisecond

	// unseenMin and unseenRate bound how far an epoch may be ahead of what this node knows
	// while the store is away, in revisions and revisions a second. Why not smaller: the store may be
	// away from here only, and a large fleet writes hundreds a second. Why not larger: so far
	// above the truth a forged one can fence honest owners.
	unseenMin  = 1000
	unseenRate = 1000

	// backoffMin and backoffMax bound the jittered pause between tries. Why not longer: the
	// registry is to be right 10 s after the store's return, with tries to spare.
	backoffMin = 100 * time.Millisecond
	backoffMax = 2 * time.Second

	// claimTimeout bounds a claim's way to the store; then it is unconfirmed. Why not
	// smaller: an etcd election takes 1–2 s. Why not larger: the publisher waits.
	claimTimeout = deadline.Store
	// claimTimeoutDown is the same while the store is known to be away: one quick try.
	claimTimeoutDown = 250 * time.Millisecond

	// absentTTL and absentMax bound the memory of streams that nobody owns: a play of
	// an absent name asks the store once in that time, and a million names cost nothing more.
	absentTTL = 2 * time.Second
	absentMax = 10_000

	// rememberFor is how long nodes and streams that a wiped or restored store does not
	// know stay in the view: their owners are about to register again. Why not smaller: an idle
	// node looks once in loadRefresh. Why not larger: P2 wants the truth 10 s after the store's
	// return, and a node may notice that a moment late.
	rememberFor = 5 * time.Second

	// shareEvery is how soon what a front has at servers that are no nodes is written again; the first change after a
	// while is written at once. Why not shorter: every node hears of each write. Why not longer: it is how old the fronts'
	// knowledge of each other is. shareRate bounds it in bytes a second, which counts from a hundred servers on, and
	// shareMost is the longest pause that follows from it.
	shareEvery = 200 * time.Millisecond
	shareRate  = 30_000
	shareMost  = time.Second

	// admitTimeout bounds an admission's way to the store; then the publisher is let in by what is known. Why not
	// smaller: a write to an etcd of three takes tens of milliseconds when its disks are busy. Why not larger: the publisher waits.
	admitTimeout = 500 * time.Millisecond
	// admitAtOnce is how many publishers one transaction lets in: two operations each at most, of etcd's 128.
	admitAtOnce = 50
	// admitTries bounds the rounds of one admission: each lost round means that another front has let somebody in.
	admitTries = 8

	// missingFor is how long a node that vanished may still be asked what it has. Why not shorter: a way to the
	// store that is broken takes a while to mend. Why not longer: a dead one is asked in vain.
	missingFor = 5 * time.Minute

	// latelyMax bounds the memory of streams whose owners vanished, at some 300 bytes each. Why not smaller: an
	// origin of ten thousand, and another, may be cut off together. A name that is forgotten is free.
	latelyMax = 50_000

	// settleTries bounds the rounds of one settlement: each lost round means that
	// somebody else's write came between.
	settleTries = 8
	// settleWorkers is how many streams are settled at a time. Why not more: after an
	// outage every node does this at once.
	settleWorkers = 16

	// pullsWritten is how many pull records one transaction writes. Why not one: an edge of thousands
	// writes all of them when its lease was lost. Why not more: etcd takes 128 operations by default.
	pullsWritten = 100

	// secretBytes of the cluster secret that is made when none is configured.
	secretBytes = 32
)
