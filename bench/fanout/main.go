package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"weir/bench/rig"
	"weir/internal/bench"
)

func main() { rig.Main("fanout", run) }

// defaults are the loads.
const (
	defaultContenders = "weir nginx floor-send floor-nodelay floor-writev100 floor-sendfile100 floor-writev350"
	defaultViewers    = "100 500 1000 2000"
	defaultBitrates   = "1.1 2.6"
	defaultReaders    = "lazy eager"
)

func run(ctx context.Context, args []string) error {
	var p plan
	f := flag.NewFlagSet("fanout", flag.ContinueOnError)
	weir := f.String("weir", "bin/weir", "the weir `binary`")
	floor := f.String("floor", "bench/floor.c", "the floor's `source`")
	out := f.String("out", "bench/results", "`directory` of the results")
	contenders := f.String("contenders", defaultContenders, "who is measured; see the command's documentation")
	viewers := f.String("viewers", defaultViewers, "numbers of viewers")
	bitrates := f.String("bitrates", defaultBitrates, "bit rates of the stream, Mb/s, audio included")
	readers := f.String("readers", defaultReaders, "manners of reading: lazy, eager")
	streams := f.Int("streams", 1, "how many streams the viewers are spread over; the floor has one")
	against := f.String("against", "floor-writev100 nginx", "contenders that the table compares the others with")
	f.IntVar(&p.rounds, "rounds", 5, "rounds of each load")
	f.DurationVar(&p.window, "window", 8*time.Second, "the window of each trial; whole groups of pictures (2 s) let the bytes add up")
	f.DurationVar(&p.warmup, "warmup", 2*time.Second, "between the last join and the window")
	f.IntVar(&p.sample, "sample", 20, "viewers that are parsed")
	f.Float64Var(&p.rate, "rate", 500, "joins per second; 0 = as fast as they are answered")
	f.IntVar(&p.concurrency, "concurrency", 50, "joins that wait for their answer at a time")
	f.IntVar(&p.deaf, "deaf", 0, "so many more viewers, who read nothing")
	f.BoolVar(&p.joins, "joins", false, "the tables are about the joins, not the window")
	name := f.String("name", "fanout", "beginning of the results' file names")
	scene := f.String("scene", "", "one of "+strings.Join(sceneNames(), ", ")+": flags that go together; others on the command line prevail")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *scene != "" {
		flags, ok := scenes[*scene]
		if !ok {
			return fmt.Errorf("scene %q: want one of %s", *scene, strings.Join(sceneNames(), ", "))
		}
		*name = "fanout-" + *scene
		if err := f.Parse(append(strings.Split(flags, "|"), args...)); err != nil {
			return err
		}
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected %q", f.Arg(0))
	}
	if err := p.parseLoads(*viewers, *bitrates, *readers, *streams); err != nil {
		return err
	}
	p.against = strings.Fields(*against)
	where, dir, release, err := rig.Hold()
	if err != nil {
		return err
	}
	defer release()
	t := &tools{weir: *weir, floorSource: *floor, dir: dir}
	for name := range strings.FieldsSeq(*contenders) {
		c, err := parseContender(t, name)
		if err != nil {
			return err
		}
		p.contenders = append(p.contenders, c)
	}
	r := newReport(where, p)
	r.name = *name
	return p.run(ctx, t, r, func() error { return r.save(*out) })
}

// load is one situation in which all contenders are compared.
type load struct {
	Viewers int          `json:"viewers"` // of all streams together
	Streams int          `json:"streams"`
	Mbps    float64      `json:"mbps"`
	Reader  bench.Reader `json:"reader"`
}

func (l load) String() string {
	return fmt.Sprintf("%d %s", l.Viewers, l.group().title())
}

// group is what loads share that differ in their viewers only: a table and a panel.
func (l load) group() load {
	l.Viewers = 0
	return l
}

func (l load) title() string {
	s := fmt.Sprintf("%s readers, %.1f Mb/s", l.Reader, l.Mbps)
	if l.Streams > 1 {
		s += fmt.Sprintf(", %d streams", l.Streams)
	}
	return s
}
