package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"weir/bench/rig"
)

func main() { rig.Main("proxy", run) }

// plan is what a run does.
type plan struct {
	weir, dir      string // binary; for temporary files
	extra, only    []string
	situations     []string
	viewers        []int
	publishers     int
	rounds         int
	window, warmup time.Duration
	haproxyThreads int
}

func run(ctx context.Context, args []string) error {
	p := &plan{}
	f := flag.NewFlagSet("proxy", flag.ContinueOnError)
	f.StringVar(&p.weir, "weir", "bin/weir", "the weir `binary`")
	out := f.String("out", "bench/results/proxy", "`directory` of the results")
	which := f.String("situations", strings.Join(situationNames(), " "), "what is measured")
	viewers := f.String("viewers", "500 1000", "numbers of viewers")
	extra := f.String("extra", "", "further contenders, NAME=COMMAND, with semicolons between")
	only := f.String("only", "", "those contenders only, by name")
	f.IntVar(&p.publishers, "publishers", 200, "carried publishers")
	f.IntVar(&p.rounds, "rounds", 5, "rounds")
	f.DurationVar(&p.window, "window", 8*time.Second, "the window of each trial")
	f.DurationVar(&p.warmup, "warmup", 2*time.Second, "between the last join and the window; of carry, twice the window")
	f.IntVar(&p.haproxyThreads, "haproxy-threads", 1, "HAProxy's nbthread; one is its cheapest")
	if err := f.Parse(args); err != nil {
		return err
	}
	p.situations = strings.Fields(*which)
	for v := range strings.FieldsSeq(*viewers) {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return fmt.Errorf("viewers %q: want a number", v)
		}
		p.viewers = append(p.viewers, n)
	}
	if *extra != "" {
		p.extra = strings.Split(*extra, ";")
	}
	p.only = strings.Fields(*only)
	trials, err := p.trials()
	if err != nil {
		return err
	}
	where, dir, release, err := rig.Hold()
	if err != nil {
		return err
	}
	defer release()
	p.dir = dir
	r := newReport(where, p)
	for round := range p.rounds {
		for i := range trials {
			t := trials[i]
			// Within a situation and load the order turns.
			group := sameGroup(trials, i)
			t = group[(indexIn(group, t)+round)%len(group)]
			t.Round = round
			p.trial(ctx, &t)
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
