package bench

import (
	"context"
	"sync"
	"time"
)

// meter reads the server's processes and the machine: at begin, at the window's two
// ends, and every second in it for the memory's peak. One goroutine at a time.
type meter struct {
	processes []*process
	begin     usage // before the first session
	settled   usage // after the last join
	from, to  usage
	peak      int64
	machine   machineLoad
	own       time.Duration
	ended     error
}

func newMeter(pids []int) (*meter, error) {
	m := &meter{}
	for _, pid := range pids {
		p, err := newProcess(pid)
		if err != nil {
			return nil, &OptionError{err}
		}
		m.processes = append(m.processes, p)
	}
	m.begin = m.read()
	return m, nil
}

// read adds up the processes. One that has ended keeps its last figures.
func (m *meter) read() usage {
	var sum usage
	for _, p := range m.processes {
		u, err := p.read()
		if err != nil {
			m.ended = err
			m.peak = max(m.peak, m.to.rss)
			return m.to
		}
		sum.cpu += u.cpu
		sum.user += u.user
		sum.system += u.system
		sum.rss += u.rss
	}
	m.to = sum
	m.peak = max(m.peak, sum.rss)
	return sum
}

// joined ends the joins.
func (m *meter) joined() { m.settled = m.read() }

// open begins the window.
func (m *meter) open() {
	m.peak = 0
	m.from, m.machine, m.own = m.read(), readMachine(), ownCPU()
}

// window opens it and watches until stop is called, or ctx ends.
func (m *meter) window(ctx context.Context) (stop func()) {
	m.open()
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { m.watch(ctx) })
	return func() {
		cancel()
		watching.Wait()
	}
}

// watch reads once a second until ctx ends, so that the peak is seen and the time of
// threads that end is not lost.
func (m *meter) watch(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.read()
		}
	}
}

// shut ends the window. received is in bytes; sessions are those that are up.
func (m *meter) shut(received int64, sessions int) (*Server, Machine) {
	m.read()
	machine := Machine{Cores: readMachine().since(m.machine), Own: seconds(ownCPU() - m.own)}
	if len(m.processes) == 0 {
		return nil, machine
	}
	s := &Server{
		CPU: seconds(m.to.cpu - m.from.cpu), User: seconds(m.to.user - m.from.user), System: seconds(m.to.system - m.from.system),
		JoinCPU: seconds(max(0, m.settled.cpu-m.begin.cpu)), RSSBefore: m.begin.rss, RSSOpen: m.from.rss, RSS: m.peak,
	}
	if received > 0 {
		s.PerGB = s.CPU / (float64(received) / 1e9)
	}
	if sessions > 0 {
		s.RSSPerUnit = float64(s.RSS-s.RSSBefore) / float64(sessions)
	}
	if m.ended != nil {
		s.Ended = m.ended.Error()
	}
	return s, machine
}
