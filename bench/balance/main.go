package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"weir/bench/rig"
)

func main() { rig.Main("balance", measure) }

// plan is what a run does.
type plan struct {
	weir, dir, logs string // binary; for temporary files; for the balancers' logs
	trace           trace
	capacity        []float64
	rounds          int
	warmup, window  time.Duration
}

func measure(ctx context.Context, args []string) error {
	p := &plan{capacity: []float64{1, 1, 2}}
	f := flag.NewFlagSet("balance", flag.ContinueOnError)
	f.StringVar(&p.weir, "weir", "bin/weir", "the weir `binary`")
	out := f.String("out", "bench/results/balance", "`directory` of the results")
	f.StringVar(&p.logs, "logs", "", "`directory` for the balancers' logs")
	only := f.String("only", "weir haproxy", "the contenders, of "+strings.Join(contenders, ", "))
	f.IntVar(&p.rounds, "rounds", 3, "rounds; each has a trace of its own")
	f.DurationVar(&p.warmup, "warmup", 15*time.Second, "what is left out at the beginning of each trace")
	f.DurationVar(&p.window, "window", 5*time.Second, "over which traffic is compared")
	f.Uint64Var(&p.trace.Seed, "seed", 1, "of the first round's trace; the next has the next")
	f.IntVar(&p.trace.Publishers, "publishers", 40, "at a time, on average")
	f.DurationVar(&p.trace.Length, "for", 80*time.Second, "how long a trace is")
	f.DurationVar(&p.trace.Begin, "begin", 8*time.Second, "within which the first publishers come")
	f.DurationVar(&p.trace.Life, "life", 30*time.Second, "mean length of a session")
	f.Float64Var(&p.trace.Returning, "returning", 0.5, "part of the sessions whose stream has been there before, if one is away")
	f.DurationVar(&p.trace.Away, "away", 6*time.Second, "that a stream stays away at least; and Weir's place.sticky")
	f.Float64Var(&p.trace.Median, "median", 1e6, "of the bitrates, bits per second")
	f.Float64Var(&p.trace.Sigma, "sigma", 0.7, "of their logarithms")
	f.Float64Var(&p.trace.Smallest, "smallest", 0.3e6, "bitrate")
	f.Float64Var(&p.trace.Largest, "largest", 3e6, "bitrate")
	if err := f.Parse(args); err != nil {
		return err
	}
	who := strings.Fields(*only)
	for _, c := range who {
		if !slices.Contains(contenders, c) {
			return fmt.Errorf("contender %q: want %s", c, strings.Join(contenders, ", "))
		}
	}
	if p.rounds < 1 || p.trace.Publishers < 1 || p.trace.Length < p.warmup+p.window || p.trace.Life <= shortestLife ||
		p.trace.Median < p.trace.Smallest || p.trace.Median > p.trace.Largest {
		return errors.New("nothing to measure: see the flags")
	}
	where, dir, release, err := rig.Hold()
	if err != nil {
		return err
	}
	defer release()
	p.dir = dir
	r := newReport(where, p)
	for round := range p.rounds {
		visits := r.add(p, round)
		for i := range who {
			t := trial{Round: round, Contender: who[(i+round)%len(who)], Seed: p.trace.Seed + uint64(round)}
			if err := p.trial(ctx, &t, visits); err != nil {
				t.Error = err.Error()
			}
			if ctx.Err() != nil {
				return r.save(*out)
			}
			r.Trials = append(r.Trials, t)
			fmt.Fprintln(os.Stderr, t.line())
		}
		if err := r.save(*out); err != nil {
			return err
		}
	}
	return nil
}

// line is the trial in one line, for whoever waits.
func (t *trial) line() string {
	head := fmt.Sprintf("round %d  %-8s ", t.Round+1, t.Contender)
	if t.Error != "" {
		return head + "failed: " + t.Error
	}
	f := &t.Figures
	return head + fmt.Sprintf("max/mean p50 %.3f p95 %.3f max %.3f, whole run %.3f, within %.2f: %.0f %%; %.1f Mb/s; refused %d, broken %d %s",
		f.P50, f.P95, f.Max, f.Whole, target, 100*f.Within, t.Sent/1e6, t.Refused, t.Broken, t.First)
}
