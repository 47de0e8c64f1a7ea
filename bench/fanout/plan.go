package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"weir/internal/bench"
)

// plan is what a run does.
type plan struct {
	contenders []contender
	loads      []load
	against    []string // contenders that the table compares with
	rounds     int
	window     time.Duration
	warmup     time.Duration
	sample     int
	rate       float64
	// concurrency is how many joins wait for their answer at a time; joins makes them
	// what the tables are about.
	concurrency int
	joins       bool
	deaf        int
}

func (p *plan) parseLoads(viewers, bitrates, readers string, streams int) error {
	for r := range strings.FieldsSeq(readers) {
		reader, err := bench.ParseReader(r)
		if err != nil {
			return err
		}
		for b := range strings.FieldsSeq(bitrates) {
			mbps, err := strconv.ParseFloat(b, 64)
			if err != nil || mbps <= 0 {
				return fmt.Errorf("bit rate %q: want Mb/s", b)
			}
			for v := range strings.FieldsSeq(viewers) {
				n, err := strconv.Atoi(v)
				if err != nil || n < 1 {
					return fmt.Errorf("viewers %q: want a number", v)
				}
				p.loads = append(p.loads, load{Viewers: n, Streams: streams, Mbps: mbps, Reader: reader})
			}
		}
	}
	if len(p.loads) == 0 || p.rounds < 1 || streams < 1 {
		return fmt.Errorf("nothing to measure")
	}
	return nil
}

// run runs every load's rounds and calls save after each round. An interruption
// saves what is there and is no error; a trial that fails is a result.
func (p *plan) run(ctx context.Context, t *tools, r *report, save func() error) error {
	for round := range p.rounds {
		for _, l := range p.loads {
			for i := range p.contenders {
				c := p.contenders[(i+round)%len(p.contenders)]
				tr := p.trial(ctx, t, c, l)
				if ctx.Err() != nil {
					return save()
				}
				tr.Round = round
				r.Trials = append(r.Trials, tr)
				fmt.Fprintln(os.Stderr, tr.line(p.joins))
			}
		}
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}
