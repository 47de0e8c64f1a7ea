package store

import (
	"bytes"
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
	// roomPath is where a member that has no data answers, on its peer address.
	roomPath = "/weir/waiting"
	// membersPath is where etcd tells other members who belongs to its cluster.
	membersPath = "/members"

	// askEvery is how often a member without data asks the others. Why not larger: a cluster begins
	// with the answer. Why not smaller: it may wait for a machine that is not bought yet.
	askEvery = 250 * time.Millisecond
	// askTimeout bounds one question. Why not larger: the answers of all are waited for.
	askTimeout = time.Second
	// answerMax is the longest answer that is read, in bytes: a list of members.
	answerMax = 64 << 10
	// remembered is how long a member counts as here that does not answer any more. Why not smaller: it may have
	// left to begin, which takes etcd a moment. Why not larger: it may come back with data.
	remembered = 10 * time.Second
	// sayAgain is how often the log says what is being waited for when nothing changes.
	sayAgain = 30 * time.Second
	// sayFirst is how long a wait is before the log says so: members that are started together need a moment.
	sayFirst = 2 * time.Second
)

// empty is what a member without data says of itself.
type empty struct {
	Name    string   `json:"name"`
	Members []string `json:"members"` // as it is configured: NAME=HOST:PORT, sorted
}

// answer is what was found at another member's address.
type answer struct {
	empty   *empty               // it has no data, and waits as well
	cluster []*membership.Member // it runs a member of a cluster: these are all of it
	err     error                // nobody answers, or somebody who is no member
	alien   bool                 // the latter
}

// room is where a member without data waits, until it is known what to begin with: a new cluster or the
// one that there is. It listens in the place of etcd.
//
// A new cluster begins when all members are here at once. Each asks all others, and a question says who asks:
// two of them know of each other once a question has been taken in, so nobody leaves whom another
// still has to find.
type room struct {
	all    members
	self   empty
	client *http.Client
	log    *slog.Logger

	mu   sync.Mutex
	here map[string]guest // by name: members that have been here. Guarded by mu
}

type guest struct {
	empty *empty
	seen  time.Time
}

func newRoom(all members, name string, log *slog.Logger) *room {
	return &room{all: all, self: empty{Name: name, Members: all.pairs()}, here: map[string]guest{}, log: log, client: newAsking()}
}

// newAsking is a client for questions to members. It keeps no connections: etcd takes 5 s to end when
// somebody holds one.
func newAsking() *http.Client {
	return &http.Client{Timeout: askTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
}

// wait returns how etcd is to be started.
func (r *room) wait(ctx context.Context, listen string) (verdict, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return verdict{}, err
	}
	server := &http.Server{Handler: r, ReadTimeout: askTimeout}
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
		v := decide(r.self.Name, r.all, r.ask(ctx))
		if v.begin != wait {
			if said != "" && r.log != nil {
				r.log.Info("the store's members are there", "begin", v.begin.String())
			}
			return v, nil
		}
		if text := v.say + v.who; text != said && (v.level > slog.LevelInfo || said != "") || time.Since(at) >= sayAgain {
			said, at = text, time.Now()
			if r.log != nil {
				r.log.Log(ctx, v.level, v.say, "members", v.who)
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
func (r *room) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path != roomPath {
		http.Error(w, "this member has no data", http.StatusServiceUnavailable)
		return
	}
	if req.Method == http.MethodPost {
		var other empty
		if err := json.NewDecoder(io.LimitReader(req.Body, answerMax)).Decode(&other); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.note(&other)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(r.self)
}

// note remembers a member that is here, or has another list than before.
func (r *room) note(other *empty) {
	if _, ok := r.all.named(other.Name); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.here[other.Name] = guest{other, time.Now()}
	}
}

// ask asks all other members at once.
func (r *room) ask(ctx context.Context) map[string]answer {
	body, _ := json.Marshal(r.self) // strings only
	answers := make(map[string]answer)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range r.all {
		if m.name == r.self.Name {
			continue
		}
		wg.Go(func() {
			a := ask(ctx, r.client, m, body)
			mu.Lock()
			defer mu.Unlock()
			answers[m.name] = a
		})
	}
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, a := range answers {
		switch {
		case a.empty != nil:
			r.here[name] = guest{a.empty, time.Now()}
		case a.cluster == nil && !a.alien && time.Since(r.here[name].seen) < remembered:
			answers[name] = answer{empty: r.here[name].empty} // it has left: etcd begins
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
	var e empty
	status, err := fetch(ctx, client, method, m.url()+roomPath, body, &e)
	switch {
	case status == http.StatusOK && err == nil && e.Name != "":
		return answer{empty: &e}
	case status == 0:
		return answer{err: err, alien: talksOtherwise(err)}
	case status != http.StatusNotFound:
		return answer{err: fmt.Errorf("it answers with HTTP status %d", status), alien: true}
	}
	var cluster []*membership.Member
	status, err = fetch(ctx, client, http.MethodGet, m.url()+membersPath, nil, &cluster)
	switch {
	case status == http.StatusOK && err == nil && len(cluster) > 0:
		return answer{cluster: cluster}
	case status == http.StatusOK && err == nil, status == 0:
		return answer{err: errors.New("its store is starting")}
	}
	return answer{err: fmt.Errorf("it answers with HTTP status %d", status), alien: true}
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

// talksOtherwise reports whether an error of package net/http means that somebody answered in
// another protocol: package net/http has no type for it.
func talksOtherwise(err error) bool {
	return err != nil && strings.Contains(err.Error(), "malformed HTTP")
}

// same reports whether a member without data is who it is expected to be.
func (e *empty) same(name string, all members) bool {
	return e.Name == name && slices.Equal(e.Members, all.pairs())
}
