package store

import (
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

// A member without data begins a cluster only when all are known to have none, and goes back to one only
// under a number that has never voted.
func TestP2WhatAMemberWithoutDataBeginsWith(t *testing.T) {
	all, err := parseMembers([]string{"a=10.0.0.1:1", "b=10.0.0.2:1", "c=10.0.0.3:1"})
	if err != nil {
		t.Fatal(err)
	}
	other := members{all[0], all[1]}
	begun := time.Unix(1, 0)
	// record is what etcd has of a member: as it began, unless it was taken in later.
	record := func(m member, runs, late bool) *membership.Member {
		urls, err := types.NewURLs([]string{m.url()})
		if err != nil {
			t.Fatal(err)
		}
		r := membership.NewMember("", urls, embed.NewConfig().InitialClusterToken, nil)
		if late {
			r = membership.NewMember("", urls, "", &begun)
		}
		if runs {
			r.Name, r.ClientURLs = m.name, []string{"http://127.0.0.1:1"}
		}
		return r
	}
	runs := func(m member) *membership.Member { return record(m, true, false) }
	cluster := func(ms ...*membership.Member) answer { return answer{cluster: ms} }
	here := func(name string) answer {
		return answer{bootstrapping: &announcement{Name: name, Members: all.pairs()}}
	}
	silent, notMember := answer{err: errors.New("refused")}, answer{err: errors.New("RTMP"), notMember: true}
	stranger := member{"x", "10.0.0.9:1"}

	for what, c := range map[string]struct {
		b, c  answer
		state clusterState
		say   string
		who   string
	}{
		"nobody there":       {silent, silent, undecided, sayMissing, "b c"},
		"one is missing":     {here("b"), silent, undecided, sayMissing, "c"},
		"all are there":      {here("b"), here("c"), newCluster, "", ""},
		"another list":       {answer{bootstrapping: &announcement{Name: "b", Members: other.pairs()}}, here("c"), undecided, sayLists, "b: a=10.0.0.1:1,b=10.0.0.2:1; here: a=10.0.0.1:1,b=10.0.0.2:1,c=10.0.0.3:1"},
		"another name":       {here("c"), silent, undecided, sayLists, "c: a=10.0.0.1:1,b=10.0.0.2:1,c=10.0.0.3:1; here: a=10.0.0.1:1,b=10.0.0.2:1,c=10.0.0.3:1"},
		"no member at b":     {notMember, silent, undecided, sayNotMember, "b at 10.0.0.2:1: RTMP"},
		"lost its disk":      {cluster(runs(all[0]), runs(all[1]), runs(all[2])), silent, undecided, sayLost, "a"},
		"taken out":          {cluster(runs(all[1]), runs(all[2])), silent, undecided, sayLost, "a"},
		"taken in again":     {cluster(record(all[0], false, true), runs(all[1]), runs(all[2])), silent, existingCluster, "", ""},
		"one has not heard":  {cluster(record(all[0], false, true), runs(all[1]), runs(all[2])), cluster(runs(all[0]), runs(all[1]), runs(all[2])), undecided, sayLost, "a"},
		"another number":     {cluster(record(all[0], false, true), runs(all[1]), runs(all[2])), cluster(record(all[0], false, false), runs(all[1]), runs(all[2])), undecided, sayLost, "a"},
		"late to a new one":  {cluster(record(all[0], false, false), runs(all[1]), record(all[2], false, false)), here("c"), newCluster, "", ""},
		"never ran, c new":   {cluster(record(all[0], false, false), runs(all[1]), record(all[2], true, true)), silent, existingCluster, "", ""},
		"two lost theirs":    {cluster(runs(all[0]), runs(all[1]), runs(all[2])), here("c"), undecided, sayNoQuorum, "a c"},
		"another's cluster":  {cluster(runs(all[1]), runs(stranger)), silent, undecided, sayUnlisted, "x=http://10.0.0.9:1"},
		"one that was alone": {cluster(runs(member{"b", "127.0.0.1:0"})), here("c"), undecided, sayUnlisted, "b=http://127.0.0.1:0"},
	} {
		v := decide("a", all, map[string]answer{"b": c.b, "c": c.c})
		if v.state != c.state || v.say != c.say || v.who != c.who {
			t.Errorf("%s: %s, %q (%s)", what, v.state, v.say, v.who)
		}
		if v.state != undecided && len(v.members) != 3 {
			t.Errorf("%s: with %v", what, v.members)
		}
	}
}
