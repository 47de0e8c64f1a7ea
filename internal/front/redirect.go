package front

import (
	"cmp"
	"context"
	"strings"
	"time"

	"weir/amf"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// The families of clients that are known to follow a redirection of RTMP, as
// [Options.Redirect] names them. "flashver:PREFIX" is a family of one's own: clients
// whose flashVer begins so.
const (
	// FamilySRS is SRS's edge, and what else is built on its client: its connect has
	// an object of arguments with srs_ members.
	FamilySRS = "srs"
	// FamilyFlash are players in a browser or desktop runtime, which say where their
	// program is from. That is what tells them from ffmpeg and rtmpdump, which call
	// themselves by the same version and follow nothing.
	FamilyFlash = "flash"
	// FamilyPrefix begins a family of one's own.
	FamilyPrefix = "flashver:"
)

const (
	// followTime is how long a client that was told to go may stay. It is SRS's.
	followTime = 3 * time.Second
	// returnTime is within which a client that comes back for the same stream has not
	// followed. Why not larger: it may have, and come back for another look.
	returnTime = 20 * time.Second
	// refusedTime is how long an address that did not follow is served here.
	refusedTime = 10 * time.Minute
	// maxRedirected bounds both memories, in addresses and streams. What is beyond
	// is not redirected.
	maxRedirected = 10_000
)

// family is which of the wanted families the client is of; "" is none.
func family(c *rtmp.Connect, wanted []string) string {
	for _, w := range wanted {
		prefix, own := strings.CutPrefix(w, FamilyPrefix)
		switch {
		case own && prefix != "" && strings.HasPrefix(c.FlashVer, prefix),
			w == FamilySRS && saysSRS(c.Args),
			w == FamilyFlash && c.SWFURL != "" && flashPlayer(c.FlashVer):
			return w
		}
	}
	return ""
}

func saysSRS(args []any) bool {
	for _, a := range args {
		if o, ok := amf.Properties(a); ok {
			for _, p := range o {
				if strings.HasPrefix(p.Key, "srs_") {
					return true
				}
			}
		}
	}
	return false
}

func flashPlayer(version string) bool {
	platform, _, _ := strings.Cut(version, " ")
	switch platform {
	case "WIN", "MAC", "LNX", "AND", "IOS":
		return true
	}
	return false
}

// redirect tells a client of a wanted family to go to b itself, and waits for it to do so:
// the error is then why it is gone. told without an error: it stayed, and is served here as
// if nothing had been said.
func (f *Front) redirect(ctx context.Context, p *session.Play, b *Backend) (told bool, err error) {
	fam := ""
	// Who came over TLS is not sent to where there may be none.
	if p.Member == "" && len(f.o.Redirect) > 0 && p.Alone && !p.TLS {
		fam = family(p.Connect, f.o.Redirect)
	}
	if fam == "" {
		return false, nil
	}
	addr := source(p.Remote)
	switch f.redirected.ask(addr, p.Name, time.Now()) {
	case keepHere:
		return false, nil
	case cameBack:
		f.o.Emit.Emit(event.NotRedirected{Session: p.Session, Family: fam})
		return false, nil
	}
	f.o.Emit.Emit(event.Redirected{Session: p.Session, Node: b.Node, Family: fam})
	if err := p.Conn.WriteMessage(redirection(p, cmp.Or(b.Public, b.Addr), fam)); err != nil {
		return true, err
	}
	t := time.NewTimer(followTime)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return true, context.Cause(ctx)
	case <-t.C:
	}
	f.redirected.refused(addr, time.Now())
	f.o.Emit.Emit(event.NotRedirected{Session: p.Session, Family: fam, Stayed: true})
	return true, nil
}

// redirection is the message: to SRS's clients as SRS says it, to others as Flash Media
// Server and nginx-rtmp's forks do. There is no close behind it: who does not
// understand it stays.
func redirection(p *session.Play, addr, family string) *rtmp.Message {
	app := "rtmp://" + addr + "/" + p.Connect.App
	if p.Connect.Query != "" {
		app += "?" + p.Connect.Query
	}
	ex := amf.Object{{Key: "code", Value: 302.0}, {Key: "redirect", Value: app}}
	cmd := rtmp.Command{Name: "_error"}
	description := "Connect here"
	if family == FamilySRS {
		// SRS puts the query behind the stream.
		full := "rtmp://" + addr + "/" + p.Connect.App + "/" + p.Request.Name
		if q := p.Facts.Query; q != "" {
			full += "?" + q
		}
		ex = append(ex, amf.Property{Key: "redirect2", Value: full})
		cmd.Name, cmd.StreamID, description = "onStatus", p.Request.StreamID, "RTMP 302 Redirect"
	} else if strings.HasPrefix(p.Connect.FlashVer, "FMLE/") {
		cmd.Name = "onStatus"
	}
	cmd.Args = []any{amf.Object{{Key: "level", Value: rtmp.LevelError}, {Key: "code", Value: rtmp.CodeConnectRejected},
		{Key: "description", Value: description}, {Key: "ex", Value: ex}}}
	return &rtmp.Message{Type: rtmp.CommandAMF0, StreamID: cmd.StreamID, Payload: rtmp.AppendCommand(nil, &cmd)}
}
