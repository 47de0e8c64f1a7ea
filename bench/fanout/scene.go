package main

import (
	"maps"
	"slices"
)

// scenes are the rows of the table: flags, separated by bars. Run times are
// those of two cores.
var scenes = map[string]string{
	// The first three rows, p50 and p99, and scaling: 20 min.
	"main": "-contenders=weir nginx floor-writev100|-viewers=500 2000|-bitrates=1.1|-readers=lazy eager",
	// Other sizes and the other bit rate: 20 min.
	"sizes": "-contenders=weir nginx floor-writev100|-viewers=100 1000|-bitrates=1.1|-readers=lazy|-rounds=3",
	"rate":  "-contenders=weir nginx floor-writev100|-viewers=500 1000|-bitrates=2.6|-readers=lazy|-rounds=3",
	// Sending at once, as long as there is time: 10 min.
	"idle": "-contenders=weir nginx floor-nodelay|-viewers=20 100 200|-bitrates=1.1|-readers=eager|-rounds=3|-against=floor-nodelay nginx",
	// The low-latency setting: 8 min.
	"low": "-contenders=weir@play.low_latency=true floor-send|-viewers=500 1000|-bitrates=1.1|-readers=lazy eager|-rounds=3|-against=floor-send",
	// 350 ms: 10 min.
	"350ms": "-contenders=weir@play.max_latency=350ms floor-writev350|-viewers=500 2000|-bitrates=1.1|-readers=lazy|-against=floor-writev350|-warmup=4s|-window=10s",
	// Session set-up, 20 at a time. A thin stream: the group of pictures that a joiner of 1.1 Mb/s gets
	// costs as much as all the rest: 3 min.
	"setup": "-contenders=weir nginx|-viewers=1000|-bitrates=0.1|-readers=lazy|-rate=0|-concurrency=20|-joins|-window=500ms|-warmup=200ms",
	// Joins on an idle server: 4 min.
	"join": "-contenders=weir nginx|-viewers=500|-bitrates=1.1|-readers=lazy|-rate=100|-concurrency=20|-joins|-window=500ms|-warmup=200ms",
	// 2,000 joins a second on a warm stream: 2 min.
	"rush": "-contenders=weir|-viewers=4000|-bitrates=0.1|-readers=lazy|-rate=2000|-concurrency=200|-joins|-window=2s|-rounds=3",
	// 10,000 joins in 10 s, and the same viewers held for a minute: 5 min.
	"crowd": "-contenders=weir|-viewers=10000|-bitrates=0.1|-readers=lazy|-rate=1000|-concurrency=500|-window=60s|-rounds=2|-against=",
	"come":  "-contenders=weir|-viewers=10000|-bitrates=0.1|-readers=lazy|-rate=1000|-concurrency=500|-joins|-window=2s|-rounds=2",
	// Many publishers: 8 min.
	"publishers": "-contenders=weir nginx|-viewers=1000|-streams=1000|-bitrates=0.3|-readers=lazy|-rounds=3|-against=nginx",
	// A viewer that reads nothing, until the server ends it after 10 s: 3 min.
	"deaf": "-contenders=weir nginx|-viewers=500|-bitrates=1.1|-readers=eager|-deaf=1|-warmup=1s|-window=14s|-rounds=3|-against=nginx",
	// HTTP-FLV: 3 min.
	"flv": "-contenders=weir-flv weir|-viewers=500|-bitrates=1.1|-readers=lazy|-rounds=3|-against=weir",
}

func sceneNames() []string { return slices.Sorted(maps.Keys(scenes)) }
