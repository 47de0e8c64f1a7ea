// Command proxy measures what it costs to stand in front of RTMP servers: Weir's
// front, HAProxy with splice, and nginx-rtmp's push for publishers, side by side in one
// run. `make bench-proxy` runs it.
//
// Four situations ([situations]):
//
//	burst    viewers of a backend that sends in bursts (Weir)
//	packets  viewers of a backend that sends a packet a message (nginx-rtmp)
//	carry    publishers that are carried to nginx-rtmp, beside nginx-rtmp's push
//	setup    sessions that begin, one after another
//
// In each round every contender has one trial of every situation and load, and the order
// turns from round to round. A trial starts backend and proxy afresh. CPU is that of the
// proxy alone, all threads, from /proc/PID/task/*/schedstat, per GB that passed; ratios
// are taken round by round. The congestion control is cubic while it runs.
//
// Contenders: weir@DURATION (front.splice_latency), haproxy, push, direct (no proxy; the
// CPU is the backend's), and NAME=COMMAND: a program that is started with the backend's
// address as its last argument and prints its own in its first line.
//
// It writes proxy-TIME.json and proxy-TIME.md into the directory given, after each round.
package main
