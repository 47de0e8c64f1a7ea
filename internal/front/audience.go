package front

import (
	"context"

	"weir/internal/stream"
)

// audience is the viewers of one stream at foreign servers. When the registry
// says that the stream is somewhere else now, the carried go there: also those who came before
// it began and wait at a server that it was not published to. The spliced are ended, as
// their server may never do it, and come back by themselves.
type audience struct {
	viewers map[follower]bool // Front.mu guards it
	again   chan struct{}     // somebody has come who may have missed a change
	stop    func()
}

// follower is one of them.
type follower interface {
	// strays reports whether the viewer is not where its stream is, and where it is.
	strays(at At) (server string, strays bool)
	// rejoin takes the viewer from server to where its stream is.
	rejoin(ctx context.Context, server string)
}

// attend has the viewer follow its stream while it is at a foreign server that does
// not share streams with others.
func (f *Front) attend(v *viewer) {
	name := v.p.Name
	if b := &v.leg.backend; !b.Foreign || b.Shared {
		f.forget(v)
		return
	}
	f.follow(name, v)
	f.look(name, v.leg.backend.Node)
}

// look has a viewer who is at a server now looked for, if its stream is elsewhere: that may have been said
// while it was on its way.
func (f *Front) look(name stream.Name, server string) {
	if at, ok := f.o.Registry.At(name); !ok || at.Server == server {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.audiences[name]; a != nil {
		select {
		case a.again <- struct{}{}:
		default:
		}
	}
}

// follow has somebody be told where a stream goes, until unfollow.
func (f *Front) follow(name stream.Name, v follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.audiences[name]
	if a == nil {
		changed, unwatch := f.o.Registry.Watch(name)
		ctx, cancel := context.WithCancel(f.ctx)
		a = &audience{viewers: make(map[follower]bool), again: make(chan struct{}, 1), stop: func() {
			cancel()
			unwatch()
		}}
		f.audiences[name] = a
		go f.followStream(ctx, name, changed, a.again)
	}
	a.viewers[v] = true
}

// forget ends that.
func (f *Front) forget(v *viewer) { f.unfollow(v.p.Name, v) }

func (f *Front) unfollow(name stream.Name, v follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.audiences[name]
	if a == nil || !a.viewers[v] {
		return
	}
	if delete(a.viewers, v); len(a.viewers) == 0 {
		delete(f.audiences, name)
		a.stop()
	}
}

// followStream moves the viewers of one stream whenever it is found to be elsewhere.
func (f *Front) followStream(ctx context.Context, name stream.Name, changed, again <-chan struct{}) {
	room := make(chan struct{}, atOnce)
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-again:
		}
		at, ok := f.o.Registry.At(name)
		if !ok {
			continue
		}
		for _, v := range f.audience(name) {
			server, strays := v.strays(at)
			if !strays {
				continue
			}
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			go func() {
				defer func() { <-room }()
				mctx, cancel := context.WithTimeout(ctx, moveTime)
				defer cancel()
				v.rejoin(mctx, server)
			}()
		}
	}
}

func (f *Front) audience(name stream.Name) []follower {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.audiences[name]
	if a == nil {
		return nil
	}
	all := make([]follower, 0, len(a.viewers))
	for v := range a.viewers {
		all = append(all, v)
	}
	return all
}

// strays is follower.
func (v *viewer) strays(at At) (server string, strays bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b := &v.leg.backend
	return b.Node, b.Foreign && b.Node != at.Server && v.next == nil
}
