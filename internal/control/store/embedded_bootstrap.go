package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

const (
	// bootstrapPath is where a member that has no data answers, on its peer address.
	bootstrapPath = "/weir/waiting"
	// membersPath is where etcd tells other members who belongs to its cluster.
	membersPath = "/members"

	// askEvery is how often a member without data asks the others. Why not larger: a cluster begins
	// with the answer. Why not smaller: it may wait for a machine that is not bought yet.
	askEvery = 250 * time.Millisecond
	// askTimeout bounds one question. Why not larger: the answers of all are waited for.
	askTimeout = time.Second
	// answerMax is the longest answer that is read, in bytes: a list of members.
	answerMax = 64 << 10
	// remembered is how long a member counts as bootstrapping that does not answer any more. Why not smaller: it may have
	// left to begin, which takes etcd a moment. Why not larger: it may come back with data.
	remembered = 10 * time.Second
	// sayAgain is how often the log says what is being waited for when nothing changes.
	sayAgain = 30 * time.Second
	// sayFirst is how long a wait is before the log says so: members that are started together need a moment.
	sayFirst = 2 * time.Second
)

// announcement is what a bootstrapping member, one without data, says of itself.
type announcement struct {
	Name    string   `json:"name"`
	Members []string `json:"members"` // as it is configured: NAME=HOST:PORT, sorted
}

// answer is what was found at another member's address.
type answer struct {
	bootstrapping *announcement        // it has no data, and waits as well
	cluster       []*membership.Member // it runs a member of a cluster: these are all of it
	err           error                // nobody answers, or somebody who is no member
	notMember     bool                 // the latter
}

// bootstrap finds out what a member without data begins with: a new cluster or the existing one. Until
// that is known it listens in the place of etcd.
//
// A new cluster begins when all members bootstrap at once. Each asks all others, and a question says who asks:
// two of them know of each other once a question has been taken in, so nobody leaves whom another
// still has to find.
type bootstrap struct {
	all    members
	self   announcement
	client *http.Client
	log    *slog.Logger

	mu    sync.Mutex
	heard map[string]lastHeard // by name: members that bootstrap, or did when last heard of. Guarded by mu
}

type lastHeard struct {
	said *announcement
	at   time.Time
}

func newBootstrap(all members, name string, log *slog.Logger) *bootstrap {
	return &bootstrap{all: all, self: announcement{Name: name, Members: all.pairs()}, heard: map[string]lastHeard{}, log: log, client: newPeerClient()}
}

// newPeerClient is a client for questions to members. It keeps no connections: etcd takes 5 s to end when
// somebody holds one.
func newPeerClient() *http.Client {
	return &http.Client{Timeout: askTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
}

// wait returns how etcd is to be started.
func (b *bootstrap) wait(ctx context.Context, listen string) (verdict, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return verdict{}, err
	}
	server := &http.Server{Handler: b, ReadTimeout: askTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	defer func() {
		server.Close()
		<-served
	}()
	said, at := "", time.Now().Add(sayFirst-sayAgain)
	for {
		v := decide(b.self.Name, b.all, b.ask(ctx))
		if v.state != undecided {
			if said != "" && b.log != nil {
				b.log.Info("the store's members are there", "begin", v.state.String())
			}
			return v, nil
		}
		if text := v.say + v.who; text != said && (v.level > slog.LevelInfo || said != "") || time.Since(at) >= sayAgain {
			said, at = text, time.Now()
			if b.log != nil {
				b.log.Log(ctx, v.level, v.say, "members", v.who)
			}
		}
		select {
		case <-ctx.Done():
			return verdict{}, ctx.Err()
		case <-time.After(askEvery):
		}
	}
}

// ServeHTTP answers members that ask, and takes note of them.
func (b *bootstrap) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path != bootstrapPath {
		http.Error(w, "this member has no data", http.StatusServiceUnavailable)
		return
	}
	if req.Method == http.MethodPost {
		var other announcement
		if err := json.NewDecoder(io.LimitReader(req.Body, answerMax)).Decode(&other); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.note(&other)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(b.self)
}

// note remembers a member that bootstraps, or has another list than before.
func (b *bootstrap) note(other *announcement) {
	if _, ok := b.all.named(other.Name); ok {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.heard[other.Name] = lastHeard{other, time.Now()}
	}
}

// ask asks all other members at once.
func (b *bootstrap) ask(ctx context.Context) map[string]answer {
	body, _ := json.Marshal(b.self) // strings only
	answers := make(map[string]answer)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range b.all {
		if m.name == b.self.Name {
			continue
		}
		wg.Go(func() {
			a := ask(ctx, b.client, m, body)
			mu.Lock()
			defer mu.Unlock()
			answers[m.name] = a
		})
	}
	wg.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, a := range answers {
		switch {
		case a.bootstrapping != nil:
			b.heard[name] = lastHeard{a.bootstrapping, time.Now()}
		case a.cluster == nil && !a.notMember && time.Since(b.heard[name].at) < remembered:
			answers[name] = answer{bootstrapping: b.heard[name].said} // it has left: etcd begins
		}
	}
	return answers
}

// ask asks one member. With a body, it is told that the asker waits as well.
func ask(ctx context.Context, client *http.Client, m member, body []byte) answer {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	var said announcement
	status, err := fetch(ctx, client, method, m.url()+bootstrapPath, body, &said)
	switch {
	case status == http.StatusOK && err == nil && said.Name != "":
		return answer{bootstrapping: &said}
	case status == 0:
		return answer{err: err, notMember: otherProtocol(err)}
	case status != http.StatusNotFound:
		return answer{err: fmt.Errorf("it answers with HTTP status %d", status), notMember: true}
	}
	var cluster []*membership.Member
	status, err = fetch(ctx, client, http.MethodGet, m.url()+membersPath, nil, &cluster)
	switch {
	case status == http.StatusOK && err == nil && len(cluster) > 0:
		return answer{cluster: cluster}
	case status == http.StatusOK && err == nil, status == 0:
		return answer{err: errors.New("its store is starting")}
	}
	return answer{err: fmt.Errorf("it answers with HTTP status %d", status), notMember: true}
}

// fetch returns the status, 0 if there was none, and reads a JSON answer.
func fetch(ctx context.Context, client *http.Client, method, url string, body []byte, into any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerMax))
	if err != nil {
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.Unmarshal(text, into)
}

// otherProtocol reports whether an error of package net/http means that somebody answered in
// another protocol: package net/http has no type for it.
func otherProtocol(err error) bool {
	return err != nil && strings.Contains(err.Error(), "malformed HTTP")
}

// of reports whether it is of the member that is expected there, with the same list.
func (a *announcement) of(m member, all members) bool {
	return a.Name == m.name && slices.Equal(a.Members, all.pairs())
}

// lists tells the list of who is found at a member's address and this member's own, for when they differ.
func (a *announcement) lists(m member, all members) string {
	return fmt.Sprintf("%s: %s; here: %s", cmp.Or(a.Name, m.name), strings.Join(a.Members, ","), strings.Join(all.pairs(), ","))
}
