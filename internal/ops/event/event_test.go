package event

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weir/internal/stream"
	"weir/rtmp"
)

var (
	name    = stream.Name{App: "live", Stream: "alice"}
	viewer  = Session{Conn: 7, Remote: "192.0.2.1:5", Role: RoleViewer, App: "live", Stream: "alice"}
	source  = Session{Conn: 8, Remote: "192.0.2.2:5", Role: RolePublisher, App: "live", Stream: "alice"}
	errBoom = errors.New("boom")
	epoch   = stream.Epoch{Incarnation: 1, Revision: 2}
)

// one holds one event of every type; TestEveryEventIsHere keeps it complete.
var one = []Event{
	SessionOpened{viewer},
	SessionClosed{Session: viewer, Reason: WriteStalled, EndedBy: ByServer, Phase: PhaseMedia, Err: errBoom, BytesIn: 10, BytesOut: 20, Dur: time.Second},
	Refused{Session: viewer, Reason: TooManyOfOne, Err: errBoom},
	Placed{Session: source, Node: "o1", Why: "least loaded"},
	BackendFailed{Session: source, Node: "o1", Phase: PhasePlace, Reason: DialFailed, Err: errBoom},
	BackendChanged{Session: source, From: "o1", To: "o2", Reason: SourceLost},
	NotSpliced{Session: source, Node: "nginx1", Reason: NoBoundary, Err: errBoom},
	Redirected{Session: source, Node: "nginx1", Family: "srs"},
	NotRedirected{Session: source, Family: "srs", Stayed: true},
	LimitHit{Session: source, Reason: GOPTooLarge, Err: errBoom},
	ViewersSkipped{Session: viewer, Reason: ViewerLagging, Count: 4},
	MediaDropped{Session: source, Reason: BeforeHeaders, Count: 3},
	PublishStarted{Session: source, Epoch: epoch, Resumed: true},
	PublishEnded{Session: source, Epoch: epoch, Reason: Unpublished, BytesIn: 5, Dur: time.Second},
	PullStarted{Name: name, From: "o1", Epoch: epoch},
	PullEnded{Name: name, From: "o1", Reason: NobodyWatching, Err: errBoom, BytesIn: 5, Dur: time.Second},
	Claimed{Name: name, Epoch: epoch},
	Claimed{Name: name},
	Claimed{Name: name, Epoch: epoch, Confirms: true},
	ClaimRefused{Name: name, Owner: "o2", Epoch: epoch, Reason: Busy, Err: errBoom},
	TakeOver{Name: name, From: "o2", Epoch: epoch, Why: "it has no publisher"},
	OwnershipLost{Name: name, Epoch: epoch, By: "o2", Higher: epoch, Reason: StaleEpoch},
	Released{Name: name, Epoch: epoch, Reason: Unpublished},
	NodeUp{Name: "o2", Roles: []string{"origin"}, State: "up"},
	BackendHealth{Backend: "edge1", Why: "edge1:1935: connection refused"},
	BackendHealth{Backend: "edge1", Up: true, First: true, Why: "answers within 1ms"},
	BackendHealth{Backend: "edge1", Up: true, Why: "answers within 1ms"},
	BackendLoad{Backend: "edge1", Why: "the answer has no end"},
	BackendLoad{Backend: "edge1", Good: true},
	Proxied{Session: viewer, Server: "edge1", Status: 200, Lasting: true, BytesIn: 1, BytesOut: 20, Dur: time.Second, Err: errBoom},
	HandlerPanicked{What: "192.0.2.1:5: boom", Stack: "goroutine 1"},
	Discovered{Source: "dns:media.example.com", Servers: 3, Added: 1},
	Discovered{Source: "file:servers.yaml", Servers: 3, Again: true},
	DiscoveryFailed{Source: "http:http://h/s", Kept: 3, Times: 2, Err: errBoom},
	BackendsRefused{Source: "static", Count: 1, Err: errBoom},
	NodeDown{Name: "o2", Reason: NodeLost},
	StoreLost{Err: errBoom},
	StoreBack{Dur: 2 * time.Second},
}

// source files of this package without tests.
func files(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func TestEveryEventIsHere(t *testing.T) {
	have := map[string]bool{}
	for _, e := range one {
		have[strings.TrimPrefix(typeName(e), "event.")] = true
	}
	for _, f := range files(t) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Name.Name != "line" || fn.Recv == nil {
				continue
			}
			if n := fn.Recv.List[0].Type.(*ast.Ident).Name; !have[n] {
				t.Errorf("event %s has no example in this test", n)
			}
		}
	}
}

func TestEveryReasonHasAMeaningOnce(t *testing.T) {
	word := regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	seen := map[Reason]bool{}
	for r := range Reasons() {
		if seen[r.Reason] {
			t.Errorf("reason %q twice", r.Reason)
		}
		seen[r.Reason] = true
		if !word.MatchString(string(r.Reason)) || r.Meaning == "" {
			t.Errorf("reason %q (%q): want a word and a meaning", r.Reason, r.Meaning)
		}
	}
	for _, f := range files(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || v.Type == nil || len(v.Values) != 1 {
				return true
			}
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Reason" {
				lit, ok := v.Values[0].(*ast.BasicLit)
				if !ok {
					return true // one of the wire's
				}
				text, err := strconv.Unquote(lit.Value)
				if err != nil || !seen[Reason(text)] {
					t.Errorf("constant %s is not in the list", v.Names[0].Name)
				}
			}
			return true
		})
	}
}

func TestEveryWireReasonHasAMeaning(t *testing.T) {
	for _, r := range rtmp.Reasons() {
		info, ok := Reason(r).Lookup()
		if !ok || info.Meaning == "" {
			t.Errorf("%q has no meaning in wire.go", r)
		}
	}
	for r := range wireMeanings {
		if !slices.Contains(rtmp.Reasons(), r) {
			t.Errorf("%q is explained but not one of the wire's", r)
		}
	}
}

func TestMetricNamesPassPromlint(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	sink, err := NewMetrics(reg, "n1")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range one {
		sink(e)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, _ := reg.Gather()
	allowed := map[string]bool{"node": true, "role": true, "app": true, "reason": true, "ended_by": true}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "weir_") {
			t.Errorf("metric %s does not begin with weir_", f.GetName())
		}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if !allowed[l.GetName()] {
					t.Errorf("%s has label %s", f.GetName(), l.GetName())
				}
				if l.GetValue() == name.Stream {
					t.Errorf("%s carries a stream name", f.GetName())
				}
			}
		}
	}
	if _, err := NewMetrics(reg, "n1"); err == nil {
		t.Error("registering twice gave no error")
	}
}

func TestLimitReasonsCountInAnyEvent(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	sink, err := NewMetrics(reg, "n1")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range one {
		sink(e)
	}
	want := map[Reason]float64{TooManyOfOne: 1, GOPTooLarge: 1, ViewerLagging: 4, WriteStalled: 1}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Reason]bool{}
	for _, f := range families {
		if f.GetName() != "weir_limit_hits_total" {
			continue
		}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if r := Reason(l.GetValue()); l.GetName() == "reason" {
					seen[r] = true
					if m.Counter.GetValue() != want[r] {
						t.Errorf("%s = %v, want %v", r, m.Counter.GetValue(), want[r])
					}
				}
			}
		}
	}
	for r := range Reasons() {
		if r.Limit && !seen[r.Reason] {
			t.Errorf("%s is not there before its first hit", r.Reason)
		}
	}
}

func TestStrangersCannotGrowTheMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	sink, err := NewMetrics(reg, "n1")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		s := source
		s.App, s.Role = "app"+strconv.Itoa(i), Role("role"+strconv.Itoa(i))
		sink(PublishStarted{Session: s})
		sink(Refused{Session: s, Reason: Reason("reason" + strconv.Itoa(i))})
	}
	for _, m := range []string{"weir_publishes_total", "weir_publishers", "weir_refused_total"} {
		if n, err := testutil.GatherAndCount(reg, m); err != nil || n > maxAppLabels+1 {
			t.Errorf("%s has %d series (%v)", m, n, err)
		}
	}
}

func TestLogKeysAreTheContract(t *testing.T) {
	contract := map[string]bool{}
	for k := range strings.FieldsSeq("conn remote role app stream reason err bytes dur " +
		"bytes_in bytes_out ended_by phase epoch seen higher from_epoch from to on by why owner peer roles state resumed behind count status") {
		contract[k] = true
	}
	for _, e := range one {
		_, msg, attrs := e.line()
		if msg == "" {
			t.Errorf("%T has no message", e)
		}
		for _, a := range attrs {
			if !contract[a.Key] {
				t.Errorf("%T logs under the key %q", e, a.Key)
			}
		}
	}
	var b strings.Builder
	log := NewLog(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})).With("node", "n1"))
	log.Sink(one[0]) // debug: not shown
	log.Sink(one[1])
	want := `level=INFO msg="session closed" node=n1 conn=7 remote=192.0.2.1:5 role=viewer app=live stream=alice ` +
		`reason=write-stalled ended_by=server phase=media err=boom bytes_in=10 bytes_out=20 dur=1s` + "\n"
	if b.String() != want {
		t.Errorf("got  %swant %s", b.String(), want)
	}
}

func TestRecorderWaits(t *testing.T) {
	var r Recorder
	Tee(nil, r.Sink)(one[0])
	var none Sink
	none.Emit(one[0])
	done := make(chan error)
	go func() {
		_, err := WaitFor(t.Context(), &r, func(e StoreBack) bool { return e.Dur == 2*time.Second })
		done <- err
	}()
	r.Sink(StoreBack{Dur: time.Second})
	r.Sink(StoreBack{Dur: 2 * time.Second})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := len(Of[StoreBack](&r)); n != 2 {
		t.Errorf("%d StoreBack events", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := WaitFor[NodeDown](ctx, &r, nil); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "store back") {
		t.Errorf("err = %v: want the context's and what was recorded", err)
	}
}

func typeName(e Event) string {
	return reflect.TypeOf(e).String()
}

func TestAClaimSaysWhetherItIsConfirmed(t *testing.T) {
	for _, tc := range []struct {
		e    Claimed
		want string
	}{
		{Claimed{Name: name, Epoch: epoch}, "INFO claimed app"},
		{Claimed{Name: name}, "INFO claimed, unconfirmed app"},
		{Claimed{Name: name, Epoch: epoch, Confirms: true}, "INFO claim confirmed app"},
	} {
		if got := Line(tc.e); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}
