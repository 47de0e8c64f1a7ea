package front_test

import (
	"testing"
	"time"

	"weir/amf"
	"weir/internal/front"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// told plays as a client of some family and returns the redirection that it is told, if it is;
// the connection stays.
func told(t *testing.T, w *foreignFleet, connect rtmp.Connect) (c *rtmp.ClientConn, command string, info amf.Object, ended func() bool) {
	t.Helper()
	nc, err := w.Net.Dial(t.Context(), w.fronts[0].Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	c = rtmp.NewClientConn(nc, rtmp.Options{})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	connect.App, connect.TCURL = "live", "rtmp://front/live"
	if _, err := c.Connect(&connect); err != nil {
		t.Fatal(err)
	}
	id, err := c.CreateStreamNow()
	if err != nil {
		t.Fatal(err)
	}
	c.Send(id, "play", "alice?k=v")
	heard := make(chan *rtmp.Command, 64)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			m, err := c.ReadMessage()
			if err != nil {
				return
			}
			if m.Type == rtmp.CommandAMF0 {
				if cmd, err := rtmp.ParseCommand(m, amf.Limits{}); err == nil {
					heard <- &cmd
				}
			}
		}
	}()
	elapse(time.Second)
	ended = func() bool {
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
	for {
		select {
		case cmd := <-heard:
			for _, a := range cmd.Args {
				if o, ok := a.(amf.Object); ok && o.String("code") == rtmp.CodeConnectRejected {
					return c, cmd.Name, o, ended
				}
			}
		default:
			return c, "", nil, ended
		}
	}
}

var (
	asSRS    = rtmp.Connect{FlashVer: "WIN 15,0,0,239", Args: []any{amf.Object{{Key: "srs_sig", Value: "SRS"}}}}
	asFlash  = rtmp.Connect{FlashVer: "WIN 32,0,0,465", SWFURL: "http://site/player.swf"}
	asFFmpeg = rtmp.Connect{FlashVer: "LNX 9,0,124,2"}
)

func redirecting(families ...string) func(*front.Options) {
	return func(o *front.Options) { o.Redirect = families }
}

func TestRedirectInEachFamilysForm(t *testing.T) {
	for _, c := range []struct {
		what     string
		families []string
		client   rtmp.Connect
		command  string // "" = it is not redirected
		second   string // redirect2
	}{
		{"SRS", []string{"srs"}, asSRS, "onStatus", "rtmp://10.1.0.1:1935/live/alice?k=v"},
		{"Flash", []string{"srs", "flash"}, asFlash, "_error", ""},
		{"own", []string{"flashver:LNX 9"}, asFFmpeg, "_error", ""},
		{"ffmpeg, which follows nothing", []string{"srs", "flash"}, asFFmpeg, "", ""},
		{"Flash, not wished", []string{"srs"}, asFlash, "", ""},
		{"nobody by default", nil, asSRS, "", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			behind(t, redirecting(c.families...), func(t *testing.T, w *foreignFleet) {
				w.Publish(w.fronts[0], alice, 1)
				elapse(2 * time.Second)
				conn, command, info, _ := told(t, w, c.client)
				defer conn.Close()
				if command != c.command {
					t.Fatalf("told by %q", command)
				}
				if command == "" {
					if w.f[0].Viewers() != 1 {
						t.Error("it is not served")
					}
					return
				}
				ex, _ := info.Get("ex").(amf.Object)
				if ex.Number("code") != 302 || ex.String("redirect") != "rtmp://10.1.0.1:1935/live" || ex.String("redirect2") != c.second {
					t.Errorf("ex %v", ex)
				}
				if w.f[0].Viewers() != 0 {
					t.Error("it is served already")
				}
			})
		})
	}
}

// Who stays is served on the same connection, and is not asked again for a while; who comes back, too.
func TestRedirectThatIsNotFollowed(t *testing.T) {
	for _, stays := range []bool{true, false} {
		behind(t, redirecting("srs"), func(t *testing.T, w *foreignFleet) {
			w.Publish(w.fronts[0], alice, 1)
			elapse(2 * time.Second)
			c, command, _, ended := told(t, w, asSRS)
			if command == "" {
				t.Fatal("it is not redirected")
			}
			if stays {
				elapse(3 * time.Second)
				if ended() || w.f[0].Viewers() != 1 {
					t.Errorf("who stayed is not served: ended %v, %d viewers", ended(), w.f[0].Viewers())
				}
			} else {
				c.Close()
				elapse(time.Second)
			}
			before := w.f[0].Viewers()
			again, command, _, _ := told(t, w, asSRS)
			if command != "" || w.f[0].Viewers() != before+1 {
				t.Errorf("who did not follow is redirected again (stays: %v)", stays)
			}
			if n := event.Of[event.NotRedirected](w.fronts[0].Rec); len(n) != 1 || n[0].Stayed != stays {
				t.Errorf("%+v", n)
			}
			c.Close()
			again.Close()
			elapse(10 * time.Minute)
			last, command, _, _ := told(t, w, asSRS)
			if command == "" {
				t.Error("it is never redirected again")
			}
			last.Close()
		})
	}
}
