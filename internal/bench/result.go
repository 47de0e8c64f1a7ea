package bench

import (
	"maps"
	"sync"
	"time"
)

// PlayResult is what came of a Play. Times are in milliseconds where their names say so.
type PlayResult struct {
	Targets  []string    `json:"targets"`
	Options  PlayOptions `json:"options"`
	Sessions Sessions    `json:"sessions"`
	Join     Join        `json:"join"`
	// Seconds is the window's length; what follows is of the window alone.
	Seconds    float64   `json:"seconds"`
	Latency    Quantiles `json:"latency"`     // age of sampled frames
	LongestGap Quantiles `json:"longest_gap"` // of each sampled viewer, between two frames
	Bytes      Bytes     `json:"bytes"`
	Frames     Frames    `json:"frames"`         // from join to end
	Deaf       int       `json:"deaf,omitempty"` // of Options.Deaf: had their key frame, and read nothing in the window
	Server     *Server   `json:"server,omitempty"`
	Machine    Machine   `json:"machine"`
}

// PublishResult is what came of a Publish.
type PublishResult struct {
	Targets  []string       `json:"targets"`
	Options  PublishOptions `json:"options"`
	Sessions Sessions       `json:"sessions"`
	Accepted Quantiles      `json:"accepted"` // from dial to the answer of publish
	// Lag is how much later than due a frame of the window was sent: beyond some ms this process,
	// or a server that does not read, spoils what viewers measure.
	Lag     Quantiles `json:"lag"`
	Seconds float64   `json:"seconds"`
	Sent    int64     `json:"sent"` // payload bytes
	// Expected is what the shape and the time say should have been sent.
	Expected int64   `json:"expected"`
	Server   *Server `json:"server,omitempty"`
	Machine  Machine `json:"machine"`
}

// Sessions counts how they went. A session is up from the answer that it hoped for;
// a server that ends it later has dropped it.
type Sessions struct {
	Asked   int            `json:"asked"`
	Up      int            `json:"up"`
	Failed  int            `json:"failed"`
	Dropped int            `json:"dropped"`
	Reasons map[string]int `json:"reasons"` // of the failed and the dropped
}

// Join is the way to the first picture.
type Join struct {
	Seconds  float64   `json:"seconds"`   // until the last one had its key frame or failed
	Connect  Quantiles `json:"connect"`   // from dial to the answer of play
	FirstKey Quantiles `json:"first_key"` // from TCP established to the end of the first key frame
	NoKey    int       `json:"no_key"`    // up, but no key frame in time
}

// Bytes are counted on the wire, without TLS's own.
type Bytes struct {
	Received int64 `json:"received"`
	// Expected is what Received should be: viewers × the mean of the sampled ones. 0 = unknown.
	Expected int64   `json:"expected"`
	Ratio    float64 `json:"ratio"`
	// Short is how many viewers got less than 90 % of the expectation, and less than
	// what a lazy reader's visits explain.
	Short int `json:"short"`
}

// shortShare is when a viewer's bytes are too few. Why not nearer to 1: key frames are
// large, and a window of some seconds may hold one more or less of them.
const shortShare = 0.9

// Frames are the counts of the sampled viewers.
type Frames struct {
	Viewers   int    `json:"viewers"`
	Received  uint64 `json:"received"`
	Lost      uint64 `json:"lost"`
	Doubled   uint64 `json:"doubled"`
	Foreign   uint64 `json:"foreign"`
	Unstamped uint64 `json:"unstamped"` // published by something else: only bytes and gaps count then
	Backwards uint64 `json:"backwards"`
	NoHeader  uint64 `json:"no_header"`
}

// Server is what the given processes used.
type Server struct {
	CPU        float64 `json:"cpu_seconds"` // in the window, all threads
	User       float64 `json:"user_seconds"`
	System     float64 `json:"system_seconds"`
	PerGB      float64 `json:"cpu_seconds_per_gb"`
	JoinCPU    float64 `json:"join_cpu_seconds"` // from the first dial to the last join, with the media that was sent meanwhile; 0 if the window has the joins
	RSSBefore  int64   `json:"rss_before"`       // bytes, before the first join
	RSSOpen    int64   `json:"rss_open"`         // bytes, when the window began
	RSS        int64   `json:"rss"`              // bytes, the most that was seen in the window
	RSSPerUnit float64 `json:"rss_per_session"`  // bytes: RSS - RSSBefore over the sessions up
	Ended      string  `json:"ended,omitempty"`  // why it could no longer be read
}

// Machine says whether the figures can be trusted: with the cores full they show
// the queue, not the server.
type Machine struct {
	Cores []float64 `json:"cores"`           // load of each in the window, 0 to 1
	Own   float64   `json:"own_cpu_seconds"` // this process, in the window
}

// tally counts sessions from many goroutines.
type tally struct {
	mu sync.Mutex
	s  Sessions
}

func (t *tally) add(f func(*Sessions)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.s)
}

func (t *tally) up() { t.add(func(s *Sessions) { s.Up++ }) }

func (t *tally) failed(err error) {
	t.add(func(s *Sessions) { s.Failed++; s.reason(err) })
}

// dropped moves a session that was up.
func (t *tally) dropped(err error) {
	t.add(func(s *Sessions) { s.Up--; s.Dropped++; s.reason(err) })
}

func (s *Sessions) reason(err error) {
	if s.Reasons == nil {
		s.Reasons = map[string]int{}
	}
	s.Reasons[why(err)]++
}

func (t *tally) sessions() Sessions {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.s
	s.Reasons = maps.Clone(s.Reasons)
	return s
}

// seconds rounds to what reports show.
func seconds(d time.Duration) float64 { return d.Round(time.Microsecond).Seconds() }
