package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// process reads what one process of the server uses. One goroutine.
type process struct {
	pid     int
	threads map[int]time.Duration // CPU time last seen, also of threads that have ended
}

// usage is what a process has used since it began, or holds now.
type usage struct {
	cpu          time.Duration // all threads, from schedstat
	user, system time.Duration // as the kernel splits it, to 10 ms
	rss          int64         // bytes
}

// clockTick is the unit of /proc/PID/stat: USER_HZ, 100 on every Linux port that Go knows.
const clockTick = time.Second / 100

func newProcess(pid int) (*process, error) {
	p := &process{pid: pid, threads: map[int]time.Duration{}}
	_, err := p.read()
	return p, err
}

// read returns the usage so far. Threads that ended between two reads are counted
// as the last read found them.
func (p *process) read() (usage, error) {
	dir := fmt.Sprintf("/proc/%d/", p.pid)
	tasks, err := os.ReadDir(dir + "task")
	if err != nil {
		return usage{}, fmt.Errorf("process %d: %w", p.pid, err)
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(dir + "task/" + task.Name() + "/schedstat")
		if err != nil {
			continue // it has just ended
		}
		ns, err := firstField(b)
		if err != nil {
			return usage{}, fmt.Errorf("process %d: schedstat: %w", p.pid, err)
		}
		p.threads[tid] = time.Duration(ns)
	}
	var u usage
	for _, d := range p.threads {
		u.cpu += d
	}
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return usage{}, fmt.Errorf("process %d: %w", p.pid, err)
	}
	if u.user, u.system, err = parseStat(stat); err != nil {
		return usage{}, fmt.Errorf("process %d: stat: %w", p.pid, err)
	}
	statm, err := os.ReadFile(dir + "statm")
	if err != nil {
		return usage{}, fmt.Errorf("process %d: %w", p.pid, err)
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return usage{}, fmt.Errorf("process %d: statm: %q", p.pid, statm)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	u.rss = pages * int64(os.Getpagesize())
	return u, err
}

func firstField(b []byte) (int64, error) {
	first, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte{' '})
	return strconv.ParseInt(string(first), 10, 64)
}

// parseStat reads fields 14 and 15 of /proc/PID/stat; the name before them may hold
// spaces and parentheses.
func parseStat(b []byte) (user, system time.Duration, err error) {
	i := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[i+1:])
	if i < 0 || len(fields) < 13 {
		return 0, 0, fmt.Errorf("%q", b)
	}
	u, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return 0, 0, err
	}
	s, err := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(u) * clockTick, time.Duration(s) * clockTick, err
}
