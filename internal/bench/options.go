package bench

import (
	"errors"
	"fmt"
	"io"
	"time"

	"weir/internal/bench/stamp"
)

// PlayOptions say how many viewers watch what, and how.
type PlayOptions struct {
	// URLs are the targets; viewer i plays target i modulo their number.
	URLs []string `json:"-"` // with their tokens
	// Streams is how many streams there are behind each URL (1).
	Streams int `json:"streams"`
	Viewers int `json:"viewers"`
	// Deaf is how many more there are who read nothing after their first key frame. They
	// count in nothing but what they do to the others.
	Deaf   int    `json:"deaf,omitempty"`
	Reader Reader `json:"reader"`
	// Loops is how many threads discard (1).
	Loops int `json:"loops"`
	// Sample is how many of the viewers are parsed to the end.
	Sample int  `json:"sample"`
	Pace   Pace `json:"pace"`

	Warmup     time.Duration `json:"warmup_ns"` // from the last join to the window
	Window     time.Duration `json:"window_ns"` // 0 = until ctx ends
	JoinLimit  time.Duration `json:"-"`         // a session's time to the answer of play (10 s)
	KeyLimit   time.Duration `json:"-"`         // and from there to the first key frame (10 s)
	Insecure   bool          `json:"-"`         // take any certificate
	PIDs       []int         `json:"pids"`      // the server's processes
	ProgressTo io.Writer     `json:"-"`         // live progress, once a second; nil = none
}

// PublishOptions say what to publish where.
type PublishOptions struct {
	URLs    []string    `json:"-"`
	Streams int         `json:"streams"` // in all; stream i goes to URL i modulo their number
	Shape   stamp.Shape `json:"shape"`
	Epoch   uint64      `json:"epoch"` // of the stamps; later runs need higher ones (0 = the time)
	Pace    Pace        `json:"pace"`

	// Warmup is from the last join to the window. 0: the window begins before the first
	// join, and has all of them in it.
	Warmup time.Duration `json:"warmup_ns"`
	Window time.Duration `json:"window_ns"` // 0 = until ctx ends

	Insecure   bool      `json:"-"`
	PIDs       []int     `json:"pids"`
	ProgressTo io.Writer `json:"-"`
}

const defaultLimit = 10 * time.Second

// OptionError is an option that cannot work.
type OptionError struct{ Err error }

func (e *OptionError) Error() string { return e.Err.Error() }
func (e *OptionError) Unwrap() error { return e.Err }

func (o *PlayOptions) check() ([]Target, error) {
	o.Streams, o.Loops = max(o.Streams, 1), max(o.Loops, 1)
	for _, limit := range []*time.Duration{&o.JoinLimit, &o.KeyLimit} {
		if *limit == 0 {
			*limit = defaultLimit
		}
	}
	if o.Reader == "" {
		o.Reader = Lazy
	}
	if _, err := ParseReader(string(o.Reader)); err != nil {
		return nil, &OptionError{err}
	}
	if o.Viewers < 1 {
		return nil, &OptionError{errors.New("no viewers")}
	}
	o.Sample = min(max(o.Sample, 0), o.Viewers)
	return targets(o.URLs, o.Streams)
}

func (o *PublishOptions) check() ([]Target, error) {
	o.Streams = max(o.Streams, 1)
	if o.Epoch == 0 {
		o.Epoch = uint64(time.Now().UnixMilli())
	}
	urls, err := parseURLs(o.URLs)
	if err != nil {
		return nil, err
	}
	list := make([]Target, o.Streams)
	for i := range list {
		t := urls[i%len(urls)]
		if !t.acks() {
			return nil, &OptionError{fmt.Errorf("%s: publishers speak RTMP", t)}
		}
		list[i] = t.Stream(i, o.Streams)
	}
	return list, nil
}

func parseURLs(urls []string) ([]Target, error) {
	if len(urls) == 0 {
		return nil, &OptionError{errors.New("no URL")}
	}
	list := make([]Target, len(urls))
	for i, u := range urls {
		var err error
		if list[i], err = ParseTarget(u); err != nil {
			return nil, &OptionError{err}
		}
	}
	return list, nil
}

// targets returns every stream behind every URL, the streams of one stream number
// together, so that few viewers spread over the addresses first.
func targets(urls []string, streams int) ([]Target, error) {
	parsed, err := parseURLs(urls)
	if err != nil {
		return nil, err
	}
	var list []Target
	for i := range streams {
		for _, t := range parsed {
			list = append(list, t.Stream(i, streams))
		}
	}
	return list, nil
}
