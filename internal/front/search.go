package front

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"weir/internal/deadline"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// patience is how long a client's first answer may take, however many servers are
// tried.
const patience = deadline.Search

// search offers a session to one server after another.
type search struct {
	f       *Front
	session event.Session
	name    stream.Name
	publish bool
	exclude []string // as of Request
	// moving says that the session runs and its stream is held: that a server knows
	// another publisher of the name is that server's mistake.
	moving bool
	leaves string // never to be chosen
}

// leaving is a search for anybody but one server.
func leaving(server string) search {
	return search{leaves: server, exclude: []string{server}}
}

// code is the status of a session that nobody takes.
func (s *search) code() string {
	if s.publish {
		return rtmp.CodePublishRejected
	}
	return rtmp.CodePlayFailed
}

func (s *search) choose(r Request) (Backend, error) {
	if s.publish {
		return s.f.o.Placer.Publisher(r)
	}
	return s.f.o.Placer.Viewer(r)
}

// run tries servers until one takes the session. What ends the search besides is an
// answer about the stream and not about the server. The error is the client's answer: if all refused,
// the last one's own.
func (s *search) run(ctx context.Context, try func(context.Context, Backend) error) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last, lastLogged error
	var tried []string
	for range maxTries {
		b, err := s.place(tried)
		if err != nil {
			return s.nobody(errors.Join(err, lastLogged), last)
		}
		bounded := s.publish || b.Foreign // a node may hold a viewer back until there is a stream
		tctx := ctx
		if bounded {
			tctx = limited
		}
		err = try(tctx, b)
		b.done(err == nil)
		if err == nil {
			s.f.succeeded(&b)
			return nil
		}
		if r := s.verdict(&b, err); r != nil {
			return r
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if bounded && limited.Err() != nil {
			// A server has limits of its own, each of which is shorter: those before it, or the registry,
			// have had its time. That says nothing of it.
			lastLogged = errors.Join(fmt.Errorf("front: the client's patience ended at %s", b.Node), lastLogged)
			break
		}
		s.f.backendFailed(s.session, &b, event.PhasePlace, failure(err), err)
		if answered(err) || !errors.Is(last, relay.ErrHungUp) {
			last = err // an answer says more of the stream than that somebody else is down
		}
		lastLogged = forLog(&b, err)
		tried = append(tried, b.Node)
	}
	return s.nobody(lastLogged, last)
}

// place asks for a server and says so. What has failed in this search is not asked again: whoever
// has time searches again later.
func (s *search) place(tried []string) (Backend, error) {
	r := Request{Name: s.name, Source: source(s.session.Remote), Exclude: slices.Concat(s.exclude, tried), Never: tried}
	if s.leaves != "" {
		r.Never = append(slices.Clip(tried), s.leaves)
	}
	b, err := s.choose(r)
	if err != nil {
		return b, err
	}
	s.f.o.Emit.Emit(event.Placed{Session: s.session, Node: b.Node, Why: b.Why})
	if b.Foreign {
		b.Shared, b.SameClock = s.f.o.Ledger.Traits(b.Node)
	}
	return b, nil
}

// verdict is the answer that ends the search; nil: another server may take it.
func (s *search) verdict(b *Backend, err error) error {
	var own *session.Rejection
	if errors.As(err, &own) {
		return own
	}
	var refused *relay.RefusedError
	if !errors.As(err, &refused) {
		return nil
	}
	reason := event.BackendRefused
	switch {
	case refused.Code == rtmp.CodePublishBadName && s.moving && b.Foreign:
		return nil
	case refused.Code == rtmp.CodePublishBadName:
		reason = event.Busy
	case b.Foreign && refused.Code == rtmp.CodePublishDenied:
	case refused.Code == rtmp.CodePlayStreamNotFound:
		// Foreign servers do not know of each other's streams.
		if at, ok := s.f.o.Registry.At(s.name); b.Foreign && !(ok && at.Server == b.Node) {
			return nil
		}
		reason = event.NotFound
	default:
		return nil
	}
	return refusal(refused, reason, nil)
}

// maxWords bounds what a client is told of a server's own words.
const maxWords = 512

// refusal is a server's no as the client's answer. The words are the server's, and may hold
// what the client said: they are for the client, and not for the log.
func refusal(r *relay.RefusedError, reason event.Reason, err error) *session.Rejection {
	return &session.Rejection{Code: cut(r.Code), Description: cut(r.Description), Reason: reason, Err: err}
}

func cut(s string) string { return s[:min(len(s), maxWords)] }

// forLog is err without a foreign server's words.
func forLog(b *Backend, err error) error {
	var refused *relay.RefusedError
	if b.Foreign && errors.As(err, &refused) {
		return fmt.Errorf("the server refused: %q", cut(refused.Code))
	}
	return err
}

// nobody is the answer when no server takes the session.
func (s *search) nobody(err, last error) error {
	var refused *relay.RefusedError
	if errors.As(last, &refused) {
		reason := event.BackendRefused
		if refused.Code == rtmp.CodePlayStreamNotFound {
			reason = event.NotFound
		}
		return refusal(refused, reason, nil)
	}
	if errors.Is(last, relay.ErrHungUp) {
		return &session.Rejection{Code: s.code(), Description: "The server hung up on this application or stream; it may not have it.",
			Reason: event.BackendRefused, Err: last}
	}
	return noServer(s.code(), err)
}

// succeeded and backendFailed say how a server did.
func (f *Front) succeeded(b *Backend) {
	if b.Foreign {
		f.o.Ledger.Succeeded(b.Node)
	}
}

func (f *Front) backendFailed(s event.Session, b *Backend, phase event.Phase, reason event.Reason, err error) {
	f.o.Emit.Emit(event.BackendFailed{Session: s, Node: b.Node, Phase: phase, Reason: reason, Err: forLog(b, err)})
	if b.Foreign && !answered(err) { // who says no is well
		f.o.Ledger.Failed(b.Node, err)
	}
}

// answered reports whether a server has said no, in words or by hanging up on what the client asked:
// one client's bad words would count against it for all. One that has died instead is found out by
// whom it carries, and by its checks.
func answered(err error) bool {
	var refused *relay.RefusedError
	return errors.As(err, &refused) || errors.Is(err, relay.ErrHungUp)
}
