package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/bench/rig"
	"weir/internal/bench"
)

// trial is one contender in one situation under one load, once.
type trial struct {
	Situation string               `json:"situation"`
	Load      int                  `json:"load"` // viewers or publishers
	Contender string               `json:"contender"`
	Round     int                  `json:"round"`
	Play      *bench.PlayResult    `json:"play,omitempty"`
	Publish   *bench.PublishResult `json:"publish,omitempty"`
	Error     string               `json:"error,omitempty"`
}

// situation is what is compared: who, and against whom.
type situation struct {
	name, title string
	contenders  []string
	against     string
	columns     []column
	loads       func(*plan) []int
	run         func(*plan, context.Context, *trial) error
}

func situations() []situation {
	viewers := func(p *plan) []int { return p.viewers }
	return []situation{
		{"burst", "Viewers of a backend that sends in bursts (Weir), 1.1 Mb/s", []string{"weir@50ms", "haproxy", "direct"}, "haproxy", watching("haproxy"), viewers, (*plan).watch},
		{"packets", "Viewers of nginx-rtmp, a packet a message, 1.1 Mb/s", []string{"weir@50ms", "weir@2ms", "haproxy", "direct"}, "haproxy", watching("haproxy"), viewers, (*plan).watch},
		{"carry", "Publishers to nginx-rtmp, 2.6 Mb/s", []string{"weir", "push"}, "push", carrying("push"), func(p *plan) []int { return []int{p.publishers} }, (*plan).publish},
		{"setup", "Sessions one after another, to a Weir backend", []string{"weir@50ms", "haproxy", "direct"}, "direct", beginning("direct"), func(*plan) []int { return []int{setups} }, (*plan).begin},
	}
}

// setups is how many sessions a trial of setup begins, setupRate a second.
const (
	setups    = 200
	setupRate = 50
)

func situationNames() (names []string) {
	for _, s := range situations() {
		names = append(names, s.name)
	}
	return names
}

// trials are those of one round.
func (p *plan) trials() (all []trial, err error) {
	for _, name := range p.situations {
		i := slices.IndexFunc(situations(), func(s situation) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("situation %q: want %s", name, strings.Join(situationNames(), ", "))
		}
		s := situations()[i]
		who := s.contenders
		if name != "carry" {
			who = append(slices.Clone(who), p.extra...)
		}
		for _, load := range s.loads(p) {
			for _, c := range who {
				if own, _, _ := strings.Cut(c, "="); len(p.only) > 0 && !slices.Contains(p.only, own) {
					continue
				}
				all = append(all, trial{Situation: name, Load: load, Contender: c})
			}
		}
	}
	if len(all) == 0 || p.rounds < 1 {
		return nil, fmt.Errorf("nothing to measure")
	}
	return all, nil
}

// sameGroup are the trials that are compared with the i-th.
func sameGroup(all []trial, i int) (group []trial) {
	for _, t := range all {
		if t.Situation == all[i].Situation && t.Load == all[i].Load {
			group = append(group, t)
		}
	}
	return group
}

func indexIn(group []trial, t trial) int {
	return slices.IndexFunc(group, func(o trial) bool { return o.Contender == t.Contender })
}

func (p *plan) trial(ctx context.Context, t *trial) {
	i := slices.IndexFunc(situations(), func(s situation) bool { return s.name == t.Situation })
	if err := situations()[i].run(p, ctx, t); err != nil {
		t.Error = err.Error()
	}
}

// proxy starts a trial's contender in front of a backend.
func (p *plan) proxy(ctx context.Context, t *trial, backend *program) (*program, error) {
	name, latency, _ := strings.Cut(t.Contender, "@")
	own, line, isCommand := strings.Cut(t.Contender, "=")
	switch {
	case isCommand:
		t.Contender = own
		return command(ctx, line, backend.addr)
	case name == "direct":
		return &program{backend.addr, backend.pid, func() {}}, nil
	case name == "haproxy":
		return p.haproxy(ctx, backend.addr)
	case name == "push":
		return p.nginx(ctx, "push rtmp://"+backend.addr+"/live;")
	}
	front := map[string]any{"backends": map[string]any{
		"servers": []any{map[string]any{"name": "backend", "rtmp": backend.addr, "load": map[string]any{"kind": "none"}}}}}
	if latency != "" {
		front["splice_latency"] = latency
	}
	return p.weirNode(ctx, map[string]any{"front": front})
}

// stand starts backend and proxy.
func (p *plan) stand(ctx context.Context, t *trial) (backend, proxy *program, err error) {
	if t.Situation == "burst" || t.Situation == "setup" {
		backend, err = p.weirNode(ctx, map[string]any{})
	} else {
		backend, err = p.nginx(ctx, "")
	}
	if err != nil {
		return nil, nil, err
	}
	if proxy, err = p.proxy(ctx, t, backend); err != nil {
		backend.stop()
		return nil, nil, err
	}
	return backend, proxy, nil
}

const streamPath = "/live/proxy"

// publishing starts one publisher at the backend; stop ends it.
func (p *plan) publishing(backend *program) (stop func(), err error) {
	end, err := rig.Publish(p.weir, "rtmp://"+backend.addr+streamPath, "--bitrate", "972", "--gop", "2s")
	if err != nil {
		return nil, err
	}
	return func() { _ = end(new(bench.PublishResult)) }, nil
}

// watch measures viewers.
func (p *plan) watch(ctx context.Context, t *trial) error {
	return p.play(ctx, t, "--viewers", strconv.Itoa(t.Load), "--sample", "20", "--rate", "400",
		"--warmup", p.warmup.String(), "--for", p.window.String())
}

// begin measures how long sessions take to begin.
func (p *plan) begin(ctx context.Context, t *trial) error {
	return p.play(ctx, t, "--viewers", strconv.Itoa(t.Load), "--rate", strconv.Itoa(setupRate), "--sample", "1", "--warmup", "0s", "--for", "100ms")
}

func (p *plan) play(ctx context.Context, t *trial, args ...string) error {
	backend, proxy, err := p.stand(ctx, t)
	if err != nil {
		return err
	}
	defer backend.stop()
	defer proxy.stop()
	stop, err := p.publishing(backend)
	if err != nil {
		return err
	}
	defer stop()
	if err := plays(ctx, proxy.addr); err != nil {
		return err
	}
	t.Play = new(bench.PlayResult)
	return rig.Bench(ctx, p.weir, t.Play, append([]string{"play", "rtmp://" + proxy.addr + streamPath, "--pid", strconv.Itoa(proxy.pid)}, args...)...)
}

// publish measures publishers through the proxy, once its memory has its size: a front keeps a
// group of pictures of each publisher.
func (p *plan) publish(ctx context.Context, t *trial) error {
	backend, proxy, err := p.stand(ctx, t)
	if err != nil {
		return err
	}
	defer backend.stop()
	defer proxy.stop()
	t.Publish = new(bench.PublishResult)
	return rig.Bench(ctx, p.weir, t.Publish, "publish", "rtmp://"+proxy.addr+"/live/p{}", "--streams", strconv.Itoa(t.Load),
		"--bitrate", "2472", "--rate", "100", "--pid", strconv.Itoa(proxy.pid),
		"--warmup", (2 * p.window).String(), "--for", (2 * p.window).String())
}

// plays waits until the stream can be had through the proxy.
func plays(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := bench.Play(ctx, bench.PlayOptions{URLs: []string{"rtmp://" + addr + streamPath}, Streams: 1, Viewers: 1,
			Pace: bench.Pace{Concurrency: 1}, Window: time.Nanosecond})
		if err != nil {
			return err
		}
		if r.Join.FirstKey.Count == 1 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: no picture in time", addr)
		}
	}
}

// perGB is the CPU of the proxy per GB that passed; ok is false if the trial is worth nothing.
func (t *trial) perGB() (v float64, ok bool) {
	switch {
	case t.Error != "":
	case t.Play != nil && t.Play.Server != nil && t.Play.Server.Ended == "" && t.Play.Bytes.Received > 0:
		return t.Play.Server.PerGB, true
	case t.Publish != nil && t.Publish.Server != nil && t.Publish.Server.Ended == "" && t.Publish.Sent > 0:
		return t.Publish.Server.PerGB, true
	}
	return 0, false
}

// faults are frames and sessions that did not fare as they should.
func (t *trial) faults() int {
	if t.Publish != nil {
		return t.Publish.Sessions.Failed + t.Publish.Sessions.Dropped
	}
	f, s := t.Play.Frames, t.Play.Sessions
	return int(f.Lost+f.Doubled+f.Foreign) + s.Failed + s.Dropped
}

// line is the trial in one line, for whoever waits.
func (t *trial) line() string {
	head := fmt.Sprintf("round %d  %-8s %5d %-10s ", t.Round+1, t.Situation, t.Load, t.Contender)
	v, ok := t.perGB()
	switch {
	case !ok:
		return head + "failed: " + t.Error
	case t.Publish != nil:
		return head + fmt.Sprintf("%.3f CPU-s/GB, sent %.1f %%, dropped %d", v, 100*float64(t.Publish.Sent)/float64(max(t.Publish.Expected, 1)), t.Publish.Sessions.Dropped+t.Publish.Sessions.Failed)
	case t.Situation == "setup":
		return head + fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", t.Play.Join.Connect.P50, t.Play.Join.Connect.P99)
	}
	r := t.Play
	return head + fmt.Sprintf("%.3f CPU-s/GB, latency p50 %.1f p99 %.1f ms, %.1f KB/viewer, lost %d, bytes %.1f %%, cores %.0f %%",
		v, r.Latency.P50, r.Latency.P99, r.Server.RSSPerUnit/1e3, r.Frames.Lost, r.Bytes.Ratio*100, busiest(r.Machine))
}
