// Command balance measures how evenly publishers of unequal bitrates are spread over
// other people's servers: three nginx-rtmp, one of twice the capacity, behind Weir's front and behind HAProxy's
// leastconn, on one trace. `make bench-balance` runs it.
//
// The trace ([trace]) is drawn from a seed: when each publisher comes and goes, which stream it is and what it sends.
// Each contender plays it in each round, in turns; servers and balancer are started afresh. Traffic is what the
// servers count themselves: bytes_in of each /stat, once a second. The congestion control is cubic while it runs.
//
// The figure ([figures]): in a window of so many seconds, traffic per capacity of the server that has most, over that
// of all servers together; 1 is even. Windows slide by a second and begin after the warm-up.
//
// Beside what was measured stand placers that exist in this program alone ([placers]), on the same trace
// without network and delay: they say what the trace lets anybody reach who does not move publishers.
//
// It writes balance-TIME.json and balance-TIME.md into the directory given, after each round.
package main
