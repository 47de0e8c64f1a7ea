package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteText writes the result for people.
func (r *PlayResult) WriteText(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	o := r.Options
	fmt.Fprintf(t, "target\t%s\n", some(r.Targets))
	fmt.Fprintf(t, "viewers\t%d %s, %d parsed; window %.1f s after %v\n", o.Viewers, o.Reader, r.Frames.Viewers, r.Seconds, o.Warmup)
	r.Sessions.write(t)
	fmt.Fprintf(t, "joined in\t%.2f s\n", r.Join.Seconds)
	r.Join.Connect.write(t, "connect")
	r.Join.FirstKey.write(t, "first key frame")
	if r.Join.NoKey > 0 {
		fmt.Fprintf(t, "no key frame\t%d\n", r.Join.NoKey)
	}
	if o.Deaf > 0 {
		fmt.Fprintf(t, "deaf\t%d of %d came as far as a key frame\n", r.Deaf, o.Deaf)
	}
	r.Latency.write(t, "added latency")
	r.LongestGap.write(t, "longest gap")
	if f := r.Frames; f.Viewers > 0 {
		fmt.Fprintf(t, "frames\t%d; lost %d, doubled %d, foreign %d, unstamped %d, backwards %d, before their header %d\n",
			f.Received, f.Lost, f.Doubled, f.Foreign, f.Unstamped, f.Backwards, f.NoHeader)
	}
	fmt.Fprintf(t, "received\t%.1f MB", float64(r.Bytes.Received)/1e6)
	if r.Seconds > 0 {
		fmt.Fprintf(t, ", %.1f Mb/s", float64(r.Bytes.Received)*8/1e6/r.Seconds)
	}
	if r.Bytes.Expected > 0 {
		fmt.Fprintf(t, ", %.1f %% of the expectation; %d viewers short", r.Bytes.Ratio*100, r.Bytes.Short)
	}
	fmt.Fprintln(t)
	if r.Server != nil {
		r.Server.write(t, r.Seconds, r.Sessions.Up)
	}
	r.Machine.write(t)
	return t.Flush()
}

// WriteText writes the result for people.
func (r *PublishResult) WriteText(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "target\t%s\n", some(r.Targets))
	fmt.Fprintf(t, "publishers\t%d; window %.1f s after %v\n", r.Options.Streams, r.Seconds, r.Options.Warmup)
	r.Sessions.write(t)
	r.Accepted.write(t, "accepted after")
	r.Lag.write(t, "sent late")
	fmt.Fprintf(t, "sent\t%.1f MB", float64(r.Sent)/1e6)
	if r.Expected > 0 {
		fmt.Fprintf(t, ", %.1f %% of the expectation", float64(r.Sent)/float64(r.Expected)*100)
	}
	fmt.Fprintln(t)
	if r.Server != nil {
		r.Server.write(t, r.Seconds, r.Sessions.Up)
	}
	r.Machine.write(t)
	return t.Flush()
}

func (s Sessions) write(to io.Writer) {
	fmt.Fprintf(to, "sessions\t%d asked, %d up, %d failed, %d dropped\n", s.Asked, s.Up, s.Failed, s.Dropped)
	for _, reason := range slices.Sorted(maps.Keys(s.Reasons)) {
		fmt.Fprintf(to, "\t%d %s\n", s.Reasons[reason], reason)
	}
}

func (q Quantiles) write(to io.Writer, what string) {
	if q.Count > 0 {
		fmt.Fprintf(to, "%s\tp50 %.2f  p90 %.2f  p99 %.2f  max %.2f ms\n", what, q.P50, q.P90, q.P99, q.Max)
	}
}

func (s *Server) write(to io.Writer, window float64, sessions int) {
	fmt.Fprintf(to, "server CPU\t%.2f s (%.0f %%; user %.2f, system %.2f), %.3f s/GB\n", s.CPU, s.CPU/window*100, s.User, s.System, s.PerGB)
	fmt.Fprintf(to, "server memory\t%.1f MB at most, %.1f MB before the first join, %.1f MB when the window began, %.1f KB a session\n",
		float64(s.RSS)/1e6, float64(s.RSSBefore)/1e6, float64(s.RSSOpen)/1e6, s.RSSPerUnit/1e3)
	if s.Ended != "" {
		fmt.Fprintf(to, "\tthe server has gone: %s\n", s.Ended)
	}
	if s.JoinCPU > 0 && sessions > 0 {
		fmt.Fprintf(to, "server joins\t%.0f µs of CPU a session, with the media sent meanwhile\n", s.JoinCPU/float64(sessions)*1e6)
	}
}

func (m Machine) write(to io.Writer) {
	loads := make([]string, len(m.Cores))
	for i, l := range m.Cores {
		loads[i] = fmt.Sprintf("%.0f", l*100)
	}
	fmt.Fprintf(to, "machine\tcores at %s %%, this tool used %.2f s\n", strings.Join(loads, " and "), m.Own)
}

// some names a few targets of many.
func some(targets []string) string {
	const few = 3
	if len(targets) <= few {
		return strings.Join(targets, " ")
	}
	return fmt.Sprintf("%s … %s (%d)", targets[0], targets[len(targets)-1], len(targets))
}
