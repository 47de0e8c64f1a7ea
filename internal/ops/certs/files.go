package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// watchEvery is how often files are looked at. Why not notifications of the
// kernel: certificates come by rename, by symbolic link (Kubernetes) and over
// NFS, which tells nobody, and a handful of stat calls costs nothing. Why not
// longer: whoever replaced a certificate looks whether it has worked.
const watchEvery = 2 * time.Second

// errNone: there is nothing to show for a handshake.
var errNone = errors.New("certs: no certificate yet")

// Files are certificates from files. The zero value has none.
type Files struct {
	pairs []Pair
	log   *slog.Logger
	now   atomic.Pointer[[]*tls.Certificate] // in the order of pairs
	seen  [][2]stamp                         // of pairs, when last read; Watch's
}

// stamp tells one state of a file from another.
type stamp struct {
	mod  time.Time
	size int64
	info os.FileInfo // its device and inode; nil: it is not there
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size(), info}
}

func (s stamp) same(o stamp) bool {
	return s.mod.Equal(o.mod) && s.size == o.size && (s.info == nil) == (o.info == nil) && (s.info == nil || os.SameFile(s.info, o.info))
}

// NewFiles reads the pairs; all must be there and sound. What changes later is read
// by [Files.Watch].
func NewFiles(pairs []Pair, log *slog.Logger) (*Files, error) {
	f := &Files{pairs: slices.Clone(pairs), log: log, seen: make([][2]stamp, len(pairs))}
	list := make([]*tls.Certificate, len(pairs))
	for i, p := range f.pairs {
		f.seen[i] = p.stamps()
		c, err := p.Load()
		if err != nil {
			return nil, err
		}
		list[i] = c
	}
	f.now.Store(&list)
	return f, nil
}

func (p Pair) stamps() [2]stamp { return [2]stamp{stampOf(p.Cert), stampOf(p.keyFile())} }

// GetCertificate is for tls.Config: the first certificate that is for the name that
// the client asks for and that it can use, else the first of all.
func (f *Files) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	list := f.now.Load()
	if list == nil || len(*list) == 0 {
		return nil, errNone
	}
	if len(*list) > 1 {
		for _, c := range *list {
			if hello.SupportsCertificate(c) == nil {
				return c, nil
			}
		}
	}
	return (*list)[0], nil
}

// Watch reads again what changes, until ctx ends. A pair that cannot be read, or
// does not belong together because only half of it has been replaced, leaves the old
// one in use and is tried again at the next look.
func (f *Files) Watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	said := make([]string, len(f.pairs)) // what was last complained of
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.look(said)
		}
	}
}

func (f *Files) look(said []string) {
	for i, p := range f.pairs {
		is := p.stamps() // before reading: a change in between is seen next time
		if is[0].same(f.seen[i][0]) && is[1].same(f.seen[i][1]) {
			continue
		}
		c, err := p.Load()
		if err != nil {
			if said[i] != err.Error() {
				said[i] = err.Error()
				f.log.Warn("certificate cannot be read again; the old one stays in use", "file", p.Cert, "err", err)
			}
			continue
		}
		said[i], f.seen[i] = "", is
		list := slices.Clone(*f.now.Load())
		list[i] = c
		f.now.Store(&list)
		f.log.Info("certificate read again", "file", p.Cert, "names", c.Leaf.DNSNames, "until", c.Leaf.NotAfter)
	}
}
