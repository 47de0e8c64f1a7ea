package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"weir/internal/ops/admin"
)

func nodeTable(out io.Writer, list []admin.Node) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tROLES\tSTATE\tRTMP\tPUBLISHERS\tVIEWERS\tPULLS\tIN\tOUT\tCPU")
	for _, n := range list {
		row(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%.0f%%\n", n.Name, strings.Join(n.Roles, ","), n.State, dash(n.Addresses.RTMP),
			n.Load.Publishers, n.Load.Viewers, n.Load.Pulls, bits(n.Load.Ingress), bits(n.Load.Egress), n.Load.CPU*100)
	}
	return t.Flush()
}

func streamTable(out io.Writer, list []admin.Stream) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "STREAM\tOWNER\tEPOCH\tEDGES\tVIEWERS\tBITRATE\tTRACKS")
	for _, s := range list {
		codecs := make([]string, len(s.Tracks))
		for i, track := range s.Tracks {
			codecs[i] = track.Codec
		}
		owner := dash(s.Owner)
		if s.Backend != "" {
			owner += " at " + s.Backend
		}
		row(t, "%s/%s\t%s\t%s\t%s\t%d\t%s\t%s\n", s.App, s.Name, owner, s.Epoch, dash(strings.Join(s.Edges, ",")),
			s.Viewers, bits(float64(s.Bitrate)), dash(strings.Join(codecs, ",")))
	}
	return t.Flush()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// bits writes a rate of bits per second with decimal units, as networks have it.
func bits(perSecond float64) string {
	for _, u := range []struct {
		least float64
		name  string
	}{{1e9, "Gb/s"}, {1e6, "Mb/s"}, {1e3, "kb/s"}} {
		if perSecond >= u.least {
			return fmt.Sprintf("%.1f %s", perSecond/u.least, u.name)
		}
	}
	return fmt.Sprintf("%.0f b/s", perSecond)
}
