package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"weir/internal/control/place"
	"weir/internal/control/sim"
	"weir/internal/node"
)

// simulated is what "weir simulate --json" prints.
type simulated struct {
	Version    string         `json:"version"`
	Machine    string         `json:"machine"`
	Cores      int            `json:"cores"`
	PeakMemory int64          `json:"peak_memory_bytes"`
	CPUSeconds float64        `json:"cpu_seconds"` // of all runs
	Config     sim.Config     `json:"config"`
	Runs       []simulatedRun `json:"runs"`
}

type simulatedRun struct {
	Seconds         float64 `json:"seconds"` // of this machine's time
	EventsPerSecond float64 `json:"events_per_second"`
	*sim.Result
}

func simulate() *cobra.Command {
	c := sim.Default()
	policies, svg, reservations := []string{string(c.Policy)}, "", string(c.Reservations)
	asJSON, parallel := false, 0
	cmd := &cobra.Command{
		Use: "simulate", Short: "Try placement policies on a simulated fleet", Args: noArgs,
		Long: "Run the real placement over a simulated fleet: viewers come and go, fronts decide on old\n" +
			"reports, edges die. Prints what the busiest edge carries and how many pulls the origins\n" +
			"send, against the fewest possible. Progress goes to standard error.",
		Example: "  weir simulate --policy all\n" +
			"  weir simulate --viewers 10000000 --edges 1000 --streams 100000 --fronts 8 --report-every 5s\n" +
			"  weir simulate --fronts 4 --report-every 1s --flash 100 --lose 1 --svg flash.svg",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Reservations = sim.Reservations(reservations)
			list := chosenPolicies(policies)
			if parallel <= 0 {
				parallel = concurrent(c, len(list))
			}
			s, err := runSimulations(cmd.Context(), c, list, parallel, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if svg != "" {
				if err := plotFile(svg, c, s); err != nil {
					return err
				}
			}
			if asJSON {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", " ")
				return out.Encode(s)
			}
			return simulationTable(cmd.OutOrStdout(), s)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&policies, "policy", policies, "`POLICIES` side by side, or all: "+strings.Join(policyNames(), ", "))
	f.IntVar(&c.Viewers, "viewers", c.Viewers, "expected viewers, up to 20 million")
	f.IntVar(&c.Streams, "streams", c.Streams, "live streams")
	f.IntVar(&c.Edges, "edges", c.Edges, "servers")
	f.Float64Var(&c.Zipf, "zipf", c.Zipf, "exponent of the audiences' distribution")
	f.DurationVar(&c.Session, "session", c.Session, "mean time that a viewer stays")
	f.Float64Var(&c.Churn, "churn", c.Churn, "length of the run after the fleet has filled, in mean sessions")
	f.Float64Var(&c.Use, "use", c.Use, "part of the fleet's capacity that the viewers take")
	f.Float64Var(&c.BitrateSpread, "bitrate-spread", c.BitrateSpread, "σ of the streams' log-normal bitrates; 0 is all alike")
	f.BoolVar(&c.Uneven, "uneven", c.Uneven, "edges of one, two and four times a capacity")
	f.IntVar(&c.Fronts, "fronts", c.Fronts, "balancers; more than one need --report-every")
	f.StringVar(&reservations, "reservations", reservations, "who knows of a decision before the next report: shared, told (each 200 ms), own, owner (one front a stream), none")
	f.DurationVar(&c.ReportEvery, "report-every", c.ReportEvery, "interval of the edges' load reports; 0 is loads known at once")
	f.DurationVar(&c.ReportDelay, "report-delay", c.ReportDelay, "age of a report when it arrives")
	f.Float64Var(&c.ReportLoss, "report-loss", c.ReportLoss, "part of the reports that are lost")
	f.DurationVar(&c.PullDelay, "pull-delay", c.PullDelay, "until other fronts know of a pull")
	f.Float64Var(&c.Flash, "flash", c.Flash, "in mid-run one stream's audience grows by this factor within a minute")
	f.IntVar(&c.Lose, "lose", c.Lose, "edges that die in mid-run")
	f.IntVar(&c.Freeze, "freeze", c.Freeze, "edges that answer nothing for a minute in mid-run")
	f.IntVar(&c.Add, "add", c.Add, "edges that are added in mid-run")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "the same seed is the same run")
	f.IntVar(&parallel, "parallel", 0, "runs at a time (default as many as cores and 2 GB allow)")
	f.StringVar(&svg, "svg", "", "write a plot to this `FILE`")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func policyNames() []string {
	var names []string
	for _, p := range place.ViewerPolicies() {
		names = append(names, string(p))
	}
	return names
}

func chosenPolicies(names []string) []place.Policy {
	if len(names) == 1 && names[0] == "all" {
		return place.ViewerPolicies()
	}
	var list []place.Policy
	for _, n := range names {
		list = append(list, place.Policy(n))
	}
	return list
}

// concurrent is how many runs fit into 2 GB and the cores.
func concurrent(c sim.Config, runs int) int {
	const most = 2 << 30
	return max(1, min(runs, runtime.GOMAXPROCS(0), int(most/max(c.Memory(), 1))))
}

// runSimulations runs the policies, some at a time; the results are in the order of the list.
func runSimulations(ctx context.Context, c sim.Config, list []place.Policy, parallel int, progress io.Writer) (*simulated, error) {
	s := &simulated{Version: node.Version(), Machine: processor(), Cores: runtime.NumCPU(), Config: c, Runs: make([]simulatedRun, len(list))}
	show := newProgressLines(progress)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, p := range list {
		group.Go(func() error {
			c := c
			c.Policy = p
			start := time.Now()
			r, err := sim.Run(ctx, c, show.tell)
			if err != nil {
				return err
			}
			took := time.Since(start).Seconds()
			s.Runs[i] = simulatedRun{took, float64(r.Events) / took, r}
			return nil
		})
	}
	err := group.Wait()
	show.end()
	var config *sim.ConfigError
	var policy *place.PolicyError
	if errors.As(err, &config) || errors.As(err, &policy) {
		return nil, &UsageError{err}
	}
	if err != nil {
		return nil, err
	}
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		s.PeakMemory = ru.Maxrss << 10
		s.CPUSeconds = time.Duration(ru.Utime.Nano() + ru.Stime.Nano()).Seconds()
	}
	return s, nil
}

// progressLines shows each second what one of the runs has come to: on a terminal in one line, otherwise
// each ten seconds in a new one.
type progressLines struct {
	mu       sync.Mutex
	to       io.Writer
	terminal bool
	every    time.Duration
	last     time.Time
}

func newProgressLines(to io.Writer) *progressLines {
	p := &progressLines{to: to, every: 10 * time.Second, last: time.Now()}
	if f, ok := to.(*os.File); ok {
		if i, err := f.Stat(); err == nil && i.Mode()&os.ModeCharDevice != 0 {
			p.terminal, p.every = true, 200*time.Millisecond
		}
	}
	return p
}

func (p *progressLines) tell(now sim.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) < p.every {
		return
	}
	p.last = time.Now()
	if p.terminal {
		fmt.Fprintf(p.to, "\r\x1b[K%v", now)
	} else {
		fmt.Fprintln(p.to, now)
	}
}

func (p *progressLines) end() {
	if p.terminal {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}

func simulationTable(out io.Writer, s *simulated) error {
	c := &s.Config
	fmt.Fprintf(out, "%d viewers, %d streams, %d edges, Zipf %g, %d front(s)", c.Viewers, c.Streams, c.Edges, c.Zipf, c.Fronts)
	if c.ReportEvery > 0 {
		fmt.Fprintf(out, ", reports every %v, %v old, reservations %s", c.ReportEvery, c.ReportDelay, c.Reservations)
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "POLICY\tMAX/MEAN\tPEAK\tPULLS\tPULLS/FEWEST\tCLOSED FORM\tREFUSED\tRETRIED\tMOVED\tEVENTS\tTIME\tHASH\t")
	for _, r := range s.Runs {
		form := "-"
		if r.Expected > 0 {
			form = fmt.Sprintf("%.0f", r.Expected)
		}
		fmt.Fprintf(t, "%s\t%.4f\t%.4f\t%d\t%.4f\t%s\t%d\t%d\t%d\t%.1f M\t%.1f s\t%s\t\n", r.Policy, r.MaxOverMean, r.PeakMaxOver, r.Pulls, r.PullRatio,
			form, r.Refused, r.Retried, r.Moved, float64(r.Events)/1e6, r.Seconds, r.EventHash)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range s.Runs {
		if r.FlashPeak > 0 {
			fmt.Fprintf(out, "%s: the crowd had %d viewers on %d edges; the fullest edge reached %.1f %% of its capacity, with %d joins in flight at most\n",
				r.Policy, r.FlashPeak, r.FlashCarriers, 100*r.PeakShare, r.JoinsInFlight)
		}
	}
	_, err := fmt.Fprintf(out, "peak memory %d MB, %.1f s of processor time\n", s.PeakMemory>>20, s.CPUSeconds)
	return err
}

func plotFile(path string, c sim.Config, s *simulated) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	var runs []*sim.Result
	for _, r := range s.Runs {
		runs = append(runs, r.Result)
	}
	title := fmt.Sprintf("%d viewers, %d streams, %d edges, Zipf %g, %d front(s), reports every %v", c.Viewers, c.Streams, c.Edges, c.Zipf, c.Fronts, c.ReportEvery)
	return errors.Join(sim.Plot(f, title, runs), f.Close())
}

// processor names the machine's processor.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}
