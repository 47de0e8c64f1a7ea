package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/bench"
)

func benchmark() *cobra.Command {
	cmd := &cobra.Command{
		Use: "bench", Short: "Load an RTMP server and judge what comes of it",
		Long: "Load any RTMP server with stamped streams or with viewers, and judge what comes of it.",
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(benchPlay(), benchPublish())
	return cmd
}

// benchResult is what both kinds of results can do.
type benchResult interface{ WriteText(io.Writer) error }

// shared is what both commands do alike.
type shared struct{ json *bool }

func (s shared) show(cmd *cobra.Command, r benchResult) error {
	if !*s.json {
		return r.WriteText(cmd.OutOrStdout())
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

func benchFlags(cmd *cobra.Command, pace *bench.Pace, pids *[]int, insecure *bool) shared {
	f := cmd.Flags()
	f.Float64Var(&pace.Rate, "rate", 500, "sessions to start per second; 0 = as fast as they are answered")
	f.IntVar(&pace.Concurrency, "concurrency", 50, "sessions that wait for their answer at a time")
	f.IntSliceVar(pids, "pid", nil, "a process of the server to sample: CPU and memory; may be repeated")
	f.BoolVar(insecure, "insecure", false, "take any certificate (rtmps, https)")
	return shared{f.Bool("json", false, "print the result as JSON")}
}

func benchPlay() *cobra.Command {
	var o bench.PlayOptions
	var reader string
	cmd := &cobra.Command{
		Use: "play URL...", Short: "Watch with many viewers",
		Long: "Watch with many viewers, most of whose bytes the kernel discards, and judge sessions,\n" +
			"latency, gaps and, of stamped streams (weir bench publish), frames. URLs: rtmp, rtmps, http and\n" +
			"https (HTTP-FLV: /APP/NAME.flv), tcp (a chunk stream without conversation); {} is the stream's number.",
		Args: someURLs,
	}
	f := cmd.Flags()
	f.IntVarP(&o.Viewers, "viewers", "n", 100, "how many viewers")
	f.IntVar(&o.Streams, "streams", 1, "streams behind each URL")
	f.IntVar(&o.Deaf, "deaf", 0, "so many more viewers, who read nothing after their first key frame")
	f.StringVar(&reader, "reader", string(bench.Lazy), "lazy: visits each socket every 100-800 ms; eager: wakes for every packet")
	f.IntVar(&o.Loops, "loops", 1, "threads that discard")
	f.IntVar(&o.Sample, "sample", 20, "viewers that are parsed to the end")
	f.DurationVar(&o.Warmup, "warmup", 3*time.Second, "from the last join to the window")
	f.DurationVar(&o.Window, "for", 10*time.Second, "the window that is measured; 0 = until interrupted")
	s := benchFlags(cmd, &o.Pace, &o.PIDs, &o.Insecure)
	cmd.RunE = func(cmd *cobra.Command, urls []string) error {
		var err error
		if o.Reader, err = bench.ParseReader(reader); err != nil {
			return &UsageError{err}
		}
		o.URLs, o.ProgressTo = urls, terminal(cmd.ErrOrStderr())
		r, err := bench.Play(cmd.Context(), o)
		if err != nil {
			return asUsage(err)
		}
		if err := s.show(cmd, r); err != nil {
			return err
		}
		return nobody(r.Sessions)
	}
	return cmd
}

func benchPublish() *cobra.Command {
	var o bench.PublishOptions
	var video, audio float64
	var silent bool
	cmd := &cobra.Command{
		Use: "publish URL...", Short: "Publish stamped streams",
		Long: "Publish synthetic H.264 and AAC whose frames carry stream, run, number and time, for\n" +
			"weir bench play to count. {} in a URL is the stream's number.",
		Args: someURLs,
	}
	f := cmd.Flags()
	f.IntVarP(&o.Streams, "streams", "n", 1, "how many streams")
	f.Float64Var(&video, "bitrate", 2500, "kb/s of video, each stream")
	f.Float64Var(&audio, "audio-bitrate", 128, "kb/s of audio")
	f.BoolVar(&silent, "no-audio", false, "video only")
	f.Float64Var(&o.Shape.FrameRate, "fps", 30, "pictures per second")
	f.DurationVar(&o.Shape.GOP, "gop", 2*time.Second, "from key frame to key frame")
	f.Uint64Var(&o.Epoch, "epoch", 0, "the run's number in the stamps; a later run needs a higher one (default the time)")
	f.DurationVar(&o.Warmup, "warmup", 0, "from the last join to the window; 0: the joins are in it")
	f.DurationVar(&o.Window, "for", 0, "the window that is measured; 0 = until interrupted")
	s := benchFlags(cmd, &o.Pace, &o.PIDs, &o.Insecure)
	cmd.RunE = func(cmd *cobra.Command, urls []string) error {
		if video <= 0 || audio <= 0 || o.Shape.FrameRate <= 0 || o.Shape.GOP <= 0 {
			return &UsageError{errors.New("bit rates, --fps and --gop must be above 0")}
		}
		o.Shape.VideoBitrate, o.Shape.AudioBitrate = int(video*1000), int(audio*1000)
		if silent {
			o.Shape.AudioRate = -1
		}
		o.URLs, o.ProgressTo = urls, terminal(cmd.ErrOrStderr())
		r, err := bench.Publish(cmd.Context(), o)
		if err != nil {
			return asUsage(err)
		}
		if err := s.show(cmd, r); err != nil {
			return err
		}
		return nobody(r.Sessions)
	}
	return cmd
}

func someURLs(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &UsageError{errors.New("no URL given")}
	}
	return nil
}

func asUsage(err error) error {
	if option, ok := errors.AsType[*bench.OptionError](err); ok {
		return &UsageError{option}
	}
	return err
}

// nobody makes a run without one session a failure.
func nobody(s bench.Sessions) error {
	if s.Up+s.Dropped == 0 {
		return errors.New("no session came up")
	}
	return nil
}

// terminal returns w if it is one, for a line that is rewritten.
func terminal(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return w
}
