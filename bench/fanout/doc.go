// Command fanout measures what it costs to send one stream to many viewers: Weir,
// nginx-rtmp, the bare floor (bench/floor.c) and whatever else is given, side by side in
// one run. `make bench-fanout` runs it.
//
// For every load (viewers, bit rate, manner of reading) it runs rounds; in each
// round every contender has one trial, and the order turns from round to round, so that a drift
// of the machine falls on all alike. A trial starts the server afresh, publishes one stamped
// stream, joins the viewers (weir bench play), waits, measures one window, and stops it all.
//
// The congestion control is cubic for everybody while it runs: under bbr, pacing timers
// send from contexts that are charged to nobody.
//
// -scene NAME chooses flags that go together (scene.go), a row of the table in docs/design/fanout.md each.
//
// What it writes, after each round, into the directory given:
//
//	fanout-TIME.json  every trial's full result, the machine, the commit
//	fanout-TIME.md    medians with their spread
//	fanout-TIME.svg   CPU-seconds per GB against added latency
//
// Contenders ([parseContender]):
//
//	weir                          this tree's, as configured by default
//	weir@KEY=VALUE,KEY=VALUE      with these keys of its configuration
//	weir-flv                      the same, played over HTTP-FLV
//	nginx                         nginx-rtmp, one worker, chunk_size 4096, no logs
//	floor-send  floor-nodelay     a call per message and viewer, with and without Nagle
//	floor-writev100               a writev per viewer every 100 ms (or any number)
//	floor-sendfile100             the same by sendfile from a memfd
//	NAME=rtmp://HOST/APP/STREAM,PID   a server that runs already
package main
